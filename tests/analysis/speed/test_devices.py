"""How time is taken, by clocks that are made up; and what is said of a machine that others use too."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from tests.analysis.speed.made_up import MACHINE
from tui.analysis.speed.arithmetic import Peaks, Work
from tui.analysis.speed.conditions import Conditions
from tui.analysis.speed.devices import WaitingClock
from tui.analysis.speed.remarks import (
    ABOVE_THE_COPY,
    ABOVE_THE_PRODUCT,
    disturbed_in_words,
    remarks_after,
)
from tui.analysis.speed.report import Side, SpeedReport
from tui.analysis.speed.timing import Timing


def test_seconds_are_of_one_run_and_the_device_has_ended_before_the_clock_is_read() -> None:
    told: list[str] = []
    ticks = iter((10.0, 16.0))

    def clock() -> float:
        told.append("clock")
        return next(ticks)

    watch = WaitingClock(clock, lambda: told.append("wait"))
    assert watch.seconds(lambda: told.append("run"), 3) == 2.0
    assert told == ["wait", "clock", "run", "run", "run", "wait", "clock"]
    assert watch.busy == 1.0


def test_how_much_of_the_time_the_processor_was_ours() -> None:
    wall: Iterator[int] = count(0, 4)
    ours: Iterator[int] = count(0, 3)
    watch = WaitingClock(lambda: next(wall), worked=lambda: next(ours))
    watch.seconds(lambda: None, 1)
    watch.seconds(lambda: None, 5)
    assert watch.busy == 0.75


def report(**times: float) -> SpeedReport:
    work = {side: Work(10, 500, 600, 400, 1) for side in Side}
    timings = {Side[name.upper()]: Timing((seconds,)) for name, seconds in times.items()}
    return SpeedReport(
        Conditions(), MACHINE, "float32", (1, 1, 1, 1), work, timings, peaks=Peaks(1e6, 1e6), is_done=True
    )


def test_what_is_above_the_peaks_is_explained() -> None:
    assert remarks_after(report(unfused=2e-3, fused=2e-3)) == ()
    both = remarks_after(report(unfused=2e-3, fused=0.5e-3))
    assert both == (ABOVE_THE_PRODUCT, ABOVE_THE_COPY)


def test_a_busy_machine_is_told() -> None:
    assert remarks_after(report(unfused=2e-3), busy=0.95) == ()
    (words,) = remarks_after(report(unfused=2e-3), busy=0.62)
    assert words == disturbed_in_words(0.62, threads=2)
    assert "for about 40 % of the time" in words
