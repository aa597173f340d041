"""The view of the steps as it looks, with numbers that are the same on every machine."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.driver import MEDIUM, SMALL, Bench, LooksAsStored, OpenBench
from tests.specs import EXACT, ROUNDED
from tui.fusion.branch_text import parse_branches
from tui.run_state import Idle
from tui.views.shared.study_view import StudyView
from tui.views.steps.view import StepsView

SEQUENCE = replace(EXACT, branches=parse_branches("kxk+norm,identity,1x1-kxk+inner+idconv-bias"))
both_sizes = pytest.mark.parametrize("size", [SMALL, MEDIUM], ids=lambda size: f"{size[0]}x{size[1]}")


async def open_steps(bench: Bench) -> StepsView:
    await bench.press("2")
    view = bench.app.bench.query_one(StepsView)
    await bench.until(lambda: view.step is not None, "the steps")
    return view


@both_sizes
async def test_steps_of_branches(
    open_bench: OpenBench, looks_as_stored: LooksAsStored, size: tuple[int, int]
) -> None:
    """The batch norm folded, the identity as a kernel, the sequence composed."""
    async with open_bench(SEQUENCE, size) as bench:
        view = await open_steps(bench)
        assert bench.app.study is not None
        assert bench.app.study.comparison.max_abs_diff == 0, "its figures differ between machines"
        await looks_as_stored(bench)
        await bench.press("n")
        await looks_as_stored(bench)
        while view.step is not None and view.step.title != "composed":
            await bench.press("n")
        await looks_as_stored(bench)


@both_sizes
async def test_steps_of_the_block(
    open_bench: OpenBench, looks_as_stored: LooksAsStored, size: tuple[int, int]
) -> None:
    """The kernels added, both sides run; and the kernels added wrongly."""
    async with open_bench(ROUNDED, size) as bench:
        view = await open_steps(bench)
        await bench.press("n", "n", "n")
        await looks_as_stored(bench)
        await bench.press("n", "n")
        await looks_as_stored(bench)
        await bench.press("N", "N")
        right = view.step
        bench.app.bench.view.post_message(StudyView.MistakeChosen("identity-off-centre"))
        await bench.until(lambda: view.step is not right, "the wrong fusion")
        await bench.reach(Idle)
        await looks_as_stored(bench)
