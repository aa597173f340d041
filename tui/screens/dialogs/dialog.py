"""Dialog: a modal screen that goes once, and takes no other screen with it."""

from __future__ import annotations

from typing import TypeVar

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen

from tui.screens.styled_once import StyledOnce

Result = TypeVar("Result")


class Dialog(StyledOnce, ModalScreen[Result]):
    """What the dialogs of this program have in common."""

    def dismiss(self, result: Result | None = None) -> AwaitComplete:
        """Go, with that result; nothing where it is gone, or lies below another one.

        Textual's own takes the topmost screen away, whichever that is: of two keys that close a dialog the
        second would take the screen below, and end the program where that is the last.
        """
        if self.app.screen is not self:
            return AwaitComplete()  # that is done
        return super().dismiss(result)
