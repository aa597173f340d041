"""The line that edits one number of the study in place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual import on
from textual.message import Message
from textual.widget import Widget

from tui.analysis.alterations.alterations import refusal_of
from tui.widgets.value_prompt import ValuePrompt

if TYPE_CHECKING:
    from tui.analysis.alterations.places import EditablePlace
    from tui.analysis.study import Study


class NumberEditor(ValuePrompt):
    """Asks for the number at a place of a study, and gives the focus back to where it was."""

    @dataclass
    class Edited(Message):
        """The user wants this value at that place; None for the block's own."""

        place: EditablePlace
        value: float | None

    class Closed(Message):
        """The line is not needed any more."""

    _place: EditablePlace | None = None
    _came_from: Widget | None = None

    def edit(self, study: Study, place: EditablePlace, edited: float | None = None) -> None:
        """Ask for the number at that place; `edited`: what was set there and may be still to be run."""
        from tui.export.code.literals import shortest_numbers  # a study is there, and with it torch

        if self._place is None:
            self._came_from = self.screen.focused
        self._place = place
        there = study.number_at(place.name, place.index).reshape(1)
        if edited is not None:
            there = there.double().fill_(edited).to(there.dtype)
        (number,) = shortest_numbers(there)
        self.ask(place.words, number, place.remark)

    @on(ValuePrompt.Entered)
    def _entered(self, event: ValuePrompt.Entered) -> None:
        event.stop()
        if self._place is not None:
            refusal = None if event.value is None else refusal_of(self._place.name, event.value)
            if refusal is not None:
                self.refuse(f"{refusal}.")
                return
            self.post_message(self.Edited(self._place, event.value))
        self._finish()

    @on(ValuePrompt.Left)
    def _left(self, event: ValuePrompt.Left) -> None:
        event.stop()
        self._finish()

    def _finish(self) -> None:
        self._place = None
        self.close()
        if self._came_from is not None and self._came_from.is_attached:
            self._came_from.focus()
        self._came_from = None
        self.post_message(self.Closed())
