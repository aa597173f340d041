"""One view of the study at a time: opened by its digit or a click, told of every new study."""

from __future__ import annotations

import gc
import re
import weakref
from dataclasses import replace

import pytest

from tests.driver import SMALL, Bench, OpenBench
from tests.held_study import HeldStudy
from tests.specs import EXACT
from tui.analysis.inquiry import Question
from tui.analysis.numerics.pixel import Pixel
from tui.analysis.progress import Doing
from tui.analysis.study import Study
from tui.fusion.specs.block_spec import BlockSpec
from tui.running.run_state import Idle
from tui.screens.bench.views import KERNELS, MISTAKES, OUTPUTS, SPEED, STEPS, VIEWS, BenchView
from tui.views.kernels.view import KernelsView
from tui.views.shared.study_view import StudyView
from tui.widgets.view_tabs import ViewTabs


async def go_to(bench: Bench, kind: BenchView) -> None:
    """Open a view by its digit, and wait for what it wants to know."""
    await bench.press(str(VIEWS.index(kind) + 1))
    await bench.until(lambda: isinstance(bench.app.bench.view, kind.load()))
    await bench.until(lambda: is_answered(bench))


def is_answered(bench: Bench) -> bool:
    question = bench.app.bench.view.QUESTION
    return question is None or not isinstance(bench.app.answers.to(question), Doing | None)


async def test_each_digit_opens_its_view(open_bench: OpenBench) -> None:
    async with open_bench(EXACT) as bench:
        assert len(bench.app.bench.query(StudyView)) == 1
        for kind in (*VIEWS[1:], VIEWS[0]):
            await go_to(bench, kind)
            view = bench.app.bench.view
            assert view.in_sight
            assert view.has_focus or view.has_focus_within
            assert bench.app.bench.query_one(ViewTabs).current == VIEWS.index(kind)
            assert [each for each in bench.app.bench.query(StudyView) if each.in_sight] == [view]


async def test_a_click_opens_a_view(open_bench: OpenBench) -> None:
    async with open_bench(EXACT) as bench:
        await bench.pilot.click(ViewTabs, offset=(40, 0))
        await bench.until(lambda: not isinstance(bench.app.bench.view, KernelsView))


async def test_a_question_is_asked_only_by_the_view_in_sight(open_bench: OpenBench) -> None:
    async with open_bench(EXACT) as bench:
        for place, question in enumerate(Question):
            (kind,) = (kind for kind in VIEWS if kind.load().QUESTION is question)
            assert bench.app.answers.to(question) is None
            await go_to(bench, kind)
            first = bench.app.answers.to(question)
            assert first is not None
            await bench.enter("seed", str(2 * place + 1))
            await bench.reach(Idle)
            await bench.until(lambda: is_answered(bench))
            assert bench.app.answers.to(question) is not first
            await bench.press("escape")
            await go_to(bench, KERNELS)
            await bench.enter("seed", str(2 * place + 2))
            await bench.reach(Idle)
            assert bench.app.answers.to(question) is None
            await bench.press("escape")


async def test_old_studies_are_let_go_by_the_views_that_showed_them(open_bench: OpenBench) -> None:
    async with open_bench(EXACT) as bench:
        old: list[weakref.ref[Study]] = []
        for seed, kind in enumerate(VIEWS, start=1):  # each view shows a study of its own
            await go_to(bench, kind)
            assert bench.app.study is not None
            old.append(weakref.ref(bench.app.study))
            await bench.enter("seed", str(seed))
            await bench.reach(Idle)
            await bench.press("escape")

        def held() -> list[int]:
            gc.collect()  # an answer that was under way holds its study till its thread comes to an end
            return [place for place, study in enumerate(old) if study() is not None]

        await bench.until(lambda: not held(), "a view to let go")


@pytest.mark.parametrize("kind", [kind for kind in VIEWS if kind.load().QUESTION], ids=lambda view: view.id)
async def test_the_form_may_change_while_a_view_waits(
    open_bench: OpenBench, held: HeldStudy, kind: BenchView
) -> None:
    async with open_bench(EXACT, study=held, reach=Doing) as bench:
        await bench.press(str(VIEWS.index(kind) + 1))
        await bench.enter("in_channels", "4")  # the out channels follow
        await bench.until(lambda: held.has_run(bench.form.spec))
        held.let_all_go()
        await bench.reach(Idle)
        await bench.until(lambda: is_answered(bench))
        assert bench.app.study is not None
        assert bench.app.study.spec.out_channels == 4
        assert bench.app.bench.view.study is bench.app.study


async def test_every_view_follows_to_a_smaller_block(open_bench: OpenBench) -> None:
    large = replace(EXACT, kernel_size=(5, 5))
    small = replace(EXACT, branches=EXACT.branches[:2], input_shape=(5, 5))
    async with open_bench(large) as bench:
        for kind in VIEWS:
            await go_to(bench, kind)
            if kind is OUTPUTS:
                await bench.press("space", "J", "J", "shift+tab", "shift+tab", "shift+tab", "end")
            elif kind is not MISTAKES:
                await bench.press("end")
            bench.app.bench.show_spec(small)
            await bench.press("t")  # colours all grids anew, in sight or not
            await bench.reach(Idle)
            bench.views.post_message(StudyView.PixelChosen(Pixel(0, 1, 8, 8)))
            await bench.until(lambda: bench.views.pixel == Pixel(0, 1, 4, 4), kind.id)
            await go_to(bench, KERNELS)
            assert len(bench.grids) == 3, kind.id
            bench.app.bench.show_spec(large)
            await bench.reach(Idle)


@pytest.mark.parametrize("kinds", [VIEWS[:3], VIEWS[3:6]], ids=["first", "other"])
async def test_what_came_out_of_sight_is_shown_as_what_came_in_sight(
    open_bench: OpenBench, kinds: tuple[BenchView, ...]
) -> None:
    assert SPEED not in kinds, "its times differ"
    new = replace(EXACT, seed=5)
    async with open_bench(EXACT, SMALL) as bench:

        async def seen_of(spec: BlockSpec) -> None:
            bench.app.bench.show_spec(spec)
            await bench.reach(Idle)

        for kind in kinds:
            await go_to(bench, kind)
            await seen_of(new)
            await bench.until(lambda: is_answered(bench))
            watched = await bench.picture()
            await seen_of(EXACT)
            await go_to(bench, STEPS if kind is OUTPUTS else OUTPUTS)
            await seen_of(new)
            await go_to(bench, kind)
            await bench.until(lambda: is_answered(bench))
            assert texts_of(await bench.picture()) == texts_of(watched), kind.id
            await seen_of(EXACT)


def texts_of(picture: str) -> list[str]:
    """The words of a picture, as they stand on the screen."""
    return re.findall(r">([^<]*)</text>", picture)


async def test_an_unfolded_form_leaves_no_rags_of_the_view_beside_it(open_bench: OpenBench) -> None:
    async with open_bench(EXACT, SMALL) as bench:
        await bench.press("f")
        for columns, wanted in ((80, 27), (40, 40)):
            await bench.resize((columns, 24))
            assert bench.form.outer_size.width == wanted
