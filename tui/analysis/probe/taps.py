"""The pixels of an image under the taps of a kernel, and which of them lie in the padding."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from tui.fusion.specs.block_spec import PaddingMode, Pair
from tui.fusion.specs.geometry import Geometry


@dataclass(frozen=True, slots=True)
class Taps:
    """Where the taps of a kernel fall for one output element, by what is padded there.

    Attributes:
        rows, columns: of the input, one for each tap of the axis; outside the image below 0 or beyond it.
        shape: (H, W) of the input.
    """

    rows: tuple[int, ...]
    columns: tuple[int, ...]
    shape: Pair

    @property
    def padding(self) -> Tensor:
        """(kH, kW), True where a tap falls outside the image."""
        rows, columns = (
            torch.tensor([not 0 <= place < size for place in places])
            for places, size in zip((self.rows, self.columns), self.shape, strict=True)
        )
        return rows[:, None] | columns[None, :]

    def read(self, image: Tensor, mode: PaddingMode) -> Tensor:
        """(channels, H, W) -> (channels, kH, kW) in float64: what stands under the taps, zeros outside."""
        rows, columns = (
            torch.tensor([_inside(place, size, mode) for place in places])
            for places, size in zip((self.rows, self.columns), self.shape, strict=True)
        )
        values = image.index_select(1, rows).index_select(2, columns).double()
        return values.masked_fill(self.padding, 0) if mode is PaddingMode.ZEROS else values


def taps_at(pixel: Pair, kernel_size: Pair, geometry: Geometry, shape: Pair) -> Taps:
    """The taps for the output element in that row and column."""
    left, _, top, _ = geometry.border_of(kernel_size)
    axes = zip(pixel, kernel_size, geometry.stride, geometry.dilation, (top, left), strict=True)
    rows, columns = (
        tuple(place * step + tap * spacing - before for tap in range(size))
        for place, size, step, spacing, before in axes
    )
    return Taps(rows, columns, shape)


def _inside(place: int, size: int, mode: PaddingMode) -> int:
    """The pixel of an axis that is read for that place, which may lie outside; any for zeros."""
    match mode:
        case PaddingMode.REFLECT if place < 0:
            return -place
        case PaddingMode.REFLECT if place >= size:
            return 2 * (size - 1) - place
        case PaddingMode.CIRCULAR:
            return place % size
    return max(0, min(place, size - 1))
