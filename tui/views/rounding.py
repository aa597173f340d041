"""The view of Rounding."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.widgets import Static

from tui.views.study_view import StudyView

if TYPE_CHECKING:
    from tui.analysis.study import Study


class RoundingView(StudyView, can_focus=True):
    """Rounding."""

    TITLE: ClassVar[str] = "Rounding"

    def compose(self) -> ComposeResult:
        """A line."""
        yield Static("Rounding", id="rounding-line", markup=False)

    def show_study(self, study: Study) -> None:
        """Say it."""
        self.query_one("#rounding-line", Static).update(f"Rounding of {study.spec.dtype}")

    def focus_content(self) -> None:
        """Here."""
        self.focus()
