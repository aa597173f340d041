"""A question that is answered by y, and by everything else with a no."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from tui.screens.dialogs.dialog import Dialog


class QuestionScreen(Dialog[bool]):
    """Dismisses with True for y; every other way out, enter too, is a no."""

    DEFAULT_CSS = """
    QuestionScreen {
        align: center middle;
        & > Vertical {
            width: 70; max-width: 100%; height: auto; max-height: 100%;
            border: round $warning; background: $surface; padding: 1 2;
            border-title-color: $foreground;
        }
        & .answers { color: $text-muted; margin: 1 0 0 0; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "dismiss(True)", "Yes", show=False),
        Binding("n,enter,escape,q", "dismiss(False)", "No", show=False),
    ]

    def __init__(self, title: str, words: str, yes: str, no: str) -> None:
        """`yes`, `no`: what the answers do."""
        super().__init__()
        self._title, self._words, self._answers = title, words, f"y: {yes} · n, enter: {no}"

    def compose(self) -> ComposeResult:
        """The question, and the keys that answer it."""
        with Vertical() as dialog:
            dialog.border_title = self._title
            yield Static(self._words, markup=False)
            yield Static(self._answers, classes="answers", markup=False)
