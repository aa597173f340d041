"""Where a difference comes from: the fused weights, the fused arithmetic, or the unfused arithmetic."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tui.analysis.numerics.outputs import Outputs


@dataclass(frozen=True, slots=True)
class ErrorPart:
    """One part of the difference, over all elements that are finite on both sides.

    Attributes:
        max_abs: its largest size.
        rms: its root mean square.
        at_worst: its signed value where |fused - unfused| is largest.
    """

    max_abs: float
    rms: float
    at_worst: float


@dataclass(frozen=True, slots=True)
class Nearer:
    """On how many elements each side is nearer to the block's float64 value; `equal`: as near."""

    fused: int
    unfused: int
    equal: int


@dataclass(frozen=True, slots=True)
class ErrorSplit:
    """fused - unfused = weights + fused - unfused, of these three shares, at every element.

    Attributes:
        weights: what the fused weight gives in float64 less the float64 value: what its rounding does, and
            what is wrong about it.
        fused: the fused output less what its own weight gives in float64: its arithmetic.
        unfused: the unfused output less the float64 value: its arithmetic, and what it did wrong if another
            block ran.
        nearer: which side is nearer to the float64 value.
    """

    weights: ErrorPart
    fused: ErrorPart
    unfused: ErrorPart
    nearer: Nearer


@torch.no_grad()
def output_of_given(conv: nn.Conv2d, x: Tensor) -> Tensor:
    """What a fused convolution's own, rounded weight gives in float64."""
    y: Tensor = copy.deepcopy(conv).double()(x.double())
    return y


def split_of(outputs: Outputs, exact64: Tensor, given64: Tensor) -> ErrorSplit | None:
    """Split the difference of two outputs.

    `exact64`: what the block as it should be gives in float64, the exact value for this purpose. `given64`:
    as `output_of_given` gives it. None where the outputs are float64 themselves, whose rounding no float64
    run can show, and where no element is finite on both sides.

    Raises:
        ValueError: the shapes differ.
    """
    fused, unfused = outputs.fused, outputs.unfused
    if len({tensor.shape for tensor in (fused, unfused, exact64, given64)}) > 1:
        raise ValueError("the four outputs have different shapes")
    if fused.dtype is torch.float64:
        return None
    finite = torch.stack([fused.double(), unfused.double(), exact64, given64]).isfinite().all(dim=0)
    if not finite.any():
        return None
    y, z, exact, given = (tensor[finite].double() for tensor in (fused, unfused, exact64, given64))
    worst = int((y - z).abs().argmax())
    of_fused, of_unfused = (y - exact).abs(), (z - exact).abs()
    nearer = Nearer(
        fused=int((of_fused < of_unfused).sum()),
        unfused=int((of_unfused < of_fused).sum()),
        equal=int((of_fused == of_unfused).sum()),
    )
    return ErrorSplit(_part(given - exact, worst), _part(y - given, worst), _part(z - exact, worst), nearer)


def _part(errors: Tensor, worst: int) -> ErrorPart:
    rms = math.sqrt(float(errors.square().mean()))
    return ErrorPart(float(errors.abs().max()), rms, float(errors[worst]))
