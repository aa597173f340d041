"""Measurement: what is known of a block's speed by now, and what is being done about it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tui.analysis.estimate import Estimate
from tui.analysis.progress import Doing, Failed
from tui.analysis.speed.conditions import Conditions
from tui.analysis.speed.report import SpeedReport
from tui.analysis.subject import Subject

STUDIES = 10
"""In how many times a study's time a block is measured, at most: each side in five rounds and to warm up."""


@dataclass(frozen=True, slots=True)
class Unasked:
    """Measuring is costly and waits for the user's word; `seconds` that it takes, roughly."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Done:
    """The report is complete."""


@dataclass(frozen=True, slots=True)
class BrokenOff:
    """It was stopped before its end; what was measured till then is in the report."""


MeasuringState = Doing | Unasked | Failed | BrokenOff | Done


@dataclass(frozen=True, eq=False)
class Measurement:
    """A measurement of one block under some conditions.

    Attributes:
        subject: the block.
        report: what has been measured; None before there is anything.
    """

    subject: Subject
    conditions: Conditions
    state: MeasuringState
    report: SpeedReport | None = None

    @property
    def is_going_on(self) -> bool:
        """Whether something runs for it."""
        return isinstance(self.state, Doing)

    def having(self, step: Doing | SpeedReport) -> Measurement:
        """One step further: with what is done now, or with what has been found."""
        if isinstance(step, Doing):
            return replace(self, state=step)
        if step.is_done:
            return replace(self, report=step, state=Done())
        rounds = Doing("measuring, round", step.rounds, step.conditions.rounds)
        return replace(self, report=step, state=rounds if step.rounds else self.state)

    def ended_by(self, state: Failed | BrokenOff) -> Measurement:
        """Not going on any more; one that had come to its end stays as it is."""
        return replace(self, state=state) if self.is_going_on else self


def cost_of_measuring(estimate: Estimate) -> Unasked | None:
    """What to ask the user for before a block is measured that a study takes so much for; None: nothing."""
    return Unasked(STUDIES * estimate.seconds) if estimate.must_be_asked_for else None
