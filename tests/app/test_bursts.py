"""Keys that come faster than they are handled: each does what it would have done by itself."""

from __future__ import annotations

from dataclasses import replace

import pytest
from textual.widgets import Input, OptionList

from tests.app.test_sweep import injected
from tests.driver import Bench, OpenBench
from tests.specs import EXACT
from tui.fusion.presets import PRESETS
from tui.screens.dialogs.branch import BranchScreen
from tui.screens.dialogs.export import ExportScreen
from tui.screens.dialogs.named_kernels import NamedKernelScreen
from tui.screens.dialogs.numbers import NumbersScreen
from tui.screens.dialogs.presets import PresetScreen
from tui.views.steps.view import StepsView
from tui.widgets.form.value_input import ValueInput

pytestmark = pytest.mark.painted
SMALL_REPVGG = replace(PRESETS["repvgg"].spec.with_in_channels(4), input_shape=(56, 56))


async def field(bench: Bench, name: str) -> ValueInput:
    """A field of the form, in focus."""
    bench.app.bench.action_form()
    control = bench.form.query_one(f"#{name}", ValueInput)
    control.focus()
    await bench.picture()
    return control


BURSTS_INTO_A_FIELD = (
    (("ctrl+u", "4", "7", "1", "1"), "4711"),
    (("end", "backspace", "4", "7", "1", "1"), "56x54711"),
    (("ctrl+u", "4", "7", "left", "1", "1"), "4117"),
    (("4", "7", "left", "1", "1"), "4117"),
    (("home", "delete", "1", "right", "2"), "162x56"),
)


async def test_a_burst_into_a_field(open_bench: OpenBench) -> None:
    async with open_bench(SMALL_REPVGG) as bench:
        for keys, value in BURSTS_INTO_A_FIELD:
            size = await field(bench, "input_shape")
            assert size.value == "56x56"
            await bench.burst(*keys)
            assert size.value == value, keys
            await bench.burst("end", "ctrl+u", *"56x56", "escape")


async def test_a_burst_across_fields_and_out_of_the_form_into_another_view(open_bench: OpenBench) -> None:
    async with open_bench(EXACT) as bench:
        channels = await field(bench, "in_channels")
        await bench.burst("1", "6", "down", "4", "tab", "5", "up", "8")
        names = ("in_channels", "out_channels", "kernel_size")
        values = {name: bench.form.query_one(f"#{name}", ValueInput).value for name in names}
        assert channels.value == "16"
        assert values == {"in_channels": "16", "out_channels": "8", "kernel_size": "5"}
        size = await field(bench, "kernel_size")
        await bench.burst("3", "escape", "2")
        assert size.value == "3"
        assert bench.views.in_sight.id == "steps"
        await bench.burst("3", "1", "2", "f")
        assert bench.views.in_sight.id == "steps"
        assert bench.app.focused is bench.form.query_one("#preset")


async def test_letters_in_a_field_are_letters(open_bench: OpenBench) -> None:
    """They are said to be wrong where they stand; none is a command."""
    async with open_bench(EXACT) as bench:
        seed = await field(bench, "seed")
        for letters in (("a", "b", "c"), ("q",), ("question_mark",), ("x", "p")):
            await bench.burst("ctrl+u", *letters)
            typed = "".join({"question_mark": "?"}.get(letter, letter) for letter in letters)
            assert seed.value == typed
            assert bench.app.screen is bench.app.bench
            assert f"not '{typed}'" in bench.text("#complaint-seed")
            await bench.burst("ctrl+u", "-", "1")
            assert seed.value == "-1"
            assert bench.text("#complaint-seed")


THEN = (("escape",), ("enter",), ("enter", "escape"), ("escape", "escape"), ("enter", "enter"))


async def test_keys_after_one_that_opens_a_dialog_are_the_dialogs(open_bench: OpenBench) -> None:
    dialogs = {"p": PresetScreen, "x": ExportScreen, "a": BranchScreen, "n": NamedKernelScreen}
    async with open_bench(EXACT) as bench:
        for key, screen in dialogs.items():
            for then in THEN:
                bench.kernels.panels[0].grid.focus()
                await bench.burst(key)
                assert isinstance(bench.app.screen, screen), (key, then)
                await bench.burst(*then, "escape", "escape", "escape")
                await bench.burst(key, *then, "escape", "escape", "escape")
                assert bench.app.screen_stack == [bench.app.bench], (key, then)


