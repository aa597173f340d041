"""The plot of a sweep over one axis: lines with error bars, and a legend where there are several."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import isfinite

from tui.analysis.speed.timing import Spread
from tui.analysis.sweep.plan import Plan
from tui.analysis.sweep.point import Point
from tui.analysis.sweep.quantities import (
    Quantity,
    Series,
    briefly,
    is_geometric,
    series_of,
    spans_decades,
)
from tui.export.sweep_figure.drawing import GRID, HEIGHT, INK, QUIET, WIDTH, line, mark, rectangle, text
from tui.export.sweep_figure.scale import Scale, scale_for

LEFT, TOP, RIGHT, BOTTOM = 90, 64, 24, 72
COLOURS = ("#1f6feb", "#b35900", "#1a7f37")
_CAP = 4


def plot_of(plan: Plan, points: Sequence[Point], quantity: Quantity) -> Iterator[str]:
    """Everything within the frame and along it; a line breaks where a point has no number."""
    (along,) = plan.ranges
    by_values = {point.values: point for point in points}
    numbers = along.numbers
    order = [place for place, cell in enumerate(plan.cells) if cell.spec is not None]
    if numbers is not None:
        order.sort(key=lambda place: numbers[place])
    places = [float(numbers[place] if numbers is not None else rank) for rank, place in enumerate(order)]
    lines = series_of(quantity, [by_values.get((along.values[place],)) for place in order])
    x = scale_for(
        places, LEFT, WIDTH - RIGHT, is_log=numbers is not None and bool(places) and is_geometric(places)
    )
    y = _upwards(lines, quantity)
    yield from _frame(quantity, y)
    for place, name in zip(places, (along.values[each].text for each in order), strict=True):
        yield line(x.at(place), HEIGHT - BOTTOM, x.at(place), HEIGHT - BOTTOM + 5, QUIET)
        yield text(x.at(place), HEIGHT - BOTTOM + 20, name, anchor="middle", colour=QUIET)
    title = f"{along.axis.label}, logarithmic" if x.is_log else along.axis.label
    yield text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - BOTTOM + 40, title, anchor="middle")
    for kind, series in enumerate(lines):
        yield from _line(series, places, x, y, kind)
    if len(lines) > 1:
        yield from _legend(lines)


def _upwards(lines: Sequence[Series], quantity: Quantity) -> Scale:
    ends = [
        end
        for series in lines
        for spread in series.values
        if spread is not None
        for end in (spread.low, spread.high)
        if isfinite(end)
    ]
    if ends and quantity.neutral is not None:
        ends.append(quantity.neutral)
    return scale_for(ends, HEIGHT - BOTTOM, TOP, is_log=spans_decades(ends))


def _frame(quantity: Quantity, y: Scale) -> Iterator[str]:
    for tick in y.ticks():
        yield line(LEFT, y.at(tick), WIDTH - RIGHT, y.at(tick), GRID)
        yield text(LEFT - 8, y.at(tick) + 4, briefly(quantity, tick), anchor="end", colour=QUIET)
    if quantity.neutral is not None:
        level = y.at(quantity.neutral)
        yield line(LEFT, level, WIDTH - RIGHT, level, QUIET, dashed=True)
    yield rectangle(LEFT, TOP, WIDTH - RIGHT - LEFT, HEIGHT - BOTTOM - TOP, "none", stroke=QUIET)
    unit = f"{quantity}, {quantity.unit}" if quantity is Quantity.SPEED_UP else str(quantity)
    yield text(24, (TOP + HEIGHT - BOTTOM) / 2, unit, anchor="middle", turned=True)


def _line(series: Series, places: Sequence[float], x: Scale, y: Scale, kind: int) -> Iterator[str]:
    colour = COLOURS[kind]
    known = [
        (x.at(place), spread if spread is not None and isfinite(spread.median) else None)
        for place, spread in zip(places, series.values, strict=True)
    ]
    for (left, one), (right, other) in pairwise(known):
        if one is not None and other is not None:
            yield line(left, y.at(one.median), right, y.at(other.median), colour, width=1.5)
    for place, spread in known:
        if spread is not None:
            yield from _error_bar(place, spread, y, colour)
            yield mark(place, y.at(spread.median), kind, colour)


def _error_bar(place: float, spread: Spread, y: Scale, colour: str) -> Iterator[str]:
    if not (spread.high > spread.low and isfinite(spread.low) and isfinite(spread.high)):
        return
    low, high = y.at(spread.low), y.at(spread.high)
    yield line(place, low, place, high, colour)
    for end in (low, high):
        yield line(place - _CAP, end, place + _CAP, end, colour)


def _legend(lines: Sequence[Series]) -> Iterator[str]:
    """On the right of the title, where no mark can be."""
    for kind, series in enumerate(lines):
        left = WIDTH - RIGHT - 110 * (len(lines) - kind)
        yield mark(left, 24, kind, COLOURS[kind])
        yield text(left + 10, 28, series.label, colour=INK)
