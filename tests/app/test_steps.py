"""The view of the steps: forth and back, the list, the cursor, the way there, waiting and failing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from textual.widgets import Static

from tests.driver import SMALL, Bench, OpenBench
from tests.specs import EXACT, exact_preset
from tui.analysis.inquiry import Answers
from tui.analysis.progress import Doing
from tui.fusion.tap import Tap
from tui.views.steps.step_list import StepList
from tui.views.steps.view import StepsView


def steps(bench: Bench) -> StepsView:
    return bench.app.bench.query_one(StepsView)


def text(bench: Bench, name: str) -> str:
    return str(steps(bench).query_one(f"#step-{name}", Static).content)


async def open_steps(bench: Bench, *keys: str) -> None:
    await bench.press("2")
    await bench.until(lambda: steps(bench).step is not None, "the steps")
    await bench.press(*keys)


async def test_forth_and_back_where_there_is_no_room_for_a_list(open_bench: OpenBench) -> None:
    async with open_bench(EXACT, SMALL) as bench:
        await open_steps(bench)
        assert text(bench, "place").startswith("1 of 6   kxk")
        await bench.press("n", "space")
        assert text(bench, "place").startswith("3 of 6   identity")
        assert "Dirac" in text(bench, "words")
        await bench.press("N")
        assert text(bench, "place").startswith("2 of 6   1x1")
        await bench.press("backspace", "backspace")
        assert text(bench, "place").startswith("1 of 6")
        await bench.press(*"nnnnnn", "right")
        assert text(bench, "place") == "6 of 6   the block   both sides run"
        assert text(bench, "check").startswith("✓ holds")
        await bench.until(lambda: steps(bench).cursor == Tap(0, 0, 1, 2), "the arrows move the cursor")
        await bench.press("N")
        assert not steps(bench).grids.after.grid.show_horizontal_scrollbar


async def test_the_list_and_the_cursor(open_bench: OpenBench) -> None:
    async with open_bench(EXACT.with_branches(batch_norm=True)) as bench:
        await open_steps(bench, "end")
        view = steps(bench)
        assert text(bench, "place").startswith("8 of 8")
        await bench.press("home", "down", "n")
        assert view.query_one(StepList).highlighted_option is not None
        assert text(bench, "place").startswith("3 of 8   1x1   batch norm folded")
        await bench.press("tab", "right", "pagedown")
        await bench.until(lambda: view.cursor == Tap(1, 0, 1, 2), "two steps")
        assert view.cursor == view.grids.before_panels[0].grid.cursor == Tap(1, 0, 1, 2)
        assert "weight[1,0,1,2] 0 × scale " in text(bench, "operation")
        await bench.press("left")
        await bench.until(lambda: view.cursor == Tap(1, 0, 1, 1), "a step back")
        assert view.step is not None
        weight = view.step.after.at(view.cursor)
        assert weight != 0
        assert float(text(bench, "operation").splitlines()[1].split()[-1]) == pytest.approx(weight, abs=1e-4)
        await bench.press("z", "minus")
        zooms = {panel.grid.zoom for panel in (view.grids.after, view.grids.before_panels[0])}
        assert len(zooms) == 1


async def test_a_branch_opens_at_its_first_step_and_the_fused_kernel_at_the_sum(
    open_bench: OpenBench,
) -> None:
    async with open_bench(exact_preset("dbb")) as bench:
        for place, title in ((2, "inner norm folded"), (3, "identity added"), (-1, "kernels added")):
            await bench.press("1")
            bench.grids[place].focus()
            await bench.press("s")
            await bench.until(lambda: steps(bench).step is not None, "the steps")
            step = steps(bench).step
            assert step is not None
            assert step.title == title
        await bench.press("n", "3", "s")
        assert bench.app.bench.view is steps(bench)
        assert "biases added" in text(bench, "place"), "it opens where it was"


async def test_the_step_stays_when_the_block_changes(open_bench: OpenBench) -> None:
    async with open_bench(EXACT) as bench:
        await open_steps(bench, "n", "n", "n")
        old = steps(bench).step
        bench.app.bench.show_spec(replace(EXACT, seed=3))
        await bench.until(lambda: steps(bench).step is not old, "the new steps")
        assert text(bench, "place").startswith("4 of 6")
        bench.app.bench.show_spec(replace(EXACT, branches=EXACT.branches[:1]))
        await bench.until(lambda: "of 2" in text(bench, "place"), "fewer steps")
        assert text(bench, "place").startswith("2 of 2")
        bench.app.bench.show_spec(replace(EXACT, branches=EXACT.branches[1:] * 4))
        await bench.until(lambda: "of 11" in text(bench, "place"), "many steps")
        await bench.press("end", "up", "up")
        panels = [panel for panel in steps(bench).grids.before_panels if panel.display]
        assert str(panels[-1].border_subtitle) == "and 2 more"
        assert (len(panels), text(bench, "operation").count("identity #")) == (6, 4)
        await bench.press("home")
        assert not any(panel.display for panel in steps(bench).grids.before_panels)


async def test_waiting_and_failing_are_said(open_bench: OpenBench, monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(*_: Any) -> Iterator[Doing]:
        yield Doing("checking the steps of kxk")
        raise RuntimeError("no [/] memory\nframe #0")

    monkeypatch.setattr("tui.app.deferred_answer", answer)
    async with open_bench(EXACT) as bench:
        await bench.press("2")
        await bench.until(lambda: "could not" in text(bench, "place"), "the error")
        assert text(bench, "place") == "The steps could not be checked: no [/] memory"
        assert not steps(bench).grids.display
        bench.app.answers = Answers()
        await bench.press("n")
        assert text(bench, "place") == "looking closer …"
