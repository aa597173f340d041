"""The view of Probe."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.widgets import Static

from tui.views.study_view import StudyView

if TYPE_CHECKING:
    from tui.analysis.study import Study


class ProbeView(StudyView, can_focus=True):
    """Probe."""

    TITLE: ClassVar[str] = "Probe"

    def compose(self) -> ComposeResult:
        """A line."""
        yield Static("Probe", id="probe-line", markup=False)

    def show_study(self, study: Study) -> None:
        """Say it."""
        self.query_one("#probe-line", Static).update(f"Probe of {study.spec.dtype}")

    def focus_content(self) -> None:
        """Here."""
        self.focus()
