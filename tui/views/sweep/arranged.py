"""The points of a sweep as what a plot, a heat map and a table show."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from math import isfinite, log2

from tui.analysis.speed.timing import Spread
from tui.analysis.sweep.plan import Plan
from tui.analysis.sweep.point import Point
from tui.analysis.sweep.quantities import (
    Quantity,
    briefly,
    is_geometric,
    series_of,
    spans_decades,
    value_of,
)
from tui.widgets.heat_map import HeatCell, HeatTable
from tui.widgets.plot.curves import Curve, Curves, Mark

SIGNS = ("●", "◆", "▲")
"""Of the lines of a plot, in their order."""
STATES = {"skipped": "skip", "refused": "too large", "failed": "failed"}
"""In a cell, in the place of a number."""
COMING = "·"


def places_of(plan: Plan) -> tuple[int, ...]:
    """The places of the points of a sweep over one axis in the order in which they stand along it.

    Those of which there is no block are left out: they are named elsewhere.
    """
    places = [place for place, cell in enumerate(plan.cells) if cell.spec is not None]
    numbers = plan.ranges[0].numbers
    return tuple(places if numbers is None else sorted(places, key=lambda place: numbers[place]))


def numbers_along(plan: Plan) -> tuple[int, ...] | None:
    """Where these points stand on an axis of numbers, ascending; None where the values are names."""
    numbers = plan.ranges[0].numbers
    return None if numbers is None else tuple(numbers[place] for place in places_of(plan))


def is_log_along(plan: Plan) -> bool:
    """Whether that axis is logarithmic."""
    numbers = numbers_along(plan)
    return bool(numbers) and is_geometric(numbers or ())


def curves_of(plan: Plan, points: Sequence[Point], quantity: Quantity) -> Curves:
    """The lines of a quantity along the one axis."""
    (along,), order = plan.ranges, places_of(plan)
    by_values = {point.values: point for point in points}
    ordered = [by_values.get((along.values[place],)) for place in order]
    numbers = numbers_along(plan)
    places = range(1, len(order) + 1) if numbers is None else numbers
    curves = tuple(
        Curve(series.label, sign, tuple(map(_mark, series.values)))
        for series, sign in zip(series_of(quantity, ordered), SIGNS, strict=False)
    )
    ends = [mark.low for curve in curves for mark in curve.marks if mark]
    ends += [mark.high for curve in curves for mark in curve.marks if mark]
    return Curves(
        tuple(map(float, places)),
        tuple(along.values[place].text for place in order),
        curves,
        log_x=is_log_along(plan),
        log_y=spans_decades(ends),
        rule=quantity.neutral,
        written=_in_digits(quantity),
    )


def heat_of(plan: Plan, points: Sequence[Point], quantity: Quantity) -> HeatTable:
    """A quantity over two axes; what has no number is told in a word."""
    down, across = plan.ranges
    by_values = {point.values: point for point in points}
    rows = [[by_values.get((row, column)) for column in across.values] for row in down.values]
    numbers = [number for row in rows for point in row if (number := _number(quantity, point)) is not None]
    scale = _Scale(quantity, numbers)
    return HeatTable(
        tuple(value.text for value in down.values),
        tuple(value.text for value in across.values),
        tuple(tuple(_cell(quantity, point, scale) for point in row) for row in rows),
    )


@cache
def _in_digits(quantity: Quantity) -> Callable[[float], str]:
    """How its numbers are written; the same object each time, so that equal curves are equal."""
    return partial(briefly, quantity)


class _Scale:
    """From a number to its colour: on both sides of what is neutral, or from the smallest to the largest."""

    def __init__(self, quantity: Quantity, numbers: Sequence[float]) -> None:
        self._neutral = quantity.neutral if quantity is Quantity.SPEED_UP else None
        self._is_log = self._neutral is not None or spans_decades(numbers)
        taken = [self._taken(number) for number in numbers] or [0.0]
        self._low, self._high = min(taken), max(taken)

    def _taken(self, number: float) -> float:
        return log2(number / (self._neutral or 1)) if self._is_log else number

    def part(self, number: float) -> float:
        """From -1 to 1."""
        taken = self._taken(number)
        if self._neutral is not None:
            largest = max(abs(self._low), abs(self._high))
            return taken / largest if largest else 0.0
        length = self._high - self._low
        return (taken - self._low) / length if length else 0.0


def _cell(quantity: Quantity, point: Point | None, scale: _Scale) -> HeatCell:
    if point is None:
        return HeatCell(COMING)
    number = _number(quantity, point)
    if number is None:
        return HeatCell(STATES.get(point.state, "-"))
    return HeatCell(briefly(quantity, number), scale.part(number))


def _number(quantity: Quantity, point: Point | None) -> float | None:
    value = value_of(quantity, point)
    return None if value is None or not isfinite(value.median) else value.median


def _mark(spread: Spread | None) -> Mark | None:
    if spread is None or not all(map(isfinite, (spread.low, spread.median, spread.high))):
        return None
    return Mark(spread.low, spread.median, spread.high)