async def test_a_key_pressed_twice_opens_one_dialog(open_bench: OpenBench) -> None:
    async with open_bench(EXACT) as bench:
        bench.kernels.panels[0].grid.focus()
        for key in ("p", "n", "x"):
            await bench.burst(key, key)
            assert bench.app.screen_stack == [bench.app.bench], "the second one closes it"
        await bench.burst("a", "a")
        assert [type(screen) for screen in bench.app.screen_stack[1:]] == [BranchScreen]
        assert bench.app.screen.query_one(Input).value == "a"


async def test_a_burst_into_the_prompt_for_a_number(open_bench: OpenBench) -> None:
    async with open_bench(EXACT) as bench:
        bench.kernels.panels[0].grid.focus()
        await bench.burst("enter", "ctrl+u", "-", "1", ".", "2", "5", "enter", "right", "enter", "7", "enter")
        edits = bench.app.bench.subject.alterations.edits
        assert [(edit.place, edit.value) for edit in edits] == [("kxk.weight", -1.25), ("kxk.weight", 7.0)]
        assert edits[1].index[3] == edits[0].index[3] + 1


async def test_a_burst_through_the_command_palette(open_bench: OpenBench) -> None:
    async with open_bench(EXACT) as bench:
        await bench.burst("ctrl+p", *"view steps")
        await bench.until(lambda: bench.app.screen.query(OptionList).first().option_count == 1)
        await bench.burst("enter", "enter")
        await bench.until(lambda: isinstance(bench.views.in_sight, StepsView))
        # The second enter is for what has the focus then: a sum lists the numbers behind the cursor.
        assert [type(screen) for screen in bench.app.screen_stack][1:] in ([], [NumbersScreen])


async def test_a_burst_into_steps_that_are_being_checked(open_bench: OpenBench) -> None:
    """The steps that were gone meanwhile are gone when they come; no other command takes their keys."""
    async with open_bench(EXACT) as bench:
        await bench.burst("p", "down", "enter", "2", "n", "n", "n", "N")
        await bench.until(lambda: isinstance(bench.views.in_sight, StepsView))
        steps = bench.views.in_sight
        assert isinstance(steps, StepsView)
        await bench.until(lambda: steps.step is not None, "the steps")
        assert steps.place == 2
        assert not bench.app._notifications


async def test_a_dialog_takes_no_other_screen_with_it_and_answers_who_waits_for_it(
    open_bench: OpenBench,
) -> None:
    async with open_bench(EXACT) as bench:
        await bench.press("ctrl+p")
        palette = bench.app.screen
        palette.dismiss()
        palette.dismiss()
        await bench.picture()
        assert bench.app.screen_stack == [bench.app.bench], "the last screen stays"
        await bench.press("v")
        screen = bench.app.screen
        bench.app.action_presets()
        await bench.until(lambda: isinstance(bench.app.screen, PresetScreen))
        dialog = bench.app.screen
        dialog.dismiss(None)
        dialog.dismiss(None)
        assert bench.app.screen_stack == [bench.app.bench, screen]
        bench.app.action_presets()
        await bench.until(lambda: isinstance(bench.app.screen, PresetScreen))
        bench.app._go_to(bench.app.bench)
        await bench.until(lambda: not [each for each in bench.app.workers if each.is_running], "no worker")
        assert bench.app.screen_stack == [bench.app.bench], "when another place comes"


async def test_bursts_between_the_sweep_and_the_bench(open_bench: OpenBench) -> None:
    async with open_bench(EXACT, sweep=injected) as bench:
        await bench.burst("v", "ctrl+u", "2", ",", "4", "enter", "x", "escape", "enter", "escape")
        await bench.burst("v", "escape", "x", "escape", "v", "r", "S", "escape", "enter", "x", "escape")
        await bench.burst(*["escape"] * 5)
        assert bench.app.screen_stack[0] is bench.app.bench
        assert len(bench.app.screen_stack) <= 2
