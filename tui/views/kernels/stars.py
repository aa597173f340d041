"""Which numbers of the grids have a star: those that were set by hand, and those that are not the sum."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from tui.analysis.alterations.places import (
    InFrame,
    NotEditableError,
    bias_place,
    in_frame,
    weight_place,
)
from tui.analysis.numerics.precision import PRECISIONS
from tui.fusion.specs.block_spec import Dtype
from tui.widgets.grid.weight_source import Starred, WeightSource

if TYPE_CHECKING:
    from tui.analysis.study import FusedKernels


def stars_of(kernels: FusedKernels) -> list[Starred | None]:
    """For each summand and then for the fused kernel; None where nothing has a star."""
    edits = kernels.in_effect
    stars: list[Starred | None] = [
        SetByHand(kernels, each.name) if edits.count_of(each.name) else None for each in kernels.summands
    ]
    return [*stars, None if kernels.adds_up else NotTheSum(kernels)]


def add_up(summands: list[float], fused: float, dtype: Dtype) -> bool:
    """Whether the fused number is their sum, but for rounding to the dtype."""
    precision = PRECISIONS[dtype]
    return abs(sum(summands) - fused) <= 2 * precision.unit * sum(map(abs, summands)) + precision.smallest


@dataclass(frozen=True, eq=False)
class SetByHand:
    """A star for each number of a branch that a person set."""

    kernels: FusedKernels
    name: str

    @cached_property
    def _weights(self) -> frozenset[tuple[int, ...]]:
        """The indices in the branch's own weight; they may be a hundred thousand."""
        standing = self._standing
        if standing is None:
            return frozenset()
        with suppress(NotEditableError):
            weight = weight_place(self.kernels.spec, self.name, standing.tap((0, 0, 0, 0))).name
            return frozenset(edit.index for edit in self.kernels.in_effect.edits if edit.place == weight)
        return frozenset()

    @cached_property
    def _standing(self) -> InFrame | None:
        return in_frame(self.kernels.spec, self.name)

    @cached_property
    def _biases(self) -> frozenset[int]:
        with suppress(NotEditableError):
            bias = bias_place(self.kernels.spec, self.name, 0).name
            return frozenset(edit.index[0] for edit in self.kernels.in_effect.edits if edit.place == bias)
        return frozenset()

    def row(self, out: int, ky: int, in_start: int, in_stop: int) -> list[list[bool]]:
        """For one row of taps in the frame, a list for each input channel."""
        standing, width = self._standing, self.kernels.frame[1]
        own_row = None if standing is None else standing.own_row(ky)
        if standing is None or own_row is None:
            return [[False] * width for _ in range(in_start, in_stop)]
        first, columns = standing.first_column(out), [standing.own_column(kx) for kx in range(width)]
        return [
            [(out, in_ - first, own_row, column) in self._weights for column in columns]
            for in_ in range(in_start, in_stop)
        ]

    def bias(self, out: int) -> bool:
        """For the bias of an output channel."""
        return out in self._biases


@dataclass(frozen=True, eq=False)
class NotTheSum:
    """A star for each number of a fused kernel that is not the sum of the branches' numbers."""

    kernels: FusedKernels

    def row(self, out: int, ky: int, in_start: int, in_stop: int) -> list[list[bool]]:
        """For one row of taps in the frame, a list for each input channel."""
        frame, dtype = self.kernels.frame, self.kernels.spec.dtype
        rows = [
            WeightSource(each.kernel.weight, frame).row(out, ky, in_start, in_stop)
            for each in (*self.kernels.summands, self.kernels.fused_kernel)
        ]
        return [
            [not add_up(list(summands), fused, dtype) for *summands, fused in zip(*kernel, strict=True)]
            for kernel in zip(*rows, strict=True)
        ]

    def bias(self, out: int) -> bool:
        """For the bias of an output channel; none counts as 0."""
        biases = [each.kernel.bias for each in (*self.kernels.summands, self.kernels.fused_kernel)]
        *summands, fused = [0.0 if bias is None else float(bias[out]) for bias in biases]
        return not add_up(summands, fused, self.kernels.spec.dtype)
