"""The view of the steps as it looks, with numbers that are the same on every machine."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.driver import LARGE, MEDIUM, SMALL, Bench, LooksAsStored, OpenBench
from tests.specs import EXACT, ROUNDED
from tui.fusion.grammar.branch_text import parse_branches
from tui.running.run_state import Idle
from tui.views.shared.study_view import StudyView
from tui.views.steps.view import StepsView

SEQUENCE = replace(EXACT, branches=parse_branches("kxk+norm,identity,1x1-kxk+inner+idconv-bias"))
SEVEN = replace(
    EXACT,
    in_channels=8,
    out_channels=8,
    branches=parse_branches("kxk,kxk-bias,1x1,identity,5x5+g4,3x3d2+g2,1x1-kxk-bias"),
)
every_size = pytest.mark.parametrize("size", [SMALL, MEDIUM, LARGE], ids=lambda size: f"{size[0]}x{size[1]}")


async def open_steps(bench: Bench) -> StepsView:
    await bench.press("2")
    view = bench.app.bench.query_one(StepsView)
    await bench.until(lambda: view.step is not None, "the steps")
    return view


@every_size
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


@every_size
async def test_steps_of_the_block(
    open_bench: OpenBench, looks_as_stored: LooksAsStored, size: tuple[int, int]
) -> None:
    """The 1×1 padded, the kernels added, the biases added, both sides run; and the kernels added wrongly."""
    async with open_bench(ROUNDED, size) as bench:
        view = await open_steps(bench)
        await bench.press("n")
        await looks_as_stored(bench)
        await bench.press("n", "n")
        for _ in range(3):
            await looks_as_stored(bench)
            await bench.press("n")
        await bench.press("N", "N")
        right = view.step
        bench.app.bench.view.post_message(StudyView.MistakeChosen("identity-off-centre"))
        await bench.until(lambda: view.step is not right, "the wrong fusion")
        await bench.reach(Idle)
        await looks_as_stored(bench)


async def test_steps_on_a_light_ground(open_bench: OpenBench, looks_as_stored: LooksAsStored) -> None:
    """The kernels added and both sides run."""
    async with open_bench(ROUNDED, MEDIUM) as bench:
        await bench.press("t")
        await open_steps(bench)
        await bench.press("n", "n", "n")
        await looks_as_stored(bench)
        await bench.press("n", "n")
        await looks_as_stored(bench)


@every_size
async def test_a_sum_of_many_branches(
    open_bench: OpenBench, looks_as_stored: LooksAsStored, size: tuple[int, int]
) -> None:
    """Its kernels, and its biases in the middle of the channels."""
    async with open_bench(SEVEN, size) as bench:
        view = await open_steps(bench)
        assert bench.app.study is not None
        assert bench.app.study.comparison.max_abs_diff == 0, "its figures differ between machines"
        while view.step is not None and view.step.title != "kernels added":
            await bench.press("n")
        view.grids.equation.focus()
        await bench.press(*["pagedown"] * 5)
        await looks_as_stored(bench)
        await bench.press("n")
        await looks_as_stored(bench)


async def test_a_step_half_played(
    open_bench: OpenBench, looks_as_stored: LooksAsStored, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five taps of the sum are there."""
    monkeypatch.setattr("tui.views.steps.view.SECONDS_A_TICK", 3600.0)
    async with open_bench(EXACT, MEDIUM) as bench:
        bench.app.animation_level = "full"
        view = await open_steps(bench)
        await bench.press("n", "n", "n", "space")
        for _ in range(4):
            view.tick()
        await looks_as_stored(bench)
