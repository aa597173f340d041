"""What shows the way: the first start, the keys of the place, previews, numbers to be set, ticks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.driver import MEDIUM, SMALL, LooksAsStored, OpenBench
from tests.specs import EXACT
from tui.analysis.study import Study
from tui.fusion.grammar.branch_text import parse_branches
from tui.terminal.colour_depth import ColourDepth
from tui.views.mistakes.mistake_list import NAMES
from tui.views.mistakes.view import MistakesView
from tui.views.steps.view import StepsView

Size = tuple[int, int]
both_sizes = pytest.mark.parametrize("size", [SMALL, MEDIUM], ids=["80x24", "120x36"])
in_both_sizes = pytest.mark.sizes(SMALL, MEDIUM)


@in_both_sizes
async def test_the_first_start(open_bench: OpenBench, looks_as_stored: LooksAsStored, tmp_path: Path) -> None:
    (tmp_path / "settings.json").unlink()
    async with open_bench(EXACT) as bench:
        await looks_as_stored(bench)


@pytest.mark.parametrize("depth", [ColourDepth.FULL, ColourDepth.EIGHT_BIT], ids=["full", "256"])
@pytest.mark.parametrize("theme", ["dark", "light"])
@both_sizes
async def test_a_preview(
    open_bench: OpenBench, looks_as_stored: LooksAsStored, size: Size, theme: str, depth: ColourDepth
) -> None:
    async with open_bench(EXACT, size, depth=depth) as bench:
        await bench.press(*(["t"] if theme == "light" else []), "6")
        view = bench.app.bench.query_one(MistakesView)
        view.gallery.highlighted = NAMES.index("identity-off-centre")
        await bench.until(lambda: isinstance(bench.app.preview, Study))
        await looks_as_stored(bench)


@in_both_sizes
async def test_the_numbers_of_a_step(open_bench: OpenBench, looks_as_stored: LooksAsStored) -> None:
    spec = replace(EXACT, branches=parse_branches("1x1-kxk+inner,identity"))
    async with open_bench(spec) as bench:
        await bench.press("2")
        view = bench.app.bench.query_one(StepsView)
        await bench.until(lambda: view.step is not None, "the steps")
        view.grids.equation.focus()
        await bench.press("enter")
        await looks_as_stored(bench)


@in_both_sizes
async def test_the_ticks_of_a_branch(open_bench: OpenBench, looks_as_stored: LooksAsStored) -> None:
    async with open_bench(EXACT) as bench:
        await bench.press("a", *"1x1-kxk+norm", "tab", "tab", "down", "space")
        await looks_as_stored(bench)
