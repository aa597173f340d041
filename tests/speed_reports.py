"""Reports of speed whose every figure is made up, and a measure function that gives them without a clock."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tests.settle import PATIENCE
from tui.analysis.progress import Doing
from tui.analysis.speed.arithmetic import Peaks, Work
from tui.analysis.speed.conditions import Conditions
from tui.analysis.speed.report import Machine, Side, SpeedReport
from tui.analysis.speed.timing import Timing

if TYPE_CHECKING:
    from tui.analysis.study import Study

ROUNDS = 31
MILLISECOND = 1 / 1024
"""Of the made-up clock: the numbers are dyadic, and all that follows from them is the same everywhere."""
_QUIET = (0, 1, -1, 2, -2)
"""How much the times of five rounds differ from the first, in 64ths."""
_LOUD = (0, 12, -8, 20, -16)

WORK = {
    Side.UNFUSED: Work(7_168, 9_437_184, 3_145_728, 1_572_864, 7),
    Side.FOLDED: Work(6_912, 9_437_184, 2_097_152, 1_048_576, 4),
    Side.FUSED: Work(6_176, 8_388_608, 655_360, 524_288, 1),
}
TIMES = {Side.UNFUSED: 1.5, Side.FOLDED: 1.25, Side.FUSED: 0.75}
"""In made-up milliseconds."""
PEAKS = Peaks(64 * 2.0**30, 8 * 2.0**30)
MACHINE = Machine("A processor that nobody has", 2, "2.13.0")
NOISE = "float16 on this CPU runs through float32: the times say nothing of a device that has it"


def seconds(median: float, noise: tuple[int, ...], rounds: int) -> tuple[float, ...]:
    """Of so many rounds, around that number of made-up milliseconds."""
    return tuple(MILLISECOND * median * (64 + noise[each % len(noise)]) / 64 for each in range(rounds))


def report_of(
    rounds: int = ROUNDS,
    *,
    conditions: Conditions | None = None,
    times: Mapping[Side, float] = TIMES,
    noise: tuple[int, ...] = _QUIET,
    remarks: tuple[str, ...] = (),
    is_done: bool = True,
) -> SpeedReport:
    """A report after so many rounds; peaks come with the end."""
    timings = {side: Timing(seconds(time, noise, rounds)) for side, time in times.items()} if rounds else {}
    if rounds and noise == _QUIET:  # the gain has a spread, too
        timings[Side.FUSED] = Timing(seconds(times[Side.FUSED], (0, 0, 1, -1, 0), rounds))
    return SpeedReport(
        conditions or Conditions(),
        MACHINE,
        "float32",
        (1, 32, 32, 32),
        WORK,
        timings,
        PEAKS if is_done else None,
        remarks,
        is_done,
    )


FINISHED = report_of()
NOISY = report_of(noise=_LOUD, remarks=(NOISE,))
SLOWER = report_of(times={Side.UNFUSED: 1.0, Side.FOLDED: 1.0, Side.FUSED: 1.0625})
HALF_DONE = report_of(7, is_done=False)
NOTHING_YET = report_of(0, is_done=False)


@dataclass
class HeldMeasure:
    """A measure function that gives `steps`, and stands still before its end until it is let go.

    Attributes:
        measured: the study and the conditions of each measurement so far.
        ended: how many have come to their end, by themselves or stopped.
        raises: what it raises after its steps.
    """

    steps: tuple[Doing | SpeedReport, ...] = (FINISHED,)
    waits: bool = False
    raises: Exception | None = None
    measured: list[tuple[Study, Conditions]] = field(default_factory=list)
    let_go: threading.Event = field(default_factory=threading.Event)
    ended: int = 0

    def __call__(self, study: Study, conditions: Conditions) -> Iterator[Doing | SpeedReport]:
        self.measured.append((study, conditions))
        try:
            for step in self.steps:
                yield step if isinstance(step, Doing) else replace(step, conditions=conditions)
            if self.waits:
                yield Doing("measuring, round", 8, ROUNDS)
                assert self.let_go.wait(PATIENCE)
                yield replace(FINISHED, conditions=conditions)
            if self.raises is not None:
                raise self.raises
        finally:
            self.ended += 1
