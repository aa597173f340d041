"""SpeedTableForm: what the blocks are run on, and under what they are timed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input, Static

from tui.analysis.speed.conditions import CPU, Conditions, MemoryFormat
from tui.analysis.speed.to_time import RunOn
from tui.fusion.grammar.fields import spec_from
from tui.fusion.specs.block_spec import BlockSpec
from tui.fusion.specs.problems import InvalidSpecError
from tui.widgets.foot_key import FootKey
from tui.widgets.form.choice import Choice
from tui.widgets.form.value_input import ValueInput
from tui.widgets.help_line import HelpLine

ALL = "all"
"""Threads, as many as torch takes by itself."""
OFF, ON = "off", "on"
STOP = FootKey("stop", ("speed-table.stop",))
"""Told while they are timed."""


class SpeedTableForm(Vertical):
    """The fields; posts Wanted. Blocks of a module have their inputs, and no field for them."""

    DEFAULT_CSS = """
    SpeedTableForm {
        height: auto; padding: 0 1;
        & Horizontal { height: 1; }
        & .label { width: auto; padding: 0 1 0 0; color: $text-muted; }
        & Choice { width: 18; }
        & #speed-threads, & #speed-compiled { width: 9; }
        & #speed-device { width: 12; }
        & ValueInput { width: 12; margin: 0 2 0 0; background: $foreground 8%; }
        & ValueInput:focus { background: $primary 25%; }
        & ValueInput.-wrong { background: $error 25%; }
        & #speed-problem { display: none; height: auto; color: $text-error; }
        & #speed-problem.-said { display: block; }
    }
    """
    HELP_LINES: ClassVar[tuple[HelpLine, ...]] = (
        HelpLine("left, right", "in the fields: another device, memory format, number of threads"),
        HelpLine("enter", "in the fields: time all blocks as they say", ("speed-table.run-fields",)),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter",
            "run",
            "Time them as the fields say",
            show=False,
            priority=True,  # a choice would turn
            id="speed-table.run-fields",
            tooltip="From each of them",
        ),
    ]

    class Wanted(Message):
        """The user wants what is in the fields to be timed."""

    @dataclass
    class Changed(Message):
        """Something else is in the fields."""

    def __init__(self, device: str = CPU, *, has_inputs: bool, id: str | None = None) -> None:
        super().__init__(id=id)
        self._device = device
        self._has_inputs = has_inputs

    def compose(self) -> ComposeResult:
        """A row for what the blocks are run on, and one for the conditions."""
        usual, processors = RunOn(), _threads_here()
        if self._has_inputs:
            with Horizontal():
                yield Static("each on what reached it in a run of the module", classes="label", markup=False)
        else:
            with Horizontal():
                yield Static("input", classes="label", markup=False)
                yield ValueInput("x".join(map(str, usual.input_shape)), id="speed-input-shape")
                yield Static("batch", classes="label", markup=False)
                yield ValueInput(str(usual.batch_size), id="speed-batch-size")
            yield Static("", id="speed-problem", markup=False)
        with Horizontal():
            yield Static("threads", classes="label", markup=False)
            yield Choice(processors, ALL, id="speed-threads")
            yield Static("memory", classes="label", markup=False)
            yield Choice(tuple(MemoryFormat), MemoryFormat.CONTIGUOUS, id="speed-memory-format")
            yield Static("compile", classes="label", markup=False)
            yield Choice((OFF, ON), OFF, id="speed-compiled")
            yield Static("device", classes="label", markup=False)
            yield Choice(tuple(dict.fromkeys((CPU, self._device))), self._device, id="speed-device")

    def foot_keys(self) -> tuple[FootKey, ...]:
        """Of a choice its arrows, of values the key that runs them."""
        run, following = FootKey("time them", ("speed-table.run-fields",)), FootKey("next field", ("tab",))
        if any(choice.has_focus for choice in self.query(Choice)):
            return (STOP, FootKey("another", ("choice.previous", "choice.next")), following, run)
        return (run, following)

    def offer_devices(self, devices: tuple[str, ...]) -> None:
        """Let one of these be chosen; which there are, torch knows."""
        self.query_one("#speed-device", Choice).offer(devices)

    def focus_first(self) -> None:
        """Go to the first field."""
        fields = [*self.query(ValueInput), *self.query(Choice)]
        fields[0].focus()

    @property
    def conditions(self) -> Conditions:
        """What is chosen."""
        threads, device = self._chosen("speed-threads"), self._chosen("speed-device")
        return Conditions(
            device,
            None if threads == ALL else int(threads),
            MemoryFormat(self._chosen("speed-memory-format")),
            self._chosen("speed-compiled") == ON,
        )

    def _chosen(self, name: str) -> str:
        return self.query_one(f"#{name}", Choice).value or ""

    def run_on(self) -> RunOn | None:
        """What is typed; None where that is no input, and the field says why."""
        if self._has_inputs:
            return RunOn()
        shape, batch = (
            self.query_one(f"#speed-{name}", ValueInput) for name in ("input-shape", "batch-size")
        )
        wrong: dict[str, str] = {}
        texts = {"input_shape": shape.value, "batch_size": batch.value}
        made = BlockSpec(in_channels=1, out_channels=1)
        try:
            made = spec_from(texts, made)
        except InvalidSpecError as error:
            wrong = {problem.field: problem.message for problem in error.problems}
        for name, field in zip(texts, (shape, batch), strict=True):
            field.set_class(name in wrong, "-wrong")
        problem = self.query_one("#speed-problem", Static)
        problem.update("; ".join(_sentences(wrong)))
        problem.set_class(bool(wrong), "-said")
        return None if wrong else RunOn(made.input_shape, made.batch_size)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self.run_on()
        self.post_message(self.Changed())

    @on(Choice.Changed)
    def _turned(self, event: Choice.Changed) -> None:
        event.stop()
        self.post_message(self.Changed())

    def action_run(self) -> None:
        """Ask for what is in the fields."""
        self.post_message(self.Wanted())


def _sentences(wrong: dict[str, str]) -> Iterator[str]:
    return (f"{'input' if name == 'input_shape' else 'batch'}: {words}" for name, words in wrong.items())


def _threads_here() -> tuple[str, ...]:
    """As many as torch takes, and every power of two that there are processors for."""
    processors = os.cpu_count() or 1
    return (ALL, *(str(2**power) for power in range(processors.bit_length()) if 2**power <= processors))
