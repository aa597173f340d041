"""Quantities: what is looked at along a sweep, as numbers for a plot and as people read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from tui.analysis.quantities import memory_in_words, short_count, two_digits
from tui.analysis.speed.report import Side
from tui.analysis.speed.timing import Spread
from tui.analysis.sweep.point import Numbers, Point
from tui.analysis.verdict.in_words import percent

LOG_FROM = 10.0
"""Largest / smallest number from which on a scale is logarithmic."""

NO_DIFFERENCE = "no difference"
"""Of a gain whose quartiles lie on both sides of 1."""


class Quantity(StrEnum):
    """What can be looked at; the value is what it is called."""

    SPEED_UP = "speed-up"
    TIME = "time"
    DIFFERENCE = "max |d|"
    BUDGET = "budget used"
    MEMORY = "memory"
    MACS = "MACs"

    @property
    def unit(self) -> str:
        """What its numbers are counted in, where they are not bare ones."""
        return {Quantity.SPEED_UP: "×", Quantity.TIME: "s", Quantity.MEMORY: "bytes"}.get(self, "")

    @property
    def neutral(self) -> float | None:
        """The number at which nothing is gained or lost; None where there is none."""
        return {Quantity.SPEED_UP: 1.0, Quantity.BUDGET: 1.0}.get(self)

    @property
    def explained(self) -> str:
        """What it is, in a line."""
        return _EXPLAINED[self]

    @property
    def explained_in_a_map(self) -> str:
        """The same where there is room for one number of each point."""
        return f"{self.explained}; of the fused side" if self in _OF_SEVERAL_SIDES else self.explained


_OF_SEVERAL_SIDES = (Quantity.TIME, Quantity.MACS)
_EXPLAINED = {
    Quantity.SPEED_UP: "of fused over as it is; median and quartiles",
    Quantity.TIME: "of one run; median and quartiles",
    Quantity.DIFFERENCE: "the largest |fused − unfused|, of a run that was not timed",
    Quantity.BUDGET: "the largest share of the rounding budget",
    Quantity.MEMORY: "of studying the block, estimated",
    Quantity.MACS: "of one run",
}


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a plot: a number for each point, or None where there is none; `label` says of what."""

    label: str
    values: tuple[Spread | None, ...]


def series_of(quantity: Quantity, points: Sequence[Point | None]) -> tuple[Series, ...]:
    """The lines of that quantity over these points, some of which may be still to come."""
    match quantity:
        case Quantity.TIME:
            return tuple(Series(side, tuple(_time(point, side) for point in points)) for side in Side)
        case Quantity.MACS:
            return tuple(
                Series(side, tuple(_macs(point, side) for point in points))
                for side in (Side.UNFUSED, Side.FUSED)
            )
    return (Series(quantity, tuple(value_of(quantity, point) for point in points)),)


def value_of(quantity: Quantity, point: Point | None) -> Spread | None:
    """The one number of a point, where there is room for one: time and MACs are the fused side's."""
    numbers = _numbers(point)
    if numbers is None:
        return None
    match quantity:
        case Quantity.SPEED_UP:
            return numbers.speed_up
        case Quantity.TIME:
            return numbers.time(Side.FUSED)
        case Quantity.DIFFERENCE:
            return _exactly(numbers.max_abs_diff)
        case Quantity.BUDGET:
            return _exactly(numbers.budget_used)
        case Quantity.MEMORY:
            return _exactly(numbers.bytes)
    return _exactly(numbers.macs.fused)


def shown(quantity: Quantity, value: float) -> str:
    """A number of that quantity in the unit that reads best: "1.42 ×", "850 µs", "12 %"."""
    match quantity:
        case Quantity.SPEED_UP:
            return f"{times_in_digits(value)} ×"
        case Quantity.TIME:
            return seconds_in_digits(value)
        case Quantity.DIFFERENCE:
            return two_digits(value)
        case Quantity.BUDGET:
            return percent(value)
        case Quantity.MEMORY:
            return memory_in_words(round(value))
    return short_count(round(value))


def briefly(quantity: Quantity, value: float) -> str:
    """The number in at most eight columns, for a cell: "1.42", "850 µs"."""
    if quantity is Quantity.SPEED_UP:
        return times_in_digits(value)
    if quantity is Quantity.BUDGET:
        return "<1 %" if 0 < value < 0.01 else f"{100 * value:.0f} %"
    return shown(quantity, value)


def times_in_digits(value: float) -> str:
    """A ratio in three digits: "1.42", "12.3", "120"."""
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def seconds_in_digits(value: float) -> str:
    """A time in three digits: "850 µs", "1.42 ms", "12.3 s"."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= size:
            return f"{times_in_digits(value / size)} {unit}"
    return f"{value * 1e9:.0f} ns"


def quartiles_in_words(gain: Spread | None, rounds: int) -> str:
    """Of a ratio: "1.31 to 1.38"; "-" of a single round, which has none."""
    if gain is None or rounds < 2:
        return "-"
    return f"{times_in_digits(gain.low)} to {times_in_digits(gain.high)}"


def is_geometric(numbers: Sequence[float]) -> bool:
    """Whether numbers lie more evenly by their ratios than by their differences: 8, 16, 32, 64.

    >>> is_geometric([8, 16, 32, 64]), is_geometric([8, 16, 24, 32])
    (True, False)
    """
    steps = list(pairwise(sorted(set(numbers))))
    if len(steps) < 2 or min(numbers) <= 0:
        return False
    ratios, differences = [b / a for a, b in steps], [b - a for a, b in steps]
    return max(ratios) / min(ratios) < max(differences) / min(differences)


def spans_decades(numbers: Sequence[float]) -> bool:
    """Whether numbers are so far apart that a logarithmic scale serves."""
    return len(numbers) > 1 and min(numbers) > 0 and max(numbers) / min(numbers) >= LOG_FROM


def _numbers(point: Point | None) -> Numbers | None:
    return None if point is None else point.numbers


def _time(point: Point | None, side: Side) -> Spread | None:
    numbers = _numbers(point)
    return None if numbers is None else numbers.time(side)


def _macs(point: Point | None, side: Side) -> Spread | None:
    numbers = _numbers(point)
    if numbers is None:
        return None
    return _exactly(numbers.macs.fused if side is Side.FUSED else numbers.macs.unfused)


def _exactly(value: float) -> Spread:
    return Spread(value, value, value)
