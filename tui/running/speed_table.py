"""RunningSpeedTable: the timing of all blocks that the app runs in the background, and what is there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from time import monotonic
from typing import Any

from textual.app import App

from tui.analysis.failure import in_words
from tui.analysis.progress import Doing
from tui.analysis.speed.conditions import Conditions
from tui.analysis.speed.outcomes import Found, Item, LeftOut, Planned, Timed
from tui.analysis.speed.to_time import RunOn, ToTime, time_them
from tui.running.background import iterate_in_thread
from tui.running.speed_table_state import SpeedTableState, TimingStage

TimeThemFunction = Callable[[ToTime, RunOn, Conditions], Iterator[Item]]
GROUP = "speed table"
TOLD_EVERY = 0.25
"""Seconds between two words on the same block: what is painted takes a processor from what is timed."""
SURE = 0.5
"""Seconds after which the time left is worth a word."""


class RunningSpeedTable:
    """Times the blocks of one file or module at a time; `show` is given its state whenever that changes.

    `time_them` does the timing, and `clock` tells seconds; tests put others in their places.
    """

    def __init__(
        self,
        app: App[Any],
        show: Callable[[SpeedTableState], None],
        time_them: TimeThemFunction = time_them,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._app = app
        self._show = show
        self._time_them = time_them
        self._clock = clock
        self._state: SpeedTableState | None = None

    def start(self, to_time: ToTime, run_on: RunOn, conditions: Conditions) -> None:
        """Begin with these; what runs is ended."""
        self.stop()
        begun = SpeedTableState(to_time, run_on, conditions, Found(to_time.planned), words="beginning")
        self._tell(begun)
        self._app.run_worker(
            self._run(begun), group=GROUP, exclusive=True, exit_on_error=False, description="speed table"
        )

    def stop(self) -> None:
        """End it; what was timed stays."""
        if self._state is not None and self._state.is_running:
            self._app.workers.cancel_group(self._app, GROUP)
            self._tell(replace(self._state, stage=TimingStage.STOPPED, words="", seconds_left=None))

    def _tell(self, state: SpeedTableState) -> None:
        self._state = state
        self._show(state)

    async def _run(self, state: SpeedTableState) -> None:
        """Take what comes. A worker that was cancelled does not come back here."""
        began = told = self._clock()
        told_of: int | str = ""
        found = state.found
        make = partial(self._time_them, state.to_time, state.run_on, state.conditions)
        try:
            async for item in iterate_in_thread(make, alone=True):
                found.take(item)
                if isinstance(item, Planned):
                    continue
                now = self._clock()
                of = item.words if isinstance(item, Doing) else item.place
                if of == told_of and not _ends_a_block(item) and now - told < TOLD_EVERY:
                    continue
                told, told_of = now, of
                left = _left(found.share, now - began)
                state = replace(state, words=_words(item), seconds_left=left)
                self._tell(state)
        except Exception as error:
            self._tell(replace(state, stage=TimingStage.FAILED, words=in_words(error), seconds_left=None))
        else:
            self._tell(replace(state, stage=TimingStage.DONE, words="", seconds_left=None))


def _ends_a_block(item: Doing | Timed | LeftOut) -> bool:
    return isinstance(item, LeftOut) or (isinstance(item, Timed) and item.report.is_done)


def _left(share: float, seconds: float) -> float | None:
    """Seconds that it will still take at the pace so far; None while that is a guess."""
    return seconds / share * (1 - share) if share > 0 and seconds > SURE else None


def _words(item: Doing | Timed | LeftOut) -> str:
    match item:
        case Timed():
            return f"{item.title}: round {item.report.rounds}"
        case LeftOut():
            return f"{item.title}: left out"
    return item.words
