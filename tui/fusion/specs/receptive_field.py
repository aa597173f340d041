"""Which input elements an output element reads, which outputs read an input element, and by which tap."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from tui.fusion.specs.block_spec import BlockSpec
from tui.fusion.specs.branch_spec import Pair


class Area(NamedTuple):
    """The elements rows x columns of an image; a step in the ranges is a dilation or a stride."""

    rows: range
    columns: range

    @property
    def size(self) -> int:
        """How many they are."""
        return len(self.rows) * len(self.columns)


@dataclass(frozen=True, slots=True)
class _Axis:
    """One axis of a convolution: output o reads input o * stride + dilation * t - before by tap t."""

    kernel_size: int
    stride: int
    dilation: int
    size: int
    before: int
    outputs: int

    def place(self, output: int, tap: int) -> int:
        """The input that a tap reads; outside [0, size) it stands in the padding."""
        return output * self.stride + self.dilation * tap - self.before

    def read(self, output: int) -> range:
        return _inside(self.place(output, 0), self.kernel_size, self.dilation, self.size)

    def readers(self, place: int) -> range:
        """The outputs one of whose taps stands on an input: every (dilation / gcd)-th, or none at all."""
        place += self.before  # counted from the first output's first tap
        common = math.gcd(self.stride, self.dilation)
        if place % common:
            return range(0)
        step = self.dilation // common
        # The first output whose last tap is not before the input; and the last whose first is not behind it.
        reach = self.dilation * (self.kernel_size - 1)
        first = max(0, -(-(place - reach) // self.stride))
        last = min(self.outputs - 1, place // self.stride)
        aligned = (o for o in range(first, first + step) if (place - o * self.stride) % self.dilation == 0)
        return range(next(aligned), last + 1, step)

    def read_by_tap(self, tap: int) -> range:
        return _inside(self.place(0, tap), self.outputs, self.stride, self.size)


@dataclass(frozen=True, slots=True)
class ReceptiveField:
    """How the taps of a block's fused kernel lie on its input.

    Rows and columns are counted from 0. What stands in the padding is left out, whatever the padding holds.
    """

    rows: _Axis
    columns: _Axis

    @classmethod
    def of(cls, spec: BlockSpec) -> ReceptiveField:
        """Of the fused kernel of a block, or of a block of one kernel."""
        left, _, top, _ = spec.frame.border
        rows, columns = (
            _Axis(*axis)
            for axis in zip(
                spec.fused_kernel_size,
                spec.stride,
                spec.fused_dilation,
                spec.input_shape,
                (top, left),
                spec.output_nchw[2:],
                strict=True,
            )
        )
        return cls(rows, columns)

    @property
    def taps(self) -> int:
        """How many taps the kernel has."""
        return self.rows.kernel_size * self.columns.kernel_size

    def read(self, output: Pair) -> Area:
        """The input elements that an output element reads."""
        return Area(self.rows.read(output[0]), self.columns.read(output[1]))

    def readers(self, place: Pair) -> Area:
        """The output elements that read an input element."""
        return Area(self.rows.readers(place[0]), self.columns.readers(place[1]))

    def place(self, output: Pair, tap: Pair) -> Pair | None:
        """The input element that one tap (ky, kx) reads for an output element; None in the padding."""
        row, column = self.rows.place(output[0], tap[0]), self.columns.place(output[1], tap[1])
        inside = 0 <= row < self.rows.size and 0 <= column < self.columns.size
        return (row, column) if inside else None

    def read_by_tap(self, tap: Pair) -> Area:
        """The input elements that one tap reads over all output elements."""
        return Area(self.rows.read_by_tap(tap[0]), self.columns.read_by_tap(tap[1]))


def _inside(first: int, count: int, step: int, size: int) -> range:
    """Those of first, first + step, ... (`count` of them) that lie in [0, size)."""
    skipped = max(0, -(first // step))
    start = first + skipped * step
    return range(start, max(start, min(first + count * step, size)), step)
