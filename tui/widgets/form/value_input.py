"""A one-line input of the form: all that is typed goes into it, and the form says what is wrong with it."""

from __future__ import annotations

from textual.reactive import Reactive
from textual.widgets import Input


class ValueInput(Input):
    """A field for a number or a size. Commands are keys outside fields: here "q" is a letter."""

    # True from the start, and with its class: what changes later styles the field once more.
    compact: Reactive[bool] = Reactive(True, toggle_class="-textual-compact")

    def __init__(self, value: str, *, id: str) -> None:
        classes = "-valid -textual-compact"
        super().__init__(value, id=id, classes=classes, compact=True, select_on_focus=True)
