"""The ladder of zoom levels, from a number in a large cell to one pixel a kernel."""

from __future__ import annotations

from enum import Enum


class Zoom(Enum):
    """How much of the screen one weight gets; the value is its columns, its rows and its name.

    From near to far: a number in a cell of several rows; a number in 8, 6, 5 or 4 columns; PAIR, two columns
    and no digits; HALF, one column and half a row; NORM, one column and half a row for a whole kernel,
    coloured by its norm.
    """

    NUMBER_16 = (16, 5, "numbers, 16 × 5")
    NUMBER_12 = (12, 3, "numbers, 12 × 3")
    NUMBER_10 = (10, 2, "numbers, 10 × 2")
    NUMBER_8 = (8, 1, "numbers, 8 wide")
    NUMBER_6 = (6, 1, "numbers, 6 wide")
    NUMBER_5 = (5, 1, "numbers, 5 wide")
    NUMBER_4 = (4, 1, "numbers, 4 wide")
    PAIR = (2, 1, "colours")
    HALF = (1, 1, "half blocks")
    NORM = (1, 1, "kernel norms")

    @property
    def columns(self) -> int:
        """The columns that one weight takes, and at NORM one kernel."""
        return self.value[0]

    @property
    def rows(self) -> int:
        """The rows that one weight takes where no two share one."""
        return self.value[1]

    @property
    def number_row(self) -> int:
        """The row of a cell in which its number stands."""
        return (self.rows - 1) // 2

    @property
    def label(self) -> str:
        """The name to show to a person."""
        return self.value[2]

    @property
    def has_numbers(self) -> bool:
        """Whether a weight is written in digits."""
        return self.columns >= 4

    @property
    def has_wide_gutter(self) -> bool:
        """Whether the gutter has room for the bias."""
        return self.columns >= 2

    @property
    def label_width(self) -> int:
        """The least columns of the gutter's labels: those of a bias, of as many digits as a weight has."""
        if self.rows > 1:
            return 7
        return {4: 4, 5: 4, 1: 3}.get(self.columns, 5)

    def nearer(self) -> Zoom:
        """One step in; the nearest level stays."""
        return self._step(-1)

    def farther(self) -> Zoom:
        """One step out; the farthest level stays."""
        return self._step(+1)

    def _step(self, steps: int) -> Zoom:
        ladder = list(Zoom)
        return ladder[max(0, min(ladder.index(self) + steps, len(ladder) - 1))]
