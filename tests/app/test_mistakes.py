"""The gallery on the bench: a mistake is chosen, shown, found again, and taken back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NoReturn

import pytest

from tests.driver import Bench, OpenBench
from tests.held_study import HeldStudy
from tests.settle import settle
from tests.specs import EXACT, only_first_branch
from tui.analysis.alterations.alterations import Alterations
from tui.analysis.alterations.gallery import MISTAKES
from tui.analysis.likeness.found import Likenesses
from tui.analysis.numerics.pixel import Pixel
from tui.analysis.progress import Doing, Failed
from tui.analysis.study import Study
from tui.fusion.presets import PRESETS
from tui.fusion.specs.block_spec import BlockSpec
from tui.running.run_state import Idle
from tui.views.mistakes.view import MistakesView
from tui.widgets.foot import Foot

GROUPED = replace(EXACT, in_channels=4, out_channels=4, groups=2)


def view_of(bench: Bench) -> MistakesView:
    return bench.app.bench.query_one(MistakesView)


def mistake_of(bench: Bench) -> str:
    assert bench.app.study is not None
    return bench.app.study.alterations.mistake


async def make(bench: Bench, name: str) -> None:
    """Choose the mistake, and wait for all that the view says about it."""
    view_of(bench).gallery.go_to(name)
    await bench.press("enter")
    await bench.until(lambda: mistake_of(bench) == name, name)
    await found(bench)


async def found(bench: Bench) -> None:
    """Wait till it is known what the difference looks like, or why not."""
    await bench.until(lambda: isinstance(bench.app.answers.likeness, Likenesses | Failed), "an answer")


async def test_a_mistake_is_made_shown_found_and_taken_back(open_bench: OpenBench) -> None:
    async with open_bench(GROUPED) as bench:
        await bench.press("6")
        view = view_of(bench)
        await bench.press("j", "down")
        assert view.gallery.name_under_cursor == "1x1-off-centre"
        assert "enter makes it" in bench.text("#mistake-words")
        assert mistake_of(bench) == ""

        await make(bench, "identity-column")
        assert "●\N{NO-BREAK SPACE}made" in bench.text("#mistake-words")
        assert "looks like  identity at column i, groups forgotten, exactly" in bench.text(
            "#mistake-findings"
        )
        assert "only in out 2 to 3" in bench.text("#mistake-findings")
        assert view.pixel is not None
        assert view.pixel.channel in (2, 3)  # the first group's channels show nothing

        source = view.error_map.source
        assert source is not None
        assert bench.app.study is not None
        here = source.at(0, 0, view.pixel.row, view.pixel.column)
        assert abs(here) == bench.app.study.comparison.max_abs_diff

        await bench.press("u")
        await bench.until(lambda: mistake_of(bench) == "")
        assert view.gallery.name_under_cursor == ""
        assert bench.text("#mistake-findings") == "where  nowhere beyond rounding"
        await bench.press("U")
        await bench.until(lambda: mistake_of(bench) == "identity-column")
        assert view.gallery.name_under_cursor == "identity-column"


async def test_both_of_two_mistakes_at_once_are_marked(open_bench: OpenBench) -> None:
    async with open_bench(EXACT, alterations=only_first_branch(EXACT)) as bench:
        await bench.press("6")
        await found(bench)
        gallery = view_of(bench).gallery
        prompts = (str(option.prompt) for option in gallery.options)
        assert [words for words in prompts if words.startswith("≈")] == [
            "≈ 1×1 missing",
            "≈ identity missing",
        ]


async def test_the_map_is_walked_through_in_all_channels(open_bench: OpenBench) -> None:
    async with open_bench(GROUPED) as bench:
        await bench.press("6")
        await make(bench, "identity-twice")
        view = view_of(bench)
        bench.views.pixel = Pixel(0, 0, 4, 4)
        await bench.press("right", "l", "left")
        assert view.pixel == Pixel(0, 1, 4, 4)
        first = view.error_map.source
        await bench.press("tab", "down", "right", "pagedown", "pagedown", "pagedown")
        assert view.pixel == Pixel(0, 3, 5, 5)
        assert view.error_map.cursor[2:] == (5, 5)
        assert view.error_map.source is not first
        assert "out 3 (5,5)" in str(view.query_one("#mistake-evidence").border_title)


async def test_a_mistake_that_can_not_be_made_is_not_and_one_that_can_not_stay_goes(
    open_bench: OpenBench,
) -> None:
    async with open_bench(GROUPED) as bench:
        await bench.press("6")
        view_of(bench).gallery.go_to("mean-ignored")
        await bench.press("enter")
        assert "the block has no batch norm" in bench.text("#mistake-words")
        assert mistake_of(bench) == ""

        await make(bench, "identity-column")
        await bench.enter("groups", "1")
        await bench.until(lambda: bench.app.study is not None and bench.app.study.spec.groups == 1)
        assert mistake_of(bench) == ""
        assert bench.app.study is not None
        assert bench.app.study.verdict.ruling.agrees


async def test_an_answer_that_can_not_be_found_says_why(
    open_bench: OpenBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Study) -> Iterator[Doing]:
        yield Doing("trying")
        no_memory()

    def no_memory() -> NoReturn:
        raise RuntimeError("no [/] memory")

    monkeypatch.setattr("tui.analysis.likeness.likeness.likenesses", fail)
    async with open_bench(BlockSpec()) as bench:
        await bench.press("6")
        await make(bench, "flipped")
        assert bench.text("#mistake-findings") == "looks like  not found out: no [/] memory"


@pytest.mark.parametrize("view", ["3", "4", "6"])
async def test_a_pixel_of_a_larger_output_is_never_drawn_on_an_older_study(
    open_bench: OpenBench, view: str
) -> None:
    """Of one pixel, and wrong; then of 24 x 24, and back, and forth."""
    spec = replace(PRESETS["repvgg"].spec.with_in_channels(2), input_shape=(1, 1))
    async with open_bench(spec, alterations=Alterations(mistake="flipped")) as bench:
        await bench.press(view)
        await bench.enter("input_shape", "24")
        await bench.reach(Idle)
        await bench.press("escape")
        await bench.burst("u", "u", "U", "U")
        await bench.reach(Idle)
        assert bench.views.pixel is not None
        assert bench.app.study is not None
        assert bench.views.pixel.inside(bench.app.study.spec.output_nchw)


async def previewed(bench: Bench, name: str) -> Study:
    """Put the cursor on a mistake, and wait for its preview."""
    view_of(bench).gallery.go_to(name)
    await bench.until(
        lambda: isinstance(bench.app.preview, Study) and bench.app.preview.alterations.mistake == name, name
    )
    assert isinstance(bench.app.preview, Study)
    return bench.app.preview


async def test_the_cursor_shows_a_preview_and_changes_nothing(open_bench: OpenBench) -> None:
    async with open_bench(GROUPED) as bench:
        await bench.press("6")
        view, study, pixel = view_of(bench), bench.app.study, bench.views.pixel
        for name in ("identity-missing", "flipped"):
            preview = await previewed(bench, name)
            title = str(view.query_one("#mistake-evidence").border_title)
            assert f"preview of {MISTAKES[name].title}" in title
            assert bench.text("#mistake-findings").startswith("preview  wrong  max |d| ")
            source, (_, _, row, column) = view.error_map.source, preview.comparison.worst
            assert source is not None
            assert abs(source.at(0, 0, row, column)) == preview.comparison.max_abs_diff
        assert bench.app.study is study
        assert bench.views.pixel == pixel
        assert bench.text("#difference").startswith("exact")
        await bench.press("u")
        assert bench.app.study is study, "there is nothing to undo"
        assert view.gallery.name_under_cursor == "flipped"

        await bench.press("enter")
        await bench.until(lambda: mistake_of(bench) == "flipped")
        assert bench.app.preview is None
        assert "preview" not in str(view.query_one("#mistake-evidence").border_title)
        await bench.press("u")
        await bench.until(lambda: mistake_of(bench) == "")


async def test_channels_of_the_preview_are_its_own(open_bench: OpenBench) -> None:
    async with open_bench(GROUPED) as bench:
        await bench.press("6")
        pixel = bench.views.pixel
        preview = await previewed(bench, "identity-missing")
        channel = preview.comparison.worst[1]
        step, key = (1, "right") if channel == 0 else (-1, "left")
        await bench.press(key)
        assert f"out {channel + step} (" in str(view_of(bench).query_one("#mistake-evidence").border_title)
        assert bench.views.pixel == pixel


async def test_the_next_move_ends_a_preview_and_leaving_the_view_too(
    open_bench: OpenBench, held: HeldStudy
) -> None:
    async with open_bench(GROUPED, study=held, reach=Doing) as bench:
        held.let_all_go()
        await bench.reach(Idle)
        await bench.press("6")
        count = len(held.runs)
        await bench.press("down")
        await bench.until(lambda: len(held.runs) == count + 1)
        await bench.press("down")
        await bench.until(lambda: len(held.runs) == count + 2)
        groups = [worker for worker in bench.app.workers if worker.group == "preview"]
        assert sum(worker.is_running for worker in groups) == 1
        await bench.press("1")
        assert not any(worker.is_running for worker in bench.app.workers if worker.group == "preview")
        assert bench.app.preview is None


async def test_a_costly_block_has_no_preview_and_says_so(
    open_bench: OpenBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_bench(GROUPED) as bench:
        await bench.press("6")
        monkeypatch.setattr("tui.analysis.estimate.Estimate.must_be_asked_for", True)
        await bench.press("down")
        assert bench.text("#mistake-findings").startswith("preview  none: this block takes too long")


@pytest.mark.parametrize("size", [(60, 20), (40, 12)])
async def test_a_narrow_foot_still_says_how_a_mistake_is_made(
    open_bench: OpenBench, size: tuple[int, int]
) -> None:
    async with open_bench(GROUPED, size) as bench:
        await bench.press("6", "down")
        await bench.until(lambda: view_of(bench).gallery.has_focus)
        await settle(bench.pilot)
        assert "enter make it" in str(bench.app.bench.query_one(Foot).render())
