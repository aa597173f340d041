"""The view of Steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.widgets import Static

from tui.views.study_view import StudyView

if TYPE_CHECKING:
    from tui.analysis.study import Study


class StepsView(StudyView, can_focus=True):
    """Steps."""

    TITLE: ClassVar[str] = "Steps"

    def compose(self) -> ComposeResult:
        """A line."""
        yield Static("Steps", id="steps-line", markup=False)

    def show_study(self, study: Study) -> None:
        """Say it."""
        self.query_one("#steps-line", Static).update(f"Steps of {study.spec.dtype}")

    def focus_content(self) -> None:
        """Here."""
        self.focus()
