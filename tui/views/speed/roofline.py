"""The roofline: what this machine can reach for each FLOP/byte, and how near the sides come to it."""

from __future__ import annotations

from math import ceil, floor, log10
from typing import TYPE_CHECKING

from textual.content import Content
from textual_plot import HiResMode

from tui.analysis.speed.report import Side, SpeedReport
from tui.views.shared.styles import MUTED
from tui.views.speed.figures import three_digits
from tui.views.speed.side_tables import MARKS
from tui.widgets.plot.decades import Decades
from tui.widgets.plot.still_plot import StillPlot

if TYPE_CHECKING:
    from tui.analysis.speed.arithmetic import Peaks

_GIGA = 1e9
_ORDER = (Side.FOLDED, Side.UNFUSED, Side.FUSED)
"""In which the points are drawn: where two fall on one place, the later one is seen."""
_COLUMNS, _ROWS = 16, 10
"""Of a power of ten, where 2 and 5 times it are marked too."""
_HEADROOM = 0.15
"""Decades between the roof and the upper edge."""


class Roofline(StillPlot):
    """FLOP/byte against GFLOP/s, both as powers of ten, with the roof and a mark for each side."""

    _shown: SpeedReport | None = None

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.set_reactive(Roofline.margin_top, 1)
        self.set_reactive(Roofline.margin_bottom, 1)
        self.set_reactive(Roofline.margin_left, 8)
        self.set_x_formatter(Decades(lambda: self.size.width - 9, apart=_COLUMNS))
        self.set_y_formatter(Decades(lambda: self.size.height - 4, apart=_ROWS))
        self.set_ylabel("GFLOP/s")

    def show(self, report: SpeedReport) -> None:
        """Draw the sides of this report, whose peaks are known."""
        changed, self._shown = report is not self._shown, report
        if self.is_mounted and changed:
            self.draw()

    def draw(self) -> None:
        """The roof, and on or under it the sides."""
        if self._shown is None or self._shown.peaks is None:
            return
        peaks, points = self._shown.peaks, points_of(self._shown)
        left, right, low, high = limits(peaks, list(points.values()))
        colours = self.app.theme_variables
        self.clear()
        self.set_xlimits(left, right)
        self.set_ylimits(low, high)
        bend = log10(peaks.ridge)
        roof = [(x, log10(peaks.roof(10**x) / _GIGA)) for x in (left, min(max(bend, left), right), right)]
        xs, ys = zip(*_inside(roof, low), strict=True)
        self.plot(xs, ys, line_style=colours["primary"], hires_mode=HiResMode.BRAILLE)
        for side in _ORDER:
            if side in points:
                x, y = points[side]
                self.scatter([x], [y], marker=MARKS[side], marker_style=f"bold {colours['accent']}")


def points_of(report: SpeedReport) -> dict[Side, tuple[float, float]]:
    """Decimal logarithms of (FLOP/byte, GFLOP/s) of each side that was timed and multiplies anything."""
    points = {}
    for side in Side:
        reached = report.flops_reached(side)
        if reached:
            points[side] = log10(report.work[side].intensity), log10(reached / _GIGA)
    return points


def limits(peaks: Peaks, points: list[tuple[float, float]]) -> tuple[float, float, float, float]:
    """Left, right, lowest, highest, as logarithms: all points, the bend of the roof, and the roof itself."""
    bend, top = log10(peaks.ridge), log10(peaks.flops / _GIGA)
    left = min(floor(x) for x in (bend - 1, *(x for x, _ in points)))
    right = max(ceil(x) for x in (bend + 1, *(x for x, _ in points)))
    low = min(floor(y) for y in (top - 1, *(y - _HEADROOM for _, y in points)))
    return left, right, low, max(y for y in (top, *(y for _, y in points))) + _HEADROOM


def _inside(roof: list[tuple[float, float]], low: float) -> list[tuple[float, float]]:
    """The roof without what lies below the lower edge."""
    (x, y), (bend, top), end = roof
    if y < low < top:
        x, y = x + (bend - x) * (low - y) / (top - y), low
    return [(x, y), (bend, top), end]


def key_to(report: SpeedReport) -> Content:
    """What is seen in the plot, and the numbers of the roof."""
    assert report.peaks is not None
    flops, bandwidth = report.peaks.flops / _GIGA, report.peaks.bandwidth / _GIGA
    marks = "  ".join(f"{mark} {side}" for side, mark in MARKS.items())
    return Content.assemble(
        (f"FLOP/byte →   {marks}\n", ""),
        ("⠒⠒ roof: ", MUTED),
        three_digits(flops),
        (" GFLOP/s (large matmul), ", MUTED),
        three_digits(bandwidth),
        (" GB/s (large copy)", MUTED),
    )
