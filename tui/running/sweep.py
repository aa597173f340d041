"""RunningSweep: the sweep that the app runs in the background, and what is there of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from time import monotonic
from typing import Any

from textual.app import App

from tui.analysis.failure import in_words
from tui.analysis.progress import Doing
from tui.analysis.sweep.expected import seconds_left, shares_done
from tui.analysis.sweep.plan import Plan
from tui.analysis.sweep.point import Point
from tui.analysis.sweep.running import sweep
from tui.running.background import iterate_in_thread
from tui.running.sweep_state import SweepStage, SweepState

SweepFunction = Callable[[Plan], Iterator[Doing | Point]]
GROUP = "sweep"
TOLD_EVERY = 0.25
"""Seconds between two words on the same piece: what is painted takes a processor from what is timed."""


class RunningSweep:
    """Runs one sweep at a time; `show` is given its state whenever that changes.

    `sweep` runs a plan, and `clock` tells seconds; tests put others in their places.
    """

    def __init__(
        self,
        app: App[Any],
        show: Callable[[SweepState], None],
        sweep: SweepFunction = sweep,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._app = app
        self._show = show
        self._sweep = sweep
        self._clock = clock
        self._state: SweepState | None = None

    def start(self, plan: Plan) -> None:
        """Begin with this one; what runs is ended. Its points stay until there is a new one."""
        self.stop()
        before = None if self._state is None else self._state.shown
        begun = SweepState(plan, words="beginning", before=before if before and before.points else None)
        self._tell(begun)
        self._app.run_worker(
            self._run(begun), group=GROUP, exclusive=True, exit_on_error=False, description="sweep"
        )

    def stop(self) -> None:
        """End it; the points that are there stay."""
        if self._state is not None and self._state.is_running:
            self._app.workers.cancel_group(self._app, GROUP)
            self._tell(replace(self._state, stage=SweepStage.STOPPED, words="", seconds_left=None))

    def _tell(self, state: SweepState) -> None:
        self._state = state
        self._show(state)

    async def _run(self, state: SweepState) -> None:
        """Take the points as they come. A worker that was cancelled does not come back here."""
        began = told = self._clock()
        plan = state.plan
        shares = shares_done(plan)
        try:
            async for piece in iterate_in_thread(partial(self._sweep, plan), alone=True):
                words = piece.words if isinstance(piece, Doing) else ""
                if isinstance(piece, Doing) and words == state.words and self._clock() - told < TOLD_EVERY:
                    continue
                told = self._clock()
                points = (*state.points, piece) if isinstance(piece, Point) else state.points
                left = seconds_left(told - began, shares, len(points))
                state = replace(
                    state,
                    points=points,
                    words=words,
                    share=shares[len(points)],
                    seconds_left=left,
                    before=None if points else state.before,
                )
                self._tell(state)
        except Exception as error:
            self._tell(replace(state, stage=SweepStage.FAILED, words=in_words(error), seconds_left=None))
        else:
            self._tell(replace(state, stage=SweepStage.DONE, words="", share=1.0, seconds_left=None))
