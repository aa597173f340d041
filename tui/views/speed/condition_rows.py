"""The conditions of a measurement: one line each, one of them chosen, whose value the arrows turn."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from tui.analysis.speed.conditions import CPU, Conditions, MemoryFormat
from tui.fusion.specs.block_spec import BlockSpec
from tui.views.shared.styles import MUTED

_NAME = 16


@dataclass(frozen=True)
class Choices:
    """What can be chosen on this machine.

    Attributes:
        threads: numbers of them; None for as many as torch takes by itself.
    """

    threads: tuple[int | None, ...] = (None, 1)
    devices: tuple[str, ...] = (CPU,)


def threads_here() -> tuple[int | None, ...]:
    """As many as torch takes, and every power of two that there are processors for."""
    processors = os.cpu_count() or 1
    return (None, *(2**power for power in range(processors.bit_length()) if 2**power <= processors))


@dataclass(frozen=True)
class Condition:
    """One line: what it is called, what can be chosen, and as what that reads."""

    name: str
    field: str
    values: Sequence[object]
    words: Sequence[str]

    def shown(self, conditions: Conditions) -> str:
        """The value that is chosen."""
        value = getattr(conditions, self.field)
        return self.words[self.values.index(value)] if value in self.values else str(value)

    def turned(self, conditions: Conditions, step: int) -> Conditions:
        """With another value, so many places on, round and round."""
        value = getattr(conditions, self.field)
        place = self.values.index(value) if value in self.values else -1
        changes = {self.field: self.values[(place + step) % len(self.values)]}
        return replace(conditions, **changes)  # type: ignore[arg-type]


def conditions_of(choices: Choices) -> tuple[Condition, ...]:
    """The lines, from the first to the last."""
    threads = ["all" if number is None else str(number) for number in choices.threads]
    return (
        Condition("threads", "threads", choices.threads, threads),
        Condition("memory format", "memory_format", tuple(MemoryFormat), tuple(MemoryFormat)),
        Condition("torch.compile", "compiled", (False, True), ("off", "on")),
        Condition("device", "device", choices.devices, choices.devices),
    )


class RowLine(Static):
    """A line that is painted anew only where its text is another one."""

    _shown: Content | None = None

    def show(self, content: Content) -> None:
        """Put this text in its place."""
        if self._shown is None or not self._shown.is_same(content):
            self._shown = content
            self.update(content, layout=False)


class ConditionLine(RowLine):
    """One condition's line."""

    @dataclass
    class Clicked(Message):
        """A click on a line."""

        place: int

    def __init__(self, place: int) -> None:
        super().__init__(markup=False)
        self.place = place

    def on_click(self) -> None:
        """Go to it, or turn it."""
        self.post_message(self.Clicked(self.place))


class ConditionRows(Vertical):
    """A heading, a line for each condition, and what is the form's; not seen before there are any."""

    DEFAULT_CSS = """
    ConditionRows {
        height: auto; visibility: hidden;
        & Static { height: 1; text-wrap: nowrap; text-overflow: ellipsis; }
        & ConditionLine { pointer: pointer; }
        & ConditionLine.-chosen { background: $primary 20%; }
    }
    """

    def compose(self) -> ComposeResult:
        """The lines, empty."""
        yield Static(Content.assemble(("Timed with", "bold")), markup=False)
        yield from (ConditionLine(place) for place in range(len(conditions_of(Choices()))))
        yield RowLine(id="speed-of-the-form", markup=False)

    def show(self, conditions: Conditions, choices: Choices, chosen: int, spec: BlockSpec) -> None:
        """Write all lines."""
        self.visible = True
        for line, condition in zip(self.query(ConditionLine), conditions_of(choices), strict=True):
            here, value = line.place == chosen, condition.shown(conditions)
            name = f"{'▸' if here else ' '} {condition.name}"
            line.set_class(here, "-chosen")
            shown = (f"‹ {value} ›", "bold") if here else f"  {value}"
            line.show(Content.assemble((f"{name:<{_NAME}}", MUTED), shown))
        words = f"  {'dtype, batch':<{_NAME - 2}}  {spec.dtype}, {spec.batch_size} (form: f)"
        self.query_one("#speed-of-the-form", RowLine).show(Content.styled(words, MUTED))
