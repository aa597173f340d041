"""Numbers are edited where they stand; everything follows, and every edit can be taken back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from textual.widgets import Input, OptionList

from tests.driver import Bench, OpenBench
from tests.held_study import HeldStudy
from tests.specs import EXACT, ROUNDED
from tui.analysis.alterations.alterations import NOTHING_ALTERED, Edit
from tui.analysis.progress import Doing
from tui.analysis.verdict.reason import Ruling
from tui.fusion.grammar.branch_text import parse_branches
from tui.fusion.grammar.number_text import number_in
from tui.fusion.named_kernels import NAMED_KERNELS
from tui.fusion.specs.block_spec import BlockSpec
from tui.fusion.tap import Tap
from tui.running.run_state import Idle
from tui.screens.dialogs.named_kernels import NamedKernelScreen
from tui.screens.dialogs.numbers import NumbersScreen
from tui.views.outputs.view import OutputsView
from tui.views.steps.view import StepsView
from tui.widgets.foot import Foot
from tui.widgets.grid.heat_grid import HeatGrid
from tui.widgets.value_prompt import ValuePrompt


async def type_in(bench: Bench, text: str, then: str = "enter") -> None:
    """Type over what the line of the edited number holds."""
    await bench.press("ctrl+u", *("slash" if letter == "/" else letter for letter in text), then)
    await bench.reach(Idle)


def weight(bench: Bench, place: int) -> float:
    """The number under the cursor in that panel."""
    source, cursor = bench.grids[place].source, bench.kernels.cursor
    assert source is not None
    assert cursor is not None
    return source.at(*cursor)


def edits(bench: Bench) -> int:
    assert bench.app.study is not None
    return len(bench.app.study.alterations.edits)


async def test_an_edited_weight_moves_the_sum_and_comes_back(open_bench: OpenBench) -> None:
    async with open_bench(EXACT) as bench:
        before = weight(bench, 0), weight(bench, 3)
        bench.grids[0].focus()
        await bench.press("enter")
        prompt = bench.app.bench.query_one(ValuePrompt)
        assert prompt.display
        await type_in(bench, "-7.5")
        assert not prompt.display
        assert bench.grids[0].has_focus
        assert (weight(bench, 0), weight(bench, 3)) == (-7.5, before[1] - before[0] - 7.5)
        assert "set by hand" in str(bench.kernels.panels[0].border_subtitle)
        await bench.press("u")
        await bench.until(lambda: edits(bench) == 0)
        assert (weight(bench, 0), weight(bench, 3)) == before
        await bench.press("U")
        await bench.until(lambda: edits(bench) == 1)
        await bench.press("delete")
        await bench.until(lambda: edits(bench) == 0)
        assert weight(bench, 0) == before[0]


async def test_escape_nonsense_and_a_reset_of_what_is_not_set_change_nothing(open_bench: OpenBench) -> None:
    async with open_bench(EXACT) as bench:
        shown = bench.app.study
        bench.grids[0].focus()
        await bench.press("enter", "x", "enter")
        assert "This is not a number" in bench.text("#prompt-hint")
        await bench.press("escape")
        assert bench.grids[0].has_focus
        assert bench.app.study is shown
        await bench.press("delete", "B")
        await type_in(bench, "")
        assert bench.app.study is shown
        bench.app.clear_notifications()
        bench.grids[2].focus()
        await bench.press("enter")
        assert not bench.app.bench.query_one(ValuePrompt).display
        (notification,) = bench.app._notifications
        assert "The identity has no weights" in notification.message


@pytest.mark.parametrize(("spec", "digits"), [(EXACT, ""), (ROUNDED, ".25e")], ids=["exact", "rounded"])
async def test_a_number_left_as_it_is_is_no_edit(open_bench: OpenBench, spec: BlockSpec, digits: str) -> None:
    """As it stood, or the same in more digits."""
    async with open_bench(spec) as bench:
        shown = bench.app.study
        for place in ("fused.weight", "fused.bias", "kxk.weight", "kxk.bias", "input"):
            if place == "input":
                await bench.press("3")
                bench.app.bench.query_one(OutputsView).query(HeatGrid).first().focus()
            else:
                bench.grids[0 if place.startswith("kxk") else 3].focus()
            await bench.press("B" if place.endswith("bias") else "enter")
            assert place in bench.text("#prompt-label")
            prompt = bench.app.bench.query_one(ValuePrompt)
            if digits:
                line = prompt.query_one(Input)
                line.value = f"{float(line.value):{digits}}"
            await bench.press("enter")
            await bench.reach(Idle)
            assert not prompt.display
            assert bench.app.study is shown, place
            assert not bench.app.bench.subject.alterations, place
            assert not any("by hand" in str(panel.border_subtitle) for panel in bench.kernels.panels)
            bench.app.clear_notifications()
            await bench.press("u")
            assert "nothing more in that direction" in [*bench.app._notifications][-1].message, place


async def test_an_edited_number_left_as_it_is_is_no_second_edit(open_bench: OpenBench) -> None:
    async with open_bench(EXACT) as bench:
        bench.grids[0].focus()
        await bench.press("enter")
        await type_in(bench, "5")
        await bench.press("B")
        await type_in(bench, "7")
        await bench.until(lambda: edits(bench) == 2)
        shown = bench.app.study
        await bench.press("enter", "enter", "enter")
        await type_in(bench, "5.00")
        assert bench.app.study is shown
        await bench.press("u")
        await bench.until(lambda: edits(bench) == 1)


async def test_the_number_before_an_edit_that_still_runs_is_another_one(
    open_bench: OpenBench, held: HeldStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_bench(EXACT) as bench:
        monkeypatch.setattr(bench.app, "_study_function", held)
        bench.grids[0].focus()
        before = weight(bench, 0)
        altered = bench.app.bench
        for text, values in (("5", [5.0]), (f"{before:.3f}", [before])):
            await bench.press("enter", "ctrl+u", *("minus" if key == "-" else key for key in text), "enter")
            assert [edit.value for edit in altered.subject.alterations.edits] == values
        await bench.press("enter", "enter")
        assert [edit.value for edit in altered.subject.alterations.edits] == [before]
        assert len(held.runs) == 2


async def test_a_kernel_by_name_and_no_second_edit_where_it_is_there_already(open_bench: OpenBench) -> None:
    async with open_bench(EXACT) as bench:
        bench.grids[0].focus()
        shown = []
        for _ in range(2):
            await bench.press("n")
            assert isinstance(bench.app.screen, NamedKernelScreen)
            options = bench.app.screen.query_one(OptionList)
            names = [option.id for option in options.options]
            assert names == list(NAMED_KERNELS)
            options.highlighted = names.index("Sobel x")
            await bench.press("a")
            await bench.reach(Idle)
            await bench.until(lambda: edits(bench) == 36)
            shown.append(bench.app.study)
        assert shown[0] is shown[1]
        source = bench.grids[0].source
        assert source is not None
        assert source.row(1, 1, 0, 2) == [[0, 0, 0], [-2, 0, 2]]
        await bench.press("u")
        await bench.until(lambda: edits(bench) == 0)


async def test_an_empty_line_brings_the_blocks_own_value_back(open_bench: OpenBench) -> None:
    async with open_bench(EXACT) as bench:
        bench.grids[0].focus()
        await bench.press("B")
        assert "kxk.bias[0]" in bench.text("#prompt-label")
        await type_in(bench, "3")
        await bench.until(lambda: edits(bench) == 1)
        await bench.press("B")
        await type_in(bench, "")
        await bench.until(lambda: edits(bench) == 0)


async def test_an_edited_fusion_is_found_out(open_bench: OpenBench) -> None:
    async with open_bench(EXACT) as bench:
        await bench.go_to_fused()
        await bench.press("enter")
        await type_in(bench, "9")
        await bench.until(lambda: edits(bench) == 1)
        assert bench.app.study is not None
        assert bench.app.study.verdict.ruling is Ruling.WRONG
        assert bench.views.pixel == bench.app.study.comparison.worst
        assert "wrong" in bench.text("#difference")


async def test_all_edits_are_dropped_at_once(open_bench: OpenBench) -> None:
    async with open_bench(EXACT) as bench:
        for place in (0, 1):
            bench.grids[place].focus()
            await bench.press("enter")
            await type_in(bench, "5")
        await bench.until(lambda: edits(bench) == 2)
        bench.app.bench.action_reset_all()
        await bench.until(lambda: edits(bench) == 0)
        assert bench.app.study is not None
        assert bench.app.study.alterations == NOTHING_ALTERED


async def test_an_edit_comes_back_with_its_channel(open_bench: OpenBench) -> None:
    async with open_bench(EXACT) as bench:
        bench.kernels.cursor = Tap(1, 1, 0, 0)
        bench.grids[0].focus()
        await bench.press("enter")
        await type_in(bench, "5")
        await bench.until(lambda: edits(bench) == 1)
        await bench.enter("in_channels", "1")
        await bench.until(lambda: edits(bench) == 0)
        await bench.enter("in_channels", "16")
        await bench.until(lambda: edits(bench) == 1)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("-0.25", -0.25),
        ("1e-3", 1e-3),
        ("1/4", 0.25),
        (" -1 / 8 ", -0.125),
        ("1/0", None),
        ("0x1", None),
        ("1e400", None),
    ],
)
def test_numbers(text: str, number: float | None) -> None:
    assert number_in(text) == number


def numbers(bench: Bench) -> list[str]:
    """The numbers that the dialog offers."""
    assert isinstance(bench.app.screen, NumbersScreen)
    return [str(option.prompt).split()[0] for option in bench.app.screen.query_one(OptionList).options]


async def in_steps(bench: Bench, title: str) -> None:
    """Stand on the sum of the first step of that title."""
    await bench.press("2")
    view = bench.app.bench.query_one(StepsView)
    await bench.until(lambda: not isinstance(bench.app.answers.walkthrough, Doing | None), "the steps")
    while view.step is not None and view.step.title != title:
        await bench.press("n")
    view.grids.equation.focus()
    await bench.until(lambda: view.grids.equation.has_focus)


async def test_the_numbers_of_a_batch_norm_are_set_in_its_step(open_bench: OpenBench) -> None:
    async with open_bench(EXACT.with_branches(batch_norm=True)) as bench:
        await in_steps(bench, "batch norm folded")
        assert "enter set number" in [key.text for key in bench.app.bench.query_one(Foot).here]
        await bench.press("enter")
        assert numbers(bench) == [
            "kxk.weight[0,0,1,1]",
            "kxk.bias[0]",
            *(f"kxk.norm.{part}[0]" for part in ("gamma", "beta", "mean", "var", "eps")),
        ]
        await bench.press("end", "up", "enter")
        assert "kxk.norm.var[0]" in bench.text("#prompt-label")
        await bench.press("ctrl+u", *"-1", "enter")
        assert "cannot be negative" in bench.text("#prompt-hint")
        assert bench.app.bench.query_one(ValuePrompt).display
        await type_in(bench, "2")
        await bench.until(lambda: edits(bench) == 1)
        assert bench.app.study is not None
        assert bench.app.study.alterations.edits == (Edit("kxk.norm.var", (0,), 2.0),)
        assert bench.app.study.verdict.ruling.agrees
        await bench.press("u")
        await bench.until(lambda: edits(bench) == 0)
        await bench.press("U")
        await bench.until(lambda: edits(bench) == 1)
        await in_steps(bench, "batch norm folded")
        await bench.press("delete")
        await bench.until(lambda: edits(bench) == 0)


async def test_both_layers_of_a_sequence_are_set_in_the_step_that_multiplies_them(
    open_bench: OpenBench,
) -> None:
    spec = replace(EXACT, branches=parse_branches("1x1-kxk,identity"))
    async with open_bench(spec) as bench:
        await bench.press("enter")
        assert "s shows its steps" in [note.message for note in bench.app._notifications][-1]
        await in_steps(bench, "composed")
        await bench.press("enter")
        assert numbers(bench)[:4] == [
            "1x1-kxk.first.weight[0,0,0,0]",
            "1x1-kxk.weight[0,0,1,1]",
            "1x1-kxk.first.weight[1,0,0,0]",
            "1x1-kxk.weight[0,1,1,1]",
        ]
        await bench.press("down", "down", "enter")
        await type_in(bench, "5")
        await bench.until(lambda: edits(bench) == 1)
        assert bench.app.study is not None
        assert bench.app.study.alterations.edits == (Edit("1x1-kxk.first.weight", (1, 0, 0, 0), 5.0),)
        assert bench.app.study.verdict.ruling.agrees


async def test_a_step_without_numbers_of_the_block_says_so(open_bench: OpenBench) -> None:
    async with open_bench(EXACT) as bench:
        await in_steps(bench, "identity to 3×3")
        await bench.press("enter", "B")
        said = [note.message for note in bench.app._notifications]
        assert any("No number of the block stands there" in words for words in said)
        assert any("enter offers the biases too" in words for words in said)
        assert edits(bench) == 0
