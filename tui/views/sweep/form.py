"""SweepForm: what varies and over which values, with the problem at its field, and what is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input, Static

from tui.analysis.speed.conditions import Conditions
from tui.analysis.sweep.axes import AXES, BRANCHES, Axis, has_kxk
from tui.analysis.sweep.plan import Plan, PlanError, axis_offered_first
from tui.analysis.sweep.quantities import Quantity
from tui.analysis.sweep.ranges import Range, parse_range
from tui.fusion.grammar.text_error import TextError
from tui.fusion.specs.block_spec import BlockSpec
from tui.widgets.foot_key import FootKey
from tui.widgets.form.choice import Choice
from tui.widgets.form.value_input import ValueInput
from tui.widgets.help_line import HelpLine

NOTHING = "nothing"
"""The second axis where there is one only."""
LABELS = {axis.label: axis for axis in AXES.values()}
STOP = FootKey("stop", ("sweep.stop",))
"""Told while a sweep runs."""


class SweepForm(Vertical):
    """Two axes with their values, and the quantity; posts Changed, Wanted and QuantityChosen."""

    DEFAULT_CSS = """
    SweepForm {
        height: auto; padding: 0 1;
        & Horizontal { height: 1; }
        & .label { width: 7; color: $text-muted; }
        & Choice { width: 18; }
        & ValueInput { width: 24; background: $foreground 8%; }
        & ValueInput:focus { background: $primary 25%; }
        & ValueInput.-wrong { background: $error 25%; }
        & .problem { display: none; height: auto; padding: 0 0 0 7; color: $text-error; }
        & .problem.-said { display: block; }
        & .hint { width: 1fr; color: $text-muted; text-wrap: nowrap; text-overflow: ellipsis; }
    }
    """
    HELP_LINES: ClassVar[tuple[HelpLine, ...]] = (
        HelpLine(
            "left, right",
            "another parameter or quantity; its values are typed, as 8:64:x2, 8:64:+8 or 3,5,7",
        ),
        HelpLine("enter", "in the fields: run it", ("sweep.run-fields",)),
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter",
            "run",
            "Run what the fields say",
            show=False,
            priority=True,  # a choice would turn
            id="sweep.run-fields",
            tooltip="From each of them",
        ),
    ]

    @dataclass
    class Changed(Message):
        """Another plan is in the fields, or none that can be run."""

        plan: Plan | None

    class Wanted(Message):
        """The user wants what is in the fields to be run."""

    @dataclass
    class QuantityChosen(Message):
        """The user wants to look at this."""

        quantity: Quantity

    def __init__(self, base: BlockSpec, conditions: Conditions, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._base, self._conditions = base, conditions

    def compose(self) -> ComposeResult:
        """A row for each axis, and one for the quantity."""
        first = axis_offered_first(self._base)
        with Horizontal():
            yield Static("vary", classes="label", markup=False)
            yield Choice(tuple(LABELS), first.label, id="sweep-axis-1")
            yield ValueInput(first.example, id="sweep-values-1")
        yield Static("", classes="problem", id="sweep-problem-1", markup=False)
        with Horizontal():
            yield Static("and", classes="label", markup=False)
            yield Choice((NOTHING, *LABELS), NOTHING, id="sweep-axis-2")
            yield ValueInput("", id="sweep-values-2")
        yield Static("", classes="problem", id="sweep-problem-2", markup=False)
        with Horizontal():
            yield Static("show", classes="label", markup=False)
            yield Choice(tuple(Quantity), Quantity.SPEED_UP, id="sweep-quantity")
            yield Static("", classes="hint", id="sweep-hint", markup=False)

    def foot_keys(self) -> tuple[FootKey, ...]:
        """Of a choice its arrows, of values the key that runs them."""
        if any(choice.has_focus for choice in self.query(Choice)):
            turn = FootKey("another", ("choice.previous", "choice.next"))
            return (STOP, turn, FootKey("next field", ("tab",)), FootKey("run", ("sweep.run-fields",)))
        return (FootKey("run", ("sweep.run-fields",)), FootKey("next field", ("tab",)))

    def on_mount(self) -> None:
        """Read the fields."""
        self._offer()
        self._read()

    def show_base(self, base: BlockSpec, conditions: Conditions) -> None:
        """Vary another block, or under other conditions."""
        self._base, self._conditions = base, conditions
        self._offer()
        self._read()

    def _offer(self) -> None:
        """Offer what this block has, and as the second axis what goes with the first."""
        first, second = self.query_one("#sweep-axis-1", Choice), self.query_one("#sweep-axis-2", Choice)
        labels = [label for label, axis in LABELS.items() if axis.name != BRANCHES or has_kxk(self._base)]
        first.offer(labels)
        taken = LABELS[first.value or labels[0]]
        beside = [label for label in labels if goes_with(taken, LABELS[label])]
        if second.value not in beside:
            second.value = NOTHING
        second.offer((NOTHING, *beside))

    def show_quantity(self, quantity: Quantity) -> None:
        """Let the choice say what is looked at."""
        self.query_one("#sweep-quantity", Choice).value = quantity

    def hint(self, words: str) -> None:
        """Say what running it takes."""
        self.query_one("#sweep-hint", Static).update(words)

    def focus_first(self) -> None:
        """Go to the first values."""
        self.query_one("#sweep-values-1", ValueInput).focus()

    def plan(self) -> Plan | None:
        """What is in the fields; None where that is no sweep."""
        ranges = [self._range(1)]
        if self.query_one("#sweep-axis-2", Choice).value != NOTHING:
            ranges.append(self._range(2))
        if None in ranges:
            return None
        try:
            plan = Plan(self._base, tuple(each for each in ranges if each is not None), self._conditions)
        except PlanError as error:
            self._complain(len(ranges), str(error))
            return None
        if not plan.allowed:
            self._complain(len(ranges), f"the block allows none of these: {plan.cells[0].problem}")
            return None
        return plan

    def _range(self, number: int) -> Range | None:
        axis = LABELS[self.query_one(f"#sweep-axis-{number}", Choice).value or ""]
        try:
            found = parse_range(axis, self.query_one(f"#sweep-values-{number}", ValueInput).value)
        except TextError as error:
            self._complain(number, str(error))
            return None
        self._complain(number, "")
        return found

    def _complain(self, number: int, words: str) -> None:
        problem = self.query_one(f"#sweep-problem-{number}", Static)
        problem.update(f"{words[:1].upper()}{words[1:]}")
        problem.set_class(bool(words), "-said")
        self.query_one(f"#sweep-values-{number}", ValueInput).set_class(bool(words), "-wrong")

    def _read(self) -> None:
        second = self.query_one("#sweep-values-2", ValueInput)
        second.display = self.query_one("#sweep-axis-2", Choice).value != NOTHING
        if not second.display:
            self._complain(2, "")
        self.post_message(self.Changed(self.plan()))

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._read()

    def action_run(self) -> None:
        """Ask for what is in the fields."""
        self.post_message(self.Wanted())

    @on(Choice.Changed)
    def _turned(self, event: Choice.Changed) -> None:
        event.stop()
        if event.choice.id == "sweep-quantity":
            self.post_message(self.QuantityChosen(Quantity(event.value)))
            return
        number = (event.choice.id or "")[-1]
        values = self.query_one(f"#sweep-values-{number}", ValueInput)
        self._offer()
        values.value = "" if event.value == NOTHING else LABELS[event.value].example
        self._read()


def goes_with(first: Axis, second: Axis) -> bool:
    """Whether both can be varied at once: none sets what the other does."""
    return first.name != second.name and not set(first.fields) & set(second.fields)
