"""What the bench says of the run: in the top line, in a notice, and in the result's place."""

from __future__ import annotations

from typing import Any

from textual.screen import Screen
from textual.timer import Timer

from tui.analysis.progress import Doing, Failed
from tui.analysis.quantities import estimate_in_words
from tui.running.run_state import RunState, Stopped, Waiting
from tui.views.shared.result import ResultView
from tui.widgets.notice import Notice
from tui.widgets.top_bar import TopBar

BUSY_AFTER = 0.2
"""Seconds after which a run is worth a word; shorter ones would only flicker."""


class RunTold:
    """Says on that screen what is being done about the block of its form."""

    def __init__(self, screen: Screen[Any]) -> None:
        self._screen = screen
        self._doing: Doing | None = None
        self._soon: Timer | None = None

    def tell(self, state: RunState, *, is_valid: bool, at_once: bool) -> None:
        """Say it; `at_once`: also what may be over in a moment. `is_valid`: of the form."""
        if self._soon is not None:
            self._soon.stop()
        self._doing = state if isinstance(state, Doing) else None
        if self._doing is None:
            self._tell_end(state, is_valid=is_valid)
        elif at_once or self._screen.query_one(TopBar).busy:
            self._tell_doing()
        else:
            self._soon = self._screen.set_timer(BUSY_AFTER, self._tell_doing)
        is_error = isinstance(state, Failed) or (isinstance(state, Waiting) and state.too_large)
        self._screen.query_one(Notice).say(_notice_of(state), error=is_error)

    def _tell_doing(self) -> None:
        if self._doing is None:  # the timer's last call may come after its end
            return
        place = f", {self._doing.place}" if self._doing.place else ""
        self._screen.query_one(TopBar).busy = f"{self._doing.words} …"
        self._screen.query_one(ResultView).doing = f"{self._doing.words}{place} …"

    def _tell_end(self, state: RunState, *, is_valid: bool) -> None:
        self._screen.query_one(ResultView).doing = ""
        self._screen.query_one(TopBar).busy = _top_line_of(state, is_valid=is_valid)


def _top_line_of(state: RunState, *, is_valid: bool) -> str:
    if isinstance(state, Stopped):
        return "stopped: r runs it"
    return "" if is_valid else "not valid: see the form (f)"


def _notice_of(state: RunState) -> str:
    match state:
        case Failed(words):
            return f"The run failed: {words}"
        case Waiting(estimate, too_large=True):
            return (
                f"This run would take {estimate_in_words(estimate)}, more than this machine has."
                " Make the block or its input smaller."
            )
        case Waiting(estimate):
            return f"This run takes {estimate_in_words(estimate)}. Press r to run it."
        case _:
            return ""
