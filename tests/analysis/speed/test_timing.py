"""Median, quartiles and the ratio pair by pair, of times that are given."""

from __future__ import annotations

import pytest

from tui.analysis.speed.arithmetic import Peaks, Work
from tui.analysis.speed.conditions import Conditions
from tui.analysis.speed.report import Machine, Side, SpeedReport
from tui.analysis.speed.timing import Spread, Timing, speed_up, spread_of


def test_a_drift_of_the_machine_leaves_the_ratio_alone() -> None:
    drift = (1.0, 2.0, 4.0, 8.0)
    before, after = Timing(tuple(3 * second for second in drift)), Timing(drift)
    assert speed_up(before, after) == Spread(3.0, 3.0, 3.0)


def test_a_round_that_only_one_side_has_had_is_left_out() -> None:
    assert speed_up(Timing((2.0, 2.0, 50.0)), Timing((1.0, 1.0))).high == 2.0


def test_quartiles() -> None:
    assert spread_of((4.0, 1.0, 9.0, 3.0, 2.0)) == Spread(2.0, 3.0, 4.0)
    assert spread_of((4.0,)) == Spread(4.0, 4.0, 4.0)
    with pytest.raises(ValueError, match="nothing was measured"):
        spread_of(())


@pytest.mark.parametrize(("iqr", "noisy"), [(0.1875, False), (0.25, True)])
def test_noisy(iqr: float, noisy: bool) -> None:
    assert Spread(1 - iqr / 2, 1.0, 1 + iqr / 2).is_noisy == noisy


def test_what_a_report_says_before_and_after_the_first_round() -> None:
    work = {side: Work(10, 1000 * place, 400, 100, place) for place, side in enumerate(reversed(Side), 1)}
    report = SpeedReport(Conditions(), Machine("a processor", 2, "2.13.0"), "float32", (1, 8, 56, 56), work)
    assert report.rounds == 0
    assert report.gain() is None
    assert report.time(Side.FUSED) is None
    assert report.gain_by_macs == 3.0
    times = {Side.UNFUSED: Timing((0.4, 0.4)), Side.FUSED: Timing((0.1,))}
    timed = SpeedReport(
        report.conditions, report.machine, report.dtype, report.input_nchw, report.work, timings=times
    )
    assert timed.rounds == 1
    gain = timed.gain()
    assert gain is not None
    assert gain.median == 4.0
    assert timed.flops_reached(Side.FUSED) == 2 * 1000 / 0.1


def test_the_roof_is_the_lower_of_both_limits() -> None:
    peaks = Peaks(flops=100.0, bandwidth=10.0)
    assert [peaks.roof(intensity) for intensity in (1.0, peaks.ridge, 100.0)] == [10.0, 100.0, 100.0]
