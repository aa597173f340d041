"""How far a sweep is, and what is there of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tui.analysis.sweep.plan import Plan
from tui.analysis.sweep.point import Point


class SweepStage(StrEnum):
    """What is being done."""

    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    """The user did not want to wait for the rest."""
    FAILED = "failed"
    """It could not go on, for a reason that is no point's."""


@dataclass(frozen=True, eq=False)
class SweepState:
    """A sweep as far as it came.

    Attributes:
        points: in the order of the plan's cells, as many as are there.
        words: what is being done, or why it failed.
        share: how much of the whole is done, from 0 to 1.
        seconds_left: about; None where that is not known.
        before: the sweep whose points are shown as long as this one has none; None where there is none.
    """

    plan: Plan
    points: tuple[Point, ...] = ()
    stage: SweepStage = SweepStage.RUNNING
    words: str = ""
    share: float = 0.0
    seconds_left: float | None = None
    before: SweepState | None = None

    @property
    def shown(self) -> SweepState:
        """The sweep whose points are there to be looked at: this one, or the one before."""
        return self if self.points or self.before is None else self.before

    @property
    def is_running(self) -> bool:
        """Whether more points are to come."""
        return self.stage is SweepStage.RUNNING
