"""The map of a sweep over two axes: every number in its cell, on a colour that repeats it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isfinite, log2

from tui.analysis.sweep.plan import Plan
from tui.analysis.sweep.point import Point
from tui.analysis.sweep.quantities import Quantity, briefly, spans_decades, value_of
from tui.export.sweep_figure.drawing import GRID, HEIGHT, INK, QUIET, WIDTH, rectangle, text

LEFT, TOP, RIGHT, BOTTOM = 110, 86, 24, 40
_ABOVE, _BELOW = (31, 111, 235), (217, 119, 6)
_DEEPEST = 0.75
"""Of a colour, beside white: dark ink can be read on it."""


def map_of(plan: Plan, points: Sequence[Point], quantity: Quantity) -> Iterator[str]:
    """The names of rows and columns, and the cells."""
    down, across = plan.ranges
    width = (WIDTH - LEFT - RIGHT) / len(across.values)
    height = (HEIGHT - TOP - BOTTOM) / len(down.values)
    by_values = {point.values: point for point in points}
    parts = _parts(quantity, points)
    yield text((LEFT + WIDTH - RIGHT) / 2, TOP - 22, across.axis.label, anchor="middle")
    yield text(24, (TOP + HEIGHT - BOTTOM) / 2, down.axis.label, anchor="middle", turned=True)
    for column, value in enumerate(across.values):
        yield text(LEFT + (column + 0.5) * width, TOP - 7, value.text, anchor="middle", colour=QUIET)
    for row, first in enumerate(down.values):
        middle = TOP + (row + 0.5) * height + 4
        yield text(LEFT - 8, middle, first.text, anchor="end", colour=QUIET)
        for column, second in enumerate(across.values):
            point = by_values.get((first, second))
            part = parts.get((first.text, second.text))
            left, top = LEFT + column * width, TOP + row * height
            yield rectangle(left, top, width, height, _colour(part), stroke=GRID)
            ink = QUIET if part is None else INK
            yield text(left + width / 2, middle, _words(quantity, point), anchor="middle", colour=ink)


def _words(quantity: Quantity, point: Point | None) -> str:
    if point is None:
        return ""
    value = value_of(quantity, point)
    return point.state if value is None else briefly(quantity, value.median)


def _parts(quantity: Quantity, points: Sequence[Point]) -> dict[tuple[str, ...], float]:
    """How far each number lies above or below what is neutral, from -1 to 1; else from the least on."""
    numbers = {
        tuple(each.text for each in point.values): value.median
        for point in points
        if (value := value_of(quantity, point)) is not None and isfinite(value.median)
    }
    if quantity is Quantity.SPEED_UP:
        logs = {place: log2(number) for place, number in numbers.items()}
        largest = max(map(abs, logs.values()), default=0) or 1.0
        return {place: number / largest for place, number in logs.items()}
    if spans_decades(list(numbers.values())):
        numbers = {place: log2(number) for place, number in numbers.items()}
    low, high = min(numbers.values(), default=0.0), max(numbers.values(), default=0.0)
    return {place: (number - low) / ((high - low) or 1.0) for place, number in numbers.items()}


def _colour(part: float | None) -> str:
    if part is None:
        return "#ffffff"
    share = abs(part) * _DEEPEST
    mixed = (round(255 + (end - 255) * share) for end in (_ABOVE if part > 0 else _BELOW))
    return "#" + "".join(f"{each:02x}" for each in mixed)
