"""Scale: from numbers to places along an axis, linear or logarithmic, and the round numbers on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

MARGIN = 0.06
"""Of the length, left free at both ends."""
_MOST = 8
_TINY = 1e-9


@dataclass(frozen=True, slots=True)
class Scale:
    """An axis from `low` to `high`, logarithms where `is_log`, drawn from `start` to `end`."""

    low: float
    high: float
    start: float
    end: float
    is_log: bool

    def at(self, number: float) -> float:
        """The place of a number."""
        share = (self._taken(number) - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def _taken(self, number: float) -> float:
        return log10(number) if self.is_log else number

    def ticks(self) -> list[float]:
        """Round numbers on it, ascending, few enough to be told apart."""
        if not self.is_log:
            return list(_linear(self.low, self.high))
        for digits in ((1, 1.5, 2, 3, 4, 5, 6, 8), (1, 2, 5), (1,)):
            found = list(_logarithmic(self.low, self.high, digits))
            if len(found) <= _MOST:
                return found
        return found[:: ceil(len(found) / _MOST)]


def scale_for(numbers: Sequence[float], start: float, end: float, *, is_log: bool) -> Scale:
    """One that holds all these numbers; of a logarithmic one they are above zero."""
    taken = [log10(number) if is_log else number for number in numbers] or [0.0]
    low, high = min(taken), max(taken)
    more = (high - low) * MARGIN or abs(high) * MARGIN or 1.0
    return Scale(low - more, high + more, start, end, is_log)


def _linear(low: float, high: float) -> Iterator[float]:
    power = 10.0 ** floor(log10((high - low) / _MOST))
    step = next(power * size for size in (1, 2, 5, 10) if (high - low) / (power * size) <= _MOST)
    for place in range(ceil(low / step - _TINY), floor(high / step + _TINY) + 1):
        yield place * step


def _logarithmic(low: float, high: float, digits: Sequence[float]) -> Iterator[float]:
    for power in range(floor(low), ceil(high) + 1):
        for digit in digits:
            if low - _TINY <= power + log10(digit) <= high + _TINY:
                yield digit * 10.0**power
