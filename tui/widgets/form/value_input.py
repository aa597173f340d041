"""A one-line input of the form: all that is typed goes into it, and the form says what is wrong with it."""

from __future__ import annotations

from textual.widgets import Input


class ValueInput(Input):
    """A field for a number or a size. Commands are keys outside fields: here "q" is a letter."""

    def __init__(self, value: str, *, id: str) -> None:
        super().__init__(value, id=id, compact=True, select_on_focus=True)
