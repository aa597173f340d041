"""The ladder of zoom levels, from a number in every cell to one pixel a kernel."""

from __future__ import annotations

from enum import Enum


class Zoom(Enum):
    """How much of the screen one weight gets; the value is its number of columns and its name.

    From near to far: a number in 8, 6 or 4 columns; PAIR, two columns and no digits; HALF, one column and
    half a row; NORM, one column and half a row for a whole kernel, coloured by its norm.
    """

    NUMBER_8 = (8, "numbers, 8 wide")
    NUMBER_6 = (6, "numbers, 6 wide")
    NUMBER_4 = (4, "numbers, 4 wide")
    PAIR = (2, "colours")
    HALF = (1, "half blocks")
    NORM = (1, "kernel norms")

    @property
    def columns(self) -> int:
        """The columns that one weight takes, and at NORM one kernel."""
        return self.value[0]

    @property
    def label(self) -> str:
        """The name to show to a person."""
        return self.value[1]

    @property
    def has_numbers(self) -> bool:
        """Whether a weight is written in digits."""
        return self.columns >= 4

    @property
    def has_wide_gutter(self) -> bool:
        """Whether the gutter has room for words and for the bias."""
        return self.columns >= 2

    def nearer(self) -> Zoom:
        """One step in; the nearest level stays."""
        return self._step(-1)

    def farther(self) -> Zoom:
        """One step out; the farthest level stays."""
        return self._step(+1)

    def _step(self, steps: int) -> Zoom:
        ladder = list(Zoom)
        return ladder[max(0, min(ladder.index(self) + steps, len(ladder) - 1))]
