"""The rounding budget: how far the fused and the unfused output of a right fusion may lie apart."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tui.analysis.bounds.fused import fused_bounds
from tui.analysis.bounds.running import Bounded, Errors, exact
from tui.analysis.bounds.unfused import block_bounds
from tui.analysis.numerics.pixel import Pixel
from tui.analysis.numerics.precision import PRECISIONS, TF32, Precision
from tui.fusion.block import ReparamBlock
from tui.fusion.kernel import Kernel
from tui.fusion.spec import Dtype

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
            runs. The rigorous bound itself in float64, and where weights are constant: sums of equal
            products round alike at each step.
        tf32: gives the rigorous bound for float32 whose factors are cut to TF32; None for other dtypes.
        peak: the largest number that is stored on the way, by which an overflow is known.
    """

    dtype: Dtype
    channels: tuple[int, ...]
    out_channels: int
    rigorous: Tensor
    probable: Tensor
    tf32: Callable[[], Tensor] | None
    peak: float

    @property
    def sampled(self) -> bool:
        """Whether it holds for some output channels only."""
        return len(self.channels) < self.out_channels

    @property
    def overflows(self) -> bool:
        """Whether the dtype cannot hold every number on the way, finite as they are."""
        precision = PRECISIONS[self.dtype]
        return math.isfinite(self.peak) and self.peak * (1 + precision.unit) >= precision.largest

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
) -> list[Budget]:
    """The budgets of several arithmetics in one walk, which costs hardly more than one.

    `block`: in eval mode, in float64, its parameters those of the judged block; x (batch, in_channels, H, W)
    likewise. `channels`: the output channels to give bounds for, all where None. `kernel`: what the block
    comes to, float64; it is folded where that is not known yet.

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
    unfused, fused = _both_sides(block, kernel, x, [PRECISIONS[dtype] for dtype in dtypes], rows)
    elements = None if _has_constant_weights(block) else unfused.value[:, :1].numel() * out_channels

    @torch.no_grad()
    def tf32() -> Tensor:
        unfused, fused = _both_sides(block, kernel, x, [TF32], rows)
        return _rigorous(unfused.errors[0], fused.errors[0])

    budgets = []
    for dtype, of_unfused, of_fused in zip(dtypes, unfused.errors, fused.errors, strict=True):
        rigorous = _rigorous(of_unfused, of_fused)
        budgets.append(
            Budget(
                dtype,
                rows,
                out_channels,
                rigorous,
                _probable(of_unfused, of_fused, rigorous, elements),
                tf32 if dtype is Dtype.FLOAT32 else None,
                max(unfused.peak, fused.peak),
            )
        )
    return budgets


def _both_sides(
    block: ReparamBlock, kernel: Kernel, x: Tensor, precisions: Sequence[Precision], rows: Sequence[int]
) -> tuple[Bounded, Bounded]:
    leaf = exact(x, precisions)
    unfused = block_bounds(block, leaf, rows)
    return unfused, fused_bounds(block, kernel, leaf, unfused.value, rows)


def _rigorous(unfused: Errors, fused: Errors) -> Tensor:
    return _without_nan((unfused.worst + fused.worst) * _EVALUATION)


def _has_constant_weights(block: ReparamBlock) -> bool:
    """Whether some output channel's weights all are of one size: equal pixels then give equal products."""
    for module in block.modules():
        if isinstance(module, nn.Conv2d) and module.weight[0].numel() > 1:
            sizes = module.weight.abs().flatten(1)
            if bool((sizes.amax(dim=1) == sizes.amin(dim=1)).any()):
                return True
    return False


def _probable(unfused: Errors, fused: Errors, rigorous: Tensor, elements: int | None) -> Tensor:
    """The rounding budget of that many elements; the rigorous bound where errors are not independent."""
    if elements is None or not unfused.precision.likely:
        return rigorous
    deviations = math.sqrt(2 * math.log(2 * elements / FALSE_ALARMS))
    spread = deviations * (unfused.variance + fused.variance).sqrt()
    return torch.minimum(rigorous, _without_nan(unfused.stored + fused.stored + spread))


def _without_nan(bound: Tensor) -> Tensor:
    """Where a bound is NaN, as infinity times zero makes it, nothing is known."""
    return bound.nan_to_num(math.inf, math.inf)
