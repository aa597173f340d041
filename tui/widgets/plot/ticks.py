"""Where an axis is marked, and with what: round numbers, linear or logarithmic; names as far as they fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil, floor, log10

from textual_plot.axis_formatter import AxisFormatter, NumericAxisFormatter

_BETWEEN = (1.0, 2.0, 5.0)
_FINER = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0)
"""What is marked in each power of ten: few where there are several, more within one."""
_TINY = 1e-9


class WrittenTicks(AxisFormatter):
    """Round numbers, written by `written`; of a logarithmic axis what is plotted is the decimal logarithm."""

    def __init__(self, written: Callable[[float], str], *, is_log: bool, most: int) -> None:
        self._written = written
        self._is_log = is_log
        self._most = most

    def get_ticks(self, min_: float, max_: float, max_ticks: int = 8) -> list[float]:
        """At most about `most` of them."""
        if not self._is_log:
            ticks = NumericAxisFormatter().get_ticks(min_, max_, min(max_ticks, self._most))
        else:
            ticks = next(
                (found for kind in (_FINER, _BETWEEN) if len(found := _logs(min_, max_, kind)) <= self._most),
                _logs(min_, max_, _BETWEEN[:1]),
            )
        step = max(1, ceil(len(ticks) / self._most))
        return ticks[::step]

    def get_labels_for_ticks(self, ticks: Sequence[float]) -> list[str]:
        """The numbers themselves."""
        return [self._written(10**tick if self._is_log else tick) for tick in ticks]


class NamedTicks(AxisFormatter):
    """Names at their places, so many as do not touch each other."""

    def __init__(self, names: Sequence[tuple[float, str]], columns: int) -> None:
        self._names = names
        self._columns = columns

    def get_ticks(self, min_: float, max_: float, max_ticks: int = 8) -> list[float]:
        """From the left, each place whose name has room beside the one before."""
        taken: list[float] = []
        end = -1.0
        for place, name in sorted(self._names):
            middle = (place - min_) / max(max_ - min_, _TINY) * self._columns
            half = (len(name) + 1) / 2
            if middle - half >= end:
                taken.append(place)
                end = middle + half
        return taken

    def get_labels_for_ticks(self, ticks: Sequence[float]) -> list[str]:
        """The names."""
        names = dict(self._names)
        return [names[tick] for tick in ticks]


def _logs(low: float, high: float, digits: Sequence[float]) -> list[float]:
    """Logarithms of the digits times powers of ten between two logarithms."""
    powers = range(floor(low), ceil(high) + 1)
    ticks = (power + log10(digit) for power in powers for digit in digits)
    return [tick for tick in ticks if low - _TINY <= tick <= high + _TINY]
