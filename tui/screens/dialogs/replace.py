"""The question whether a file is to be replaced."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from tui.screens.dialogs.dialog import Dialog


class ReplaceScreen(Dialog[bool]):
    """Dismisses with True for y; every other way out, enter too, is a no."""

    DEFAULT_CSS = """
    ReplaceScreen {
        align: center middle;
        & > Vertical {
            width: 60; max-width: 100%; height: auto; max-height: 100%;
            border: round $warning; background: $surface; padding: 1 2;
            border-title-color: $foreground;
        }
        & .answers { color: $text-muted; margin: 1 0 0 0; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "dismiss(True)", "Replace it", show=False),
        Binding("n,enter,escape,q", "dismiss(False)", "Keep it", show=False),
    ]

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name_of_file = name

    def compose(self) -> ComposeResult:
        """The question, and the keys that answer it."""
        with Vertical() as dialog:
            dialog.border_title = "Replace it?"
            yield Static(f"{self._name_of_file} is there already.", markup=False)
            yield Static("y: replace it · n, enter: keep it", classes="answers", markup=False)
