"""How far the timing of all blocks is, and what is there of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from tui.analysis.speed.conditions import Conditions
from tui.analysis.speed.outcomes import Found
from tui.analysis.speed.to_time import RunOn, ToTime


class TimingStage(StrEnum):
    """What is being done."""

    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    """The user did not want to wait for the rest."""
    FAILED = "failed"
    """It could not go on, for a reason that is no block's."""


@dataclass(frozen=True, eq=False)
class SpeedTableState:
    """The timing of all blocks of one file or module as far as it came.

    Attributes:
        found: what is there; the state after this one knows more of the same.
        words: what is being done, or why it failed.
        seconds_left: about; None where that is not known.
    """

    to_time: ToTime
    run_on: RunOn
    conditions: Conditions
    found: Found = field(default_factory=Found)
    stage: TimingStage = TimingStage.RUNNING
    words: str = ""
    seconds_left: float | None = None

    @property
    def is_running(self) -> bool:
        """Whether more is to come."""
        return self.stage is TimingStage.RUNNING
