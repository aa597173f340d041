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

in_both_sizes = pytest.mark.sizes(SMALL, MEDIUM)


@in_both_sizes
async def test_the_first_start(open_bench: OpenBench, looks_as_stored: LooksAsStored, tmp_path: Path) -> None:
    (tmp_path / "settings.json").unlink()
    async with open_bench(EXACT) as bench:
        await looks_as_stored(bench)


async def test_a_preview(open_bench: OpenBench, looks_as_stored: LooksAsStored) -> None:
    for colours, depth in {"full": ColourDepth.FULL, "256": ColourDepth.EIGHT_BIT}.items():
        async with open_bench(EXACT, SMALL, depth=depth) as bench:
            await bench.press("6")
            view = bench.app.bench.query_one(MistakesView)
            view.gallery.highlighted = NAMES.index("identity-off-centre")
            await bench.until(lambda: isinstance(bench.app.preview, Study))
            for width, height in (SMALL, MEDIUM):
                await bench.resize((width, height))
                for theme in ("dark", "light"):
                    await looks_as_stored(bench, f"{width}x{height}-{theme}-{colours}")
                    await bench.press("t")


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
