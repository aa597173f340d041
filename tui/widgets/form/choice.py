"""One value out of a few, on one line: the arrow keys, space or a click turn to the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Click
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget


class Choice(Widget, can_focus=True):
    """Shows the chosen value, while focused between arrows. A value that is no option reads as `blank`."""

    DEFAULT_CSS = """
    Choice {
        height: 1;
        width: 1fr;
        pointer: pointer;
        &:focus { background: $primary 25%; text-style: bold; }
        &:hover { background: $foreground 8%; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,space,enter", "turn(1)", "Next value", show=False, id="choice.next"),
        Binding("left,backspace", "turn(-1)", "Previous value", show=False, id="choice.previous"),
    ]

    value: reactive[str | None] = reactive(None)
    """The chosen option, None where the value is none of them."""

    told: reactive[Mapping[str, str]] = reactive[Mapping[str, str]]({})
    """What is shown of an option in the place of itself."""

    @dataclass
    class Changed(Message):
        """The user has chosen another value."""

        choice: Choice
        value: str

        @property
        def control(self) -> Choice:
            """The widget that was turned."""
            return self.choice

    class ListWanted(Message):
        """The user clicked on a choice of many, and means to see them all."""

    def __init__(
        self, options: Sequence[str], value: str | None, *, id: str, blank: str = "", listed: bool = False
    ) -> None:
        """`listed`: a click asks for the list of all options, instead of turning to the next."""
        super().__init__(id=id)
        self._listed = listed
        self._options = tuple(options)
        self._blank = blank
        self.set_reactive(Choice.value, value)

    def offer(self, options: Sequence[str]) -> None:
        """Offer other options from now on; the first of them where the chosen one is none of them."""
        self._options = tuple(options)
        if self.value is not None and self.value not in self._options:
            self.value = next(iter(self._options), None)

    def render(self) -> Content:
        """The value; arrows on both sides while focused."""
        shown = self._blank if self.value is None else self.told.get(self.value, self.value)
        return Content(f"‹ {shown} ›") if self.has_focus else Content(shown)

    def action_turn(self, step: int) -> None:
        """Choose the option `step` places on, round and round."""
        place = -1 if self.value is None else self._options.index(self.value)
        if self.value is None and step < 0:
            place = 0
        self.value = self._options[(place + step) % len(self._options)]
        self.post_message(self.Changed(self, self.value))

    def on_click(self, event: Click) -> None:
        """A click is a turn forward, or asks for the list."""
        event.stop()
        if self._listed:
            self.post_message(self.ListWanted())
        else:
            self.action_turn(1)
