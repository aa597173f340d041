"""The view of Mistakes."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.widgets import Static

from tui.views.study_view import StudyView

if TYPE_CHECKING:
    from tui.analysis.study import Study


class MistakesView(StudyView, can_focus=True):
    """Mistakes."""

    TITLE: ClassVar[str] = "Mistakes"

    def compose(self) -> ComposeResult:
        """A line."""
        yield Static("Mistakes", id="mistakes-line", markup=False)

    def show_study(self, study: Study) -> None:
        """Say it."""
        self.query_one("#mistakes-line", Static).update(f"Mistakes of {study.spec.dtype}")

    def focus_content(self) -> None:
        """Here."""
        self.focus()
