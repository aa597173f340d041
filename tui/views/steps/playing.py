"""The taps of a step, one after another: what is played, and how far it has come."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tui.fusion.tap import Tap

MOST_TICKS = 36
"""Ticks that a step is played in; a kernel of more taps has several of them light up at once."""


@dataclass(frozen=True)
class Playing:
    """So many taps of the last kernel are there already, in the order of reading.

    Where a kernel has several taps, those of all kernels come together; where it has one, one kernel comes
    after another, from `first` on.

    Attributes:
        shape: that of the step's last kernel.
        at: the kernel (out, in) whose taps the cursor walks through.
        shown: how many there are.
    """

    shape: tuple[int, int, int, int]
    at: tuple[int, int]
    shown: int = 1

    @property
    def by_kernel(self) -> bool:
        """Whether kernels come one after another."""
        return self.shape[2:] == (1, 1)

    @property
    def count(self) -> int:
        """How many there are at the end."""
        first, second = self.shape[:2] if self.by_kernel else self.shape[2:]
        return first * second

    @property
    def is_over(self) -> bool:
        """Whether all are there."""
        return self.shown >= self.count

    @property
    def tap(self) -> Tap:
        """The one that came last."""
        row, column = divmod(min(self.shown, self.count) - 1, self.shape[1 if self.by_kernel else 3])
        return Tap(row, column, 0, 0) if self.by_kernel else Tap(*self.at, row, column)

    def pending(self, tap: Tap) -> bool:
        """Whether a tap of the last kernel is still to come."""
        first, second = tap[:2] if self.by_kernel else tap[2:]
        return first * self.shape[1 if self.by_kernel else 3] + second >= self.shown

    def next(self) -> Playing:
        """A tick later."""
        return replace(self, shown=self.shown + -(-self.count // MOST_TICKS))
