"""Lit: the elements of one tile that a grid marks as belonging together."""

from __future__ import annotations

from dataclasses import dataclass

from tui.fusion.tap import Tap


@dataclass(frozen=True, slots=True)
class Lit:
    """The rows x columns of one tile; a step in the ranges is a dilation or a stride.

    `tile` is (out, in_) of the tile, which for a map is its only one.
    """

    rows: range
    columns: range
    tile: tuple[int, int] = (0, 0)

    def __contains__(self, tap: Tap) -> bool:
        """Whether an element is among them."""
        return (tap.out, tap.in_) == self.tile and tap.ky in self.rows and tap.kx in self.columns

    def columns_in(self, out: int, in_: int, ky: int) -> range:
        """The columns that are lit in one row of a tile."""
        return self.columns if (out, in_) == self.tile and ky in self.rows else range(0)
