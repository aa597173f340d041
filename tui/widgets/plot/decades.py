"""An axis of powers of ten: what is plotted is the decimal logarithm, what is written the number itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil, floor, log10

from textual_plot.axis_formatter import AxisFormatter

_BETWEEN = (2, 5)
"""What is marked between two powers of ten, where there is room for it."""
_TINY = 1e-9


class Decades(AxisFormatter):
    """Marks 0.1, 1, 10 and so on; where they stand far apart, 2 and 5 times these too.

    `room` gives the cells along the axis, and `apart` is how many of them a power of ten must have for that.
    """

    def __init__(self, room: Callable[[], int], apart: int) -> None:
        self._room = room
        self._apart = apart

    def get_ticks(self, min_: float, max_: float, max_ticks: int = 8) -> list[float]:
        """Logarithms of the numbers that are marked."""
        powers = range(ceil(min_ - _TINY), floor(max_ + _TINY) + 1)
        step = max(1, ceil(len(powers) / max_ticks))
        ticks = [float(power) for power in powers if power % step == 0]
        if self._room() >= self._apart * (max_ - min_):
            below = range(floor(min_), floor(max_) + 1)
            ticks += [power + log10(times) for power in below for times in _BETWEEN]
        return sorted(tick for tick in ticks if min_ - _TINY <= tick <= max_ + _TINY)

    def get_labels_for_ticks(self, ticks: Sequence[float]) -> list[str]:
        """The numbers themselves: "0.01", "20", "1e6"."""
        return [number_at(tick) for tick in ticks]


def number_at(logarithm: float) -> str:
    """The number of that logarithm in few characters: "0.05", "100", "1e5"."""
    power = floor(logarithm + _TINY)
    first = round(10 ** (logarithm - power))
    if -3 <= power <= 4:
        return f"{first * 10.0**power:.{max(0, -power)}f}"
    return f"{first}e{power}"
