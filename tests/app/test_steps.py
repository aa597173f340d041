"""The view of the steps: forth and back, the list, the cursor, the way there, waiting and failing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from textual.geometry import Region
from textual.widgets import Static

from tests.driver import SMALL, Bench, OpenBench
from tests.specs import EXACT, exact_preset
from tui.analysis.inquiry import Answers
from tui.analysis.progress import Doing
from tui.fusion.tap import Tap
from tui.views.steps.step_list import StepList
from tui.views.steps.view import StepsView
from tui.widgets.grid.number_format import cell_text


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
        await bench.press("n", "n")
        assert text(bench, "place").startswith("3 of 6   identity")
        assert "Dirac" in text(bench, "words")
        await bench.press("N")
        assert text(bench, "place").startswith("2 of 6   1x1")
        await bench.press("backspace", "backspace")
        assert text(bench, "place").startswith("1 of 6")
        await bench.press(*"nnn", "right")
        await bench.until(lambda: steps(bench).cursor == Tap(0, 0, 1, 2), "the arrows move the cursor")
        await bench.press(*"nnn")
        assert text(bench, "place") == "6 of 6   the block   both sides run"
        assert text(bench, "check").startswith("✓ holds")
        assert not steps(bench).grids.equation.show_horizontal_scrollbar


async def test_the_colours_by_the_maximum_and_back(open_bench: OpenBench) -> None:
    async with open_bench(EXACT) as bench:
        await open_steps(bench)
        view = steps(bench)
        first = view.legend
        assert first.endswith("(3 rms, shared)")
        await bench.press("c")
        assert view.legend.endswith("(maximum, shared)")
        assert bench.text("#legend").endswith("(maximum, shared)")
        await bench.press("c")
        assert view.legend == first


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
        assert view.grids.equation.cursor == Tap(1, 0, 1, 2)
        assert "weight[1,0,1,2] 0 × scale " in text(bench, "operation")
        await bench.press("left")
        await bench.until(lambda: view.cursor == Tap(1, 0, 1, 1), "a step back")
        assert view.step is not None
        weight = view.step.after.at(view.cursor)
        assert weight != 0
        assert float(text(bench, "operation").splitlines()[1].split()[-1]) == pytest.approx(weight, abs=1e-4)
        equation = view.grids.equation
        fitting = equation.cell_in_effect
        assert fitting is not None
        await bench.press("minus")
        assert equation.cell_in_effect == equation.cell == fitting.farther()
        await bench.press("z")
        assert equation.cell_in_effect == fitting


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
        assert [term.sign for term in steps(bench).grids.equation.terms] == ["", *"+" * 7, "="]
        assert text(bench, "operation").count("identity #") == 4
        await bench.press("n")
        assert [term.sign for term in steps(bench).grids.equation.terms] == ["", *"+" * 7, "="]


async def test_the_biases_are_a_column_sum(open_bench: OpenBench) -> None:
    async with open_bench(EXACT) as bench:
        await open_steps(bench, *"nnnn", "tab", "right", "down")
        assert text(bench, "place").endswith("biases added")
        equation = steps(bench).grids.equation
        lines = [line.text.split() for line in equation.render_lines(Region(0, 0, 60, 3))]
        study = bench.app.study
        assert study is not None
        kernels = [summand.kernel.bias for summand in (*study.summands, study.fused_kernel)]
        assert lines[0] == ["kxk", "1x1", "identity", "fused"]
        for out, line in enumerate(lines[1:]):
            signs = ["+", "+", "=", ""]
            for bias, sign in zip(kernels, signs, strict=True):
                assert line[2] == ("–" if bias is None else cell_text(float(bias[out]), 8).strip())
                assert not sign or line[3] == sign
                line = [*line[:2], *line[4:]]
        assert text(bench, "operation").startswith("bias[1]")
        await bench.press("N")
        assert steps(bench).cursor == Tap(1, 0, 1, 1), "the tap of the kernels stays"


async def test_the_cursor_of_the_last_step_is_the_element_that_all_views_look_at(
    open_bench: OpenBench,
) -> None:
    async with open_bench(EXACT) as bench:
        await open_steps(bench, "end", "tab")
        equation = steps(bench).grids.equation
        assert bench.views.pixel is not None
        assert equation.cursor == Tap(*bench.views.pixel)
        await bench.press("pagedown", "right", "down")
        await bench.until(lambda: bench.views.pixel == (0, 1, 1, 1), "the element")
        assert equation.cursor == Tap(0, 1, 1, 1)
        assert text(bench, "operation").startswith("out 1 (1,1): unfused ")
        await bench.press("N", "N")
        assert equation.cursor == Tap(0, 0, 1, 1), "the tap of the kernels stays"


@pytest.fixture
def no_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.views.steps.view.SECONDS_A_TICK", 3600.0)


def shown(bench: Bench, row: int) -> str:
    """A line of the last kernel of the equation."""
    equation = steps(bench).grids.equation
    layout = equation.layout_in_effect
    assert layout is not None
    (line,) = equation.render_lines(Region(0, row, equation.size.width, 1))
    left = equation.gutter.left + layout.lefts[-1]
    return line.text[left : left + layout.widths[-1]]


async def test_a_step_is_played_tap_by_tap(open_bench: OpenBench, no_clock: None) -> None:
    async with open_bench(EXACT) as bench:
        bench.app.animation_level = "full"
        await open_steps(bench, *"nnn")
        view = steps(bench)
        whole = [shown(bench, row) for row in (1, 2, 3)]
        before = text(bench, "operation")
        await bench.press("space")
        assert view.playing is not None
        assert shown(bench, 1).rstrip() == whole[0][:4].rstrip()
        assert not (shown(bench, 2) + shown(bench, 3)).strip()
        assert "weight[0,0,0,0]" in text(bench, "operation")
        for _ in range(4):
            view.tick()
            await bench.press()
        assert shown(bench, 1) == whole[0]
        assert shown(bench, 2).rstrip() == whole[1][:8].rstrip()
        assert view.grids.equation.cursor == Tap(0, 0, 1, 1)
        for _ in range(5):
            view.tick()
        await bench.press()
        assert view.playing is None
        assert [shown(bench, row) for row in (1, 2, 3)] == whole
        assert text(bench, "operation") == before


async def test_any_key_ends_the_play_and_does_what_it_does(open_bench: OpenBench, no_clock: None) -> None:
    keys = {"space": "4 of 6", "right": "4 of 6", "1": "4 of 6", "y": "4 of 6", "n": "5 of 6"}
    async with open_bench(EXACT) as bench:
        bench.app.animation_level = "full"
        await open_steps(bench, *"nnn", "space")
        view = steps(bench)
        for key, place in keys.items():
            assert view.playing is not None, key
            await bench.press(key)
            assert view.playing is None, key
            assert view.grids.equation.pending is None, key
            assert text(bench, "place").startswith(place), key
            await bench.press("2", "space")
        assert view.playing is not None, "it can be played again"


async def test_another_block_ends_the_play(open_bench: OpenBench, no_clock: None) -> None:
    async with open_bench(EXACT) as bench:
        bench.app.animation_level = "full"
        await open_steps(bench, *"nnn", "space")
        view = steps(bench)
        old = view.step
        bench.app.bench.show_spec(replace(EXACT, seed=3))
        await bench.until(lambda: view.step is not old, "the new steps")
        assert view.playing is None


async def test_without_animations_all_is_there_at_once(open_bench: OpenBench) -> None:
    async with open_bench(EXACT) as bench:
        await open_steps(bench, "n", "space")
        assert bench.app.animation_level == "none"
        assert steps(bench).playing is None


async def test_each_step_has_its_line_of_pytorch(open_bench: OpenBench) -> None:
    async with open_bench(EXACT) as bench:
        await open_steps(bench)
        seen = []
        for _ in range(6):
            step = steps(bench).step
            assert step is not None
            seen.append(text(bench, "code"))
            assert seen[-1] == step.code.text
            await bench.press("n")
        assert seen[3] == "w = w3 + w1 + wi"
        assert all(seen)


async def test_waiting_and_failing_are_said(open_bench: OpenBench, monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(*_: Any) -> Iterator[Doing]:
        yield Doing("checking the steps of kxk")
        raise RuntimeError("no [/] memory\nframe #0")

    monkeypatch.setattr("tui.running.studying.deferred_answer", answer)
    async with open_bench(EXACT) as bench:
        await bench.press("2")
        await bench.until(lambda: "could not" in text(bench, "place"), "the error")
        assert text(bench, "place") == "The steps could not be checked: no [/] memory"
        assert not steps(bench).grids.display
        bench.app.answers = Answers()
        await bench.press("n")
        assert text(bench, "place") == "looking closer …"
