"""CurvePlot: lines with error bars, and a cursor on one place of them; it imports textual-plot and numpy."""

from __future__ import annotations

from itertools import pairwise
from math import log10
from typing import ClassVar

from textual.events import Resize
from textual.geometry import Size
from textual_hires_canvas import HiResMode
from textual_plot import LegendLocation

from tui.widgets.plot.curves import Curve, Curves, Mark
from tui.widgets.plot.still_plot import StillPlot
from tui.widgets.plot.ticks import NamedTicks, WrittenTicks

MARGIN = 0.06
"""Of the axis' length, left free at both its ends."""
LEFT = 10
"""Columns for what is written along the y axis."""
LEGEND_BELOW = 0.5
"""Of the height: where the right end of the curves lies higher, the legend stands at the bottom."""
COLOURS = ("first", "second", "third")


class CurvePlot(StillPlot):
    """Shows curves, and one place of them between two dotted ends of a vertical line."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"curves--{name}" for name in COLOURS),
        "curves--quiet",
        "curves--cursor",
    }
    DEFAULT_CSS = """
    CurvePlot {
        & > .curves--first { color: $text-primary; }
        & > .curves--second { color: $text-warning; }
        & > .curves--third { color: $text-success; }
        & > .curves--quiet { color: $foreground 45%; }
        & > .curves--cursor { color: $foreground; text-style: bold; }
        & #legend { border: none; background: $background; color: $foreground 80%; width: auto; }
    }
    """

    def __init__(self, curves: Curves, cursor: int | None, *, id: str | None = None) -> None:
        """`cursor`: the place that stands out; None for none."""
        super().__init__(id=id)
        self._curves, self._cursor = curves, cursor
        self._size_drawn = Size(0, 0)
        # The titles of the axes stand outside; a margin that changed later would leave the frame as it was.
        self.set_reactive(CurvePlot.margin_top, 0)
        self.set_reactive(CurvePlot.margin_bottom, 1)
        self.set_reactive(CurvePlot.margin_left, LEFT)

    def show(self, curves: Curves, cursor: int | None) -> None:
        """Plot these, unless they are what is plotted."""
        if (curves, cursor) != (self._curves, self._cursor):
            self._curves, self._cursor = curves, cursor
            self.draw()

    def place_at(self, column: int) -> int | None:
        """The place that is nearest to this column of the plot; None where nothing is plotted."""
        shown = self._curves
        if not shown.places or not shown.numbers:
            return None
        columns = [
            self.margin_left + self.get_pixel_from_coordinate(_at(place, is_log=shown.log_x), 0.0)[0]
            for place in shown.places
        ]
        return min(range(len(columns)), key=lambda place: abs(columns[place] - column))

    def on_resize(self, event: Resize) -> None:
        """See how many ticks fit; what only comes into sight again is there already."""
        if event.size != self._size_drawn:
            self.call_after_refresh(self.draw)

    def draw(self) -> None:
        """Plot everything anew, as one frame."""
        if not self.is_mounted or not self.children:
            return
        shown = self._curves
        self._size_drawn = self.size
        with self.app.batch_update():
            self.clear()
            numbers = [_at(number, is_log=shown.log_y) for number in shown.numbers]
            if not shown.places:
                return
            places = [_at(place, is_log=shown.log_x) for place in shown.places]
            x, y = _limits(places), _limits(numbers or [0.0])
            self.set_yticks(None if numbers else ())  # nothing is known yet of how high it goes
            self._axes(shown, places, x, y)
            self._lines(shown, places, x, y)
            self.render()  # now: left to the next frame, it would be drawn in that and shown in the one after

    def _axes(
        self, shown: Curves, places: list[float], x: tuple[float, float], y: tuple[float, float]
    ) -> None:
        self.set_xlimits(*x)
        self.set_ylimits(*y)
        columns = max(1, self.size.width - self.margin_left - 2)
        rows = max(1, self.size.height - self.margin_top - self.margin_bottom - 2)
        self.set_x_formatter(NamedTicks(list(zip(places, shown.names, strict=True)), columns))
        self.set_y_formatter(WrittenTicks(shown.written, is_log=shown.log_y, most=max(2, rows // 2)))

    def _lines(
        self, shown: Curves, places: list[float], x: tuple[float, float], y: tuple[float, float]
    ) -> None:
        quiet, cursor = self._colour("quiet"), self._colour("cursor")
        if shown.rule is not None and shown.numbers:
            level = _at(shown.rule, is_log=shown.log_y)
            self.plot(x, (level, level), line_style=quiet, hires_mode=HiResMode.BRAILLE)
        here = None if self._cursor is None or self._cursor >= len(places) else places[self._cursor]
        if here is not None:
            self.plot((here, here), y, line_style=quiet, hires_mode=HiResMode.BRAILLE)
        for curve, name in zip(shown.curves, COLOURS, strict=False):
            self._curve(shown, curve, places, self._colour(name))
        if here is not None and self._cursor is not None:
            marks = [mark for curve in shown.curves if (mark := curve.marks[self._cursor]) is not None]
            for curve, mark in zip(shown.curves, marks, strict=False):
                level = _at(mark.middle, is_log=shown.log_y)
                self.scatter([here], [level], marker=curve.sign, marker_style=f"{cursor} reverse")
        several = len(shown.curves) > 1
        self.show_legend(_free_corner(shown, places, y), is_visible=several)

    def _curve(self, shown: Curves, curve: Curve, places: list[float], colour: str) -> None:
        there = [(place, mark) for place, mark in zip(places, curve.marks, strict=True) if mark is not None]
        if not there:
            return
        xs = [place for place, _ in there]
        ys = [_at(mark.middle, is_log=shown.log_y) for _, mark in there]
        for (left, one), (right, other) in pairwise(zip(places, curve.marks, strict=True)):
            if one is not None and other is not None:  # nothing is known between the others
                ends = [_at(mark.middle, is_log=shown.log_y) for mark in (one, other)]
                self.plot((left, right), ends, line_style=colour, hires_mode=HiResMode.BRAILLE)
        spread = [(place, mark) for place, mark in there if mark.high > mark.low]
        if spread:
            bars = [_ends(mark, is_log=shown.log_y) for _, mark in spread]
            self.errorbar(
                [place for place, _ in spread],
                [(low + high) / 2 for low, high in bars],
                yerr=[(high - low) / 2 for low, high in bars],
                marker="│",
                marker_style=colour,
            )
        self.scatter(xs, ys, marker=curve.sign, marker_style=colour, label=curve.label)

    def _colour(self, name: str) -> str:
        style = self.get_component_rich_style(f"curves--{name}")
        colour = style.color.name if style.color is not None else "default"
        return f"bold {colour}" if style.bold else colour


def _at(number: float, *, is_log: bool) -> float:
    return log10(number) if is_log else number


def _ends(mark: Mark, *, is_log: bool) -> tuple[float, float]:
    return _at(mark.low, is_log=is_log), _at(mark.high, is_log=is_log)


def _limits(numbers: list[float]) -> tuple[float, float]:
    """From the smallest to the largest, and a little beyond."""
    low, high = min(numbers), max(numbers)
    more = (high - low) * MARGIN or max(abs(high) * MARGIN, 1e-9)
    return low - more, high + more


def _free_corner(shown: Curves, places: list[float], y: tuple[float, float]) -> LegendLocation:
    """A corner in which few marks are."""
    middle = (min(places) + max(places)) / 2
    halves = {True: LegendLocation.TOPRIGHT, False: LegendLocation.TOPLEFT}
    counted = dict.fromkeys(LegendLocation, 0)
    for curve in shown.curves:
        for place, mark in zip(places, curve.marks, strict=True):
            if mark is None:
                continue
            level = (_at(mark.middle, is_log=shown.log_y) - y[0]) / (y[1] - y[0])
            top = halves[place > middle]
            below = {
                LegendLocation.TOPRIGHT: LegendLocation.BOTTOMRIGHT,
                LegendLocation.TOPLEFT: LegendLocation.BOTTOMLEFT,
            }[top]
            counted[top if level > LEGEND_BELOW else below] += 1
    return min(LegendLocation, key=lambda corner: counted[corner])
