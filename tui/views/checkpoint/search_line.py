"""The line in which one types what to search for in a checkpoint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static

from tui.widgets.foot_key import FootKey


class SearchLine(Horizontal):
    """Posts Typed with each letter, and Done; takes no room while it is closed."""

    DEFAULT_CSS = """
    SearchLine {
        display: none; height: 1; padding: 0 2; background: $primary 15%;
        &.-open { display: block; }
        & Static { width: auto; height: 1; }
        & Input { width: 1fr; background: transparent; }
        & #search-count { color: $text-muted; padding: 0 0 0 2; }
    }
    """

    FOOT_KEYS: ClassVar[tuple[FootKey, ...]] = (
        FootKey("go there", ("enter",)),
        FootKey("leave it", ("tree.back",)),
    )

    @dataclass
    class Typed(Message):
        """This is searched for now."""

        text: str

    class Done(Message):
        """It is typed: go on from place to place."""

    def compose(self) -> ComposeResult:
        """The text, and how many places hold it."""
        yield Static("/ ", markup=False)
        yield Input(compact=True, placeholder="part of a name, or a family", id="search-text")
        yield Static("", id="search-count", markup=False)

    def open(self) -> None:
        """Ask for a text."""
        self.add_class("-open")
        field = self.query_one(Input)
        field.value = ""
        field.focus()

    def close(self) -> None:
        """Search no more."""
        self.remove_class("-open")

    def say(self, place: int, count: int) -> None:
        """Say at which of how many places one is, from 1; 0 of none."""
        words = f"{place} of {count}" if count else "nothing of that name"
        self.query_one("#search-count", Static).update(words if self.query_one(Input).value else "")

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Typed(event.value))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Done())
