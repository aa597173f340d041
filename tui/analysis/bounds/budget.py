"""The rounding budget: how far the fused and the unfused output of a right fusion may lie apart."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from tui.analysis.bounds.fold_sizes import FoldSizes, fold_sizes
from tui.analysis.bounds.fused import fused_bounds, largest_sum
from tui.analysis.bounds.running import Bounded, Errors, given
from tui.analysis.bounds.transformed import transformed_bound
from tui.analysis.bounds.unfused import block_bounds
from tui.analysis.numerics.pixel import Pixel
from tui.analysis.numerics.precision import PRECISIONS, TF32, Precision
from tui.fusion.block import ReparamBlock
from tui.fusion.kernel import Kernel
from tui.fusion.specs.block_spec import Dtype

FALSE_ALARMS = 1e-6
"""How often a right fusion may exceed its budget in any of its elements, were all errors independent."""

_EVALUATION = 1 + 2.0**-30
"""The bounds are themselves computed in float64; their own rounding is far below this."""


@dataclass(frozen=True, eq=False)
class Budget:
    """Bounds on |fused - unfused|, where the fusion is right.

    Attributes:
        dtype: the arithmetic that both sides run in.
        channels: the output channels that it holds for, ascending; of `out_channels` in all.
        rigorous: (batch, len(channels), H, W), float64: no order of summing gives more. Winograd and FFT
            convolutions are not covered, nor TF32.
        probable: the rounding budget, of that shape: what independent errors stay below but once in a million
            runs. In float64 the rigorous bound itself.
        peak: the largest number that is stored on the way, by which an overflow is known.
        sum_peak: gives the largest sum of |products|: no partial sum on the way is larger.
        tf32: gives the rigorous bound for float32 whose factors are cut to TF32; None for other dtypes.
        transformed: gives what a convolution by Winograd's or Fourier's transform stays below, (batch,
            len(channels), 1, 1), as float32 is computed on some machines; None for other dtypes.
    """

    dtype: Dtype
    channels: tuple[int, ...]
    out_channels: int
    rigorous: Tensor
    probable: Tensor
    peak: float
    sum_peak: Callable[[], float]
    tf32: Callable[[], Tensor] | None = None
    transformed: Callable[[], Tensor] | None = None

    @property
    def sampled(self) -> bool:
        """Whether it holds for some output channels only."""
        return len(self.channels) < self.out_channels

    @property
    def overflows(self) -> bool:
        """Whether the dtype cannot hold every number that may come up on the way, of finite data."""
        precision = PRECISIONS[self.dtype]
        stored, summed = self.peak * (1 + precision.unit), self.sum_peak() * (1 + precision.unit)
        return not (stored < precision.largest and summed < precision.largest_sum)

    def at(self, pixel: Pixel) -> tuple[float, float] | None:
        """(rigorous, probable) of an output element; None where its channel was left out."""
        if pixel.channel not in self.channels:
            return None
        place = pixel._replace(channel=self.channels.index(pixel.channel))
        return float(self.rigorous[place]), float(self.probable[place])


def budget_of(block: ReparamBlock, x: Tensor, dtype: Dtype, channels: Sequence[int] | None = None) -> Budget:
    """The budget of one arithmetic, as `budgets_of` gives it."""
    return budgets_of(block, x, [dtype], channels)[0]


@torch.no_grad()
def budgets_of(
    block: ReparamBlock,
    x: Tensor,
    dtypes: Sequence[Dtype],
    channels: Sequence[int] | None = None,
    kernel: Kernel | None = None,
    sizes: FoldSizes | None = None,
) -> list[Budget]:
    """The budgets of several arithmetics in one walk, which costs hardly more than one.

    `block`: in eval mode, in float64, its parameters those of the judged block; x (batch, in_channels, H, W)
    likewise. `channels`: the output channels to give bounds for, all where None. `kernel`: what the block
    comes to, float64, and `sizes`: of its fold; it is folded where they are not known yet.

    The bound is that of the unfused side plus that of the fused side, each against the exact value. With
    independent errors the sums of both sides are nearly normal, of the variance v that was followed; what is
    stored adds in full. For N outputs, sqrt(2 ln(2 N / 1e-6)) sqrt(v) is exceeded once in a million runs
    (Higham & Mary, SIAM J. Sci. Comput. 41(5), 2019).

    Raises:
        FusionError: the block cannot be fused.
    """
    out_channels = block.out_channels
    kernel = kernel or block.kernel()
    rows = tuple(range(out_channels)) if channels is None else tuple(sorted(set(channels)))
    sides = _Sides(block, kernel, sizes or fold_sizes(block), x, rows)
    unfused, fused = sides.bounded([PRECISIONS[dtype] for dtype in dtypes])
    elements = unfused.value[:, :1].numel() * out_channels
    budgets = []
    for dtype, of_unfused, of_fused in zip(dtypes, unfused.errors, fused.errors, strict=True):
        rigorous = _rigorous(of_unfused, of_fused)
        budget = Budget(
            dtype,
            rows,
            out_channels,
            rigorous,
            _probable(of_unfused, of_fused, rigorous, elements),
            max(unfused.peak, fused.peak),
            lambda: max(unfused.sum_peak, sides.sum_peak_of_fused()),
        )
        if dtype is Dtype.FLOAT32:
            budget = replace(budget, tf32=sides.tf32, transformed=sides.transformed)
        budgets.append(budget)
    return budgets


@dataclass(frozen=True, eq=False)
class _Sides:
    """Both sides of a right fusion on one input, in some output channels."""

    block: ReparamBlock
    kernel: Kernel
    sizes: FoldSizes
    x: Tensor
    rows: Sequence[int]

    @torch.no_grad()
    def bounded(self, precisions: Sequence[Precision]) -> tuple[Bounded, Bounded]:
        """The unfused and the fused output with their errors."""
        leaf = given(self.x, precisions)
        unfused = block_bounds(self.block, leaf, self.rows)
        return unfused, fused_bounds(self.block, self.kernel, leaf, unfused.value, self.rows, self.sizes)

    def tf32(self) -> Tensor:
        """The rigorous bound of both in TF32."""
        unfused, fused = self.bounded([TF32])
        return _rigorous(unfused.errors[0], fused.errors[0])

    @torch.no_grad()
    def transformed(self) -> Tensor:
        """As `transformed_bound` has it for float32."""
        precision = PRECISIONS[Dtype.FLOAT32]
        return transformed_bound(self.sizes, self.block.geometry.groups, self.x, precision, self.rows)

    @torch.no_grad()
    def sum_peak_of_fused(self) -> float:
        """The largest sum of |products| of the fused convolution."""
        return largest_sum(self.block.geometry, self.kernel, self.x, self.rows)


def _rigorous(unfused: Errors, fused: Errors) -> Tensor:
    return _without_nan((unfused.worst + fused.worst) * _EVALUATION)


def _probable(unfused: Errors, fused: Errors, rigorous: Tensor, elements: int) -> Tensor:
    """The rounding budget of that many elements."""
    if not unfused.precision.likely:
        return rigorous
    deviations = math.sqrt(2 * math.log(2 * elements / FALSE_ALARMS))
    spread = deviations * (unfused.variance + fused.variance).sqrt()
    return torch.minimum(rigorous, _without_nan(unfused.stored + fused.stored + spread))


def _without_nan(bound: Tensor) -> Tensor:
    """Where a bound is NaN, as infinity times zero makes it, nothing is known."""
    return bound.nan_to_num(math.inf, math.inf)
