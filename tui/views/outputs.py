"""The view of Outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.widgets import Static

from tui.views.study_view import StudyView

if TYPE_CHECKING:
    from tui.analysis.study import Study


class OutputsView(StudyView, can_focus=True):
    """Outputs."""

    TITLE: ClassVar[str] = "Outputs"

    def compose(self) -> ComposeResult:
        """A line."""
        yield Static("Outputs", id="outputs-line", markup=False)

    def show_study(self, study: Study) -> None:
        """Say it."""
        self.query_one("#outputs-line", Static).update(f"Outputs of {study.spec.dtype}")

    def focus_content(self) -> None:
        """Here."""
        self.focus()
