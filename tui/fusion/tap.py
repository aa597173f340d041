"""Tap: one weight of a kernel, by its place."""

from __future__ import annotations

from typing import NamedTuple


class Tap(NamedTuple):
    """One weight: out_channels, in_channels and kernel row and column, each counted from 0."""

    out: int
    in_: int
    ky: int
    kx: int

    def clamped(self, shape: tuple[int, int, int, int]) -> Tap:
        """The nearest tap that lies in a weight of this shape."""
        return Tap(*(max(0, min(place, size - 1)) for place, size in zip(self, shape, strict=True)))
