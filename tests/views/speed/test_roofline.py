"""Where the roof and the sides stand in the plot."""

from __future__ import annotations

from dataclasses import replace
from math import log10

import pytest

from tests.speed_reports import FINISHED, NOTHING_YET, PEAKS
from tui.analysis.speed.arithmetic import Peaks, Work
from tui.analysis.speed.report import Side
from tui.views.speed.roofline import key_to, limits, points_of


def test_a_point_is_what_a_side_reaches_at_its_intensity() -> None:
    x, y = points_of(FINISHED)[Side.UNFUSED]
    assert 10**x == pytest.approx(4.0)
    flops = FINISHED.flops_reached(Side.UNFUSED)
    assert flops is not None
    assert 10**y == pytest.approx(flops / 1e9)
    assert points_of(NOTHING_YET) == {}


def test_a_side_that_multiplies_nothing_has_no_point() -> None:
    idle = replace(FINISHED, work={**FINISHED.work, Side.UNFUSED: Work(0, 0, 8, 8, 1)})
    assert set(points_of(idle)) == {Side.FOLDED, Side.FUSED}


@pytest.mark.parametrize("points", [[], [(-2.4, -3.2)], [(3.3, 2.9)]], ids=["none", "low", "over the roof"])
def test_all_points_and_the_bend_are_inside(points: list[tuple[float, float]]) -> None:
    left, right, low, high = limits(PEAKS, points)
    for x, y in (*points, (log10(PEAKS.ridge), log10(PEAKS.flops / 1e9))):
        assert left <= x <= right
        assert low < y < high


def test_the_key_names_the_marks_and_the_peaks() -> None:
    first, second = key_to(replace(FINISHED, peaks=Peaks(61.2e9, 14.1e9))).plain.split("\n")
    assert first == "FLOP/byte →   ○ as it is  △ norms folded  ● fused"
    assert second == "⠒⠒ roof: 61.2 GFLOP/s (large matmul), 14.1 GB/s (large copy)"
