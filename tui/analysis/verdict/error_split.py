"""Where a difference comes from: the fused weights, the fused arithmetic, or the unfused arithmetic."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from tui.analysis.numerics.outputs import Outputs, largest_abs, subtracted
from tui.fusion.block import conv_of
from tui.fusion.kernel import Kernel
from tui.fusion.specs.geometry import Geometry


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


_EXACTLY = 2**24
"""Products up to which the rounded weight is convolved itself, in float64."""


@torch.no_grad()
def output_of_given(kernel: Kernel, geometry: Geometry, x: Tensor, fused64: Tensor) -> Tensor:
    """What the fused weight and bias, rounded to x's dtype, give in float64, (batch, out_channels, H, W).

    `kernel`: the fused one, float64, and `fused64` its own output. Beyond `_EXACTLY` products what the
    rounding adds to that is convolved in float32, its factors brought to at most 1 by a power of 2: the
    shares are read by two or three digits.
    """
    given = kernel.to(x.dtype).to(torch.float64)
    weight = given.weight - kernel.weight
    largest = [largest_abs(tensor) for tensor in (weight, x)]
    if fused64.numel() * weight[0].numel() <= _EXACTLY or not all(map(math.isfinite, largest)):
        y: Tensor = conv_of(given, geometry)(x.double())
        return y
    total = fused64.clone()
    if all(largest):
        powers = [math.ldexp(1.0, math.frexp(value)[1]) for value in largest]
        scaled = [
            (tensor.double() / power).float() for tensor, power in zip((weight, x), powers, strict=True)
        ]
        share = conv_of(Kernel(scaled[0], None), geometry)(scaled[1]).double()
        total += share.mul_(powers[0]).mul_(powers[1])
    if kernel.bias is not None and given.bias is not None:
        total += (given.bias - kernel.bias).view(-1, 1, 1)
    return total


def split_of(outputs: Outputs, unfused64: Tensor, given64: Tensor) -> ErrorSplit | None:
    """Split the difference of two outputs.

    `unfused64`: what the block as it should be gives in float64, the exact value for this purpose. `given64`:
    as `output_of_given` gives it. None where the outputs are float64 themselves, whose rounding no float64
    run can show, and where no element is finite.

    Raises:
        ValueError: the shapes differ.
    """
    fused, unfused = outputs.fused, outputs.unfused
    if len({tensor.shape for tensor in (fused, unfused, unfused64, given64)}) > 1:
        raise ValueError("the four outputs have different shapes")
    if fused.dtype is torch.float64:
        return None
    parts = [given64 - unfused64, subtracted(fused, given64), subtracted(unfused, unfused64)]
    in_all = subtracted(fused, unfused64)
    worst = outputs.difference.place
    if not all(math.isfinite(largest_abs(part)) for part in parts):
        finite = torch.stack(parts).isfinite().all(dim=0)
        if not finite.any():
            return None
        *parts, in_all = (part[finite] for part in (*parts, in_all))
        worst = int(outputs.difference.absolute[finite].argmax())
    of_weights, fused_part, unfused_part = (_part(part.flatten(), worst) for part in parts)
    return ErrorSplit(of_weights, fused_part, unfused_part, _nearer(in_all.abs_(), parts[2]))


def _part(errors: Tensor, worst: int) -> ErrorPart:
    rms = math.sqrt(float(torch.dot(errors, errors)) / len(errors))
    return ErrorPart(largest_abs(errors), rms, float(errors[worst]))


def _nearer(of_fused: Tensor, of_unfused: Tensor) -> Nearer:
    """Which side is nearer, by |fused - exact| and the signed unfused - exact."""
    of_unfused = of_unfused.abs()
    fused, unfused = (
        int(torch.count_nonzero(nearer)) for nearer in (of_fused < of_unfused, of_unfused < of_fused)
    )
    return Nearer(fused, unfused, of_fused.numel() - fused - unfused)
