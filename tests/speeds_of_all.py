"""A timing of all blocks whose every figure is made up, for tests of its screen."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.settle import PATIENCE
from tests.speed_reports import report_of
from tui.analysis.progress import Doing
from tui.analysis.speed.conditions import Conditions
from tui.analysis.speed.outcomes import LeftOut, Timed
from tui.analysis.speed.report import Side, SpeedReport
from tui.analysis.speed.to_time import WHOLE, RunOn, ToTime

GAINS = (2.0, 0.75, 1.5, 1.0, 3.0, 1.25)
"""Of the blocks by their places, round and round."""
NO_ROOM = "needs about 64 GB of memory, and 8 GB are free"


@dataclass
class MadeUp:
    """Times what it is given without a clock.

    Attributes:
        left_out: places that cannot be timed.
        holds_after: the place after which it stands still in the next block until it is let go; 0 for never.
        raises: what it raises at once.
        asked: what it was to time.
    """

    left_out: tuple[int, ...] = ()
    holds_after: int = 0
    raises: Exception | None = None
    asked: list[tuple[ToTime, RunOn, Conditions]] = field(default_factory=list)
    let_go: threading.Event = field(default_factory=threading.Event)
    ended: int = 0

    def __call__(
        self, to_time: ToTime, run_on: RunOn, conditions: Conditions
    ) -> Iterator[Doing | Timed | LeftOut]:
        self.asked.append((to_time, run_on, conditions))
        try:
            if self.raises is not None:
                raise self.raises
            for place, title in enumerate(to_time.titles, 1):
                yield Doing(title, place, len(to_time.titles))
                if place in self.left_out:
                    yield LeftOut(place, title, NO_ROOM)
                    continue
                if place == self.holds_after + 1 and self.holds_after:
                    yield Timed(place, title, report_of(7, conditions=conditions, is_done=False))
                    assert self.let_go.wait(PATIENCE)
                yield Timed(place, title, report_at(place, conditions))
            if to_time.has_whole:
                report = report_of(conditions=conditions, times={Side.UNFUSED: 6.0, Side.FUSED: 4.0})
                yield Timed(len(to_time.titles) + 1, WHOLE, report, is_whole=True)
        finally:
            self.ended += 1


def report_at(place: int, conditions: Conditions) -> SpeedReport:
    """That of the block at this place: the fused side takes 0.5 of the made-up milliseconds."""
    gain = GAINS[(place - 1) % len(GAINS)]
    noise = (0, 12, -8, 20, -16) if gain == 1.5 else (0, 1, -1, 2, -2)
    times = {Side.UNFUSED: gain / 2, Side.FOLDED: (1 + gain) / 4, Side.FUSED: 0.5}
    return report_of(conditions=conditions, times=times, noise=noise)
