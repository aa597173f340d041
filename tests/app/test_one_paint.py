"""What a key changes is painted once, when all of it is known, and nothing else is painted with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import pytest
from textual._compositor import Compositor, ReflowResult
from textual.css.stylesheet import Stylesheet
from textual.dom import DOMNode
from textual.geometry import Region, Size
from textual.screen import Screen
from textual.widget import Widget

from tests.driver import MEDIUM, SMALL, Bench, OpenBench
from tests.settle import settle
from tests.specs import EXACT
from tui.analysis.progress import Doing
from tui.views.shared.result import ResultView
from tui.widgets.form.value_input import ValueInput
from tui.widgets.word_row import WordRow

pytestmark = pytest.mark.painted


def answered(bench: Bench) -> bool:
    """Whether the view in sight has been told all that it wants to know."""
    question = bench.app.bench.view.QUESTION
    return question is None or not isinstance(bench.app.answers.to(question), Doing | None)


@contextmanager
def paints(patch: pytest.MonkeyPatch) -> Iterator[list[Region]]:
    """The regions of the screen that are painted meanwhile: of each paint the smallest that holds it all."""
    painted: list[Region] = []
    paint = Screen._compositor_refresh

    def note(screen: Screen[object]) -> None:
        regions = screen._compositor._dirty_regions
        if regions:
            painted.append(Region.from_union(list(regions)))
        paint(screen)

    with patch.context() as patched:
        patched.setattr(Screen, "_compositor_refresh", note)
        yield painted


@contextmanager
def layouts(patch: pytest.MonkeyPatch) -> Iterator[list[Size]]:
    """The sizes for which the screen is laid out meanwhile."""
    counted: list[Size] = []
    reflow = Compositor.reflow

    def note(compositor: Compositor, parent: Widget, size: Size) -> ReflowResult:
        counted.append(size)
        return reflow(compositor, parent, size)

    with patch.context() as patched:
        patched.setattr(Compositor, "reflow", note)
        yield counted


async def test_a_change_of_focus_paints_two_grids(
    open_bench: OpenBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_bench(EXACT) as bench:
        await bench.go_to_fused()
        await bench.press("shift+tab", "shift+tab")
        inside = bench.app.bench.query_one("#panels").region
        for key in ("tab", "shift+tab"):
            with paints(monkeypatch) as painted:
                await bench.press(key)
            assert painted
            assert all(inside.contains_region(region) for region in painted)


async def test_a_view_seen_before_takes_one_layout(
    open_bench: OpenBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_bench(EXACT) as bench:
        for digit in "23461":
            await bench.press(digit)
            await bench.until(lambda: answered(bench))
        with layouts(monkeypatch) as counted:
            for digit in "2346":
                for there in (digit, "1"):
                    counted.clear()
                    await bench.press(there)
                    assert len(counted) == 1, digit


async def test_opening_lays_the_screen_out_once_for_each_thing_that_comes(
    open_bench: OpenBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    with layouts(monkeypatch) as counted:
        async with open_bench(EXACT):
            pass
    # the screen, the grids in it, the kernels, the result, its legend; it was ten
    assert len(counted) <= 6


async def test_what_is_being_run_is_told_without_a_layout(
    open_bench: OpenBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_bench(EXACT) as bench:
        result = bench.app.bench.query_one(ResultView)
        result.doing = "running the branches"
        await settle(bench.pilot)
        with layouts(monkeypatch) as counted:
            result.doing = "running the fused convolution"
            await settle(bench.pilot)
        assert not counted


@contextmanager
def styled(patch: pytest.MonkeyPatch) -> Iterator[list[list[DOMNode]]]:
    """The widgets that are styled anew meanwhile, those of one change in one list."""
    noted: list[list[DOMNode]] = []
    update_nodes = Stylesheet.update_nodes

    def note(sheet: Stylesheet, nodes: Iterable[DOMNode], animate: bool = False) -> None:
        noted.append(list(nodes))
        update_nodes(sheet, noted[-1], animate)

    with patch.context() as patched:
        patched.setattr(Stylesheet, "update_nodes", note)
        yield noted


async def test_who_goes_to_the_form_and_back_or_to_the_biases_has_nothing_else_styled_anew(
    open_bench: OpenBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_bench(EXACT) as bench:
        for keys in (("f", "escape"), ("b", "b")):
            with styled(monkeypatch) as anew:
                await bench.press(*keys)
            assert anew
            assert max(map(len, anew)) <= 4, anew


async def test_another_size_one_grid_and_the_help_style_each_widget_once(
    open_bench: OpenBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_bench(EXACT) as bench:
        with styled(monkeypatch) as anew:
            await bench.resize(SMALL)
        assert [bench.form in nodes for nodes in anew].count(True) == 1
        for size in (MEDIUM, SMALL, MEDIUM):
            await bench.resize(size)
        first = next(iter(bench.form.query(ValueInput)))
        with styled(monkeypatch) as anew:
            await bench.press("m")
        assert not bench.form.display
        assert not any(first in nodes for nodes in anew)
        with styled(monkeypatch) as anew:
            await bench.press("question_mark")
        assert bench.app.screen.query(WordRow)
        assert not any(isinstance(node, WordRow) for nodes in anew for node in nodes)
