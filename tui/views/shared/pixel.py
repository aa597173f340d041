"""Pixel: one element of an output."""

from __future__ import annotations

from typing import NamedTuple


class Pixel(NamedTuple):
    """The place of one element in an output (batch, out_channels, H, W)."""

    batch: int
    channel: int
    row: int
    column: int

    def clamped(self, shape: tuple[int, int, int, int]) -> Pixel:
        """The nearest pixel inside an output of that shape."""
        return Pixel(*(max(0, min(place, size - 1)) for place, size in zip(self, shape, strict=True)))
