"""Rounding or a bug: judge the difference of the fused and the unfused output by what rounding explains."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from tui.analysis.bounds.budget import Budget
from tui.analysis.numerics.outputs import Outputs
from tui.analysis.numerics.pixel import Pixel
from tui.analysis.numerics.precision import spacing_at
from tui.analysis.verdict.verdict import Reason, Verdict, Worst
from tui.fusion.spec import Dtype

_TF32_SHARE = 8.0
"""TF32 is 2^13 times coarser than float32: what exceeds the budget by less than this is not its doing."""

_NOWHERE = Worst(Pixel(0, 0, 0, 0), math.nan, math.nan, math.nan, math.nan)


def judge(dtype: Dtype, outputs: Outputs, outputs64: Outputs, budget: Budget, budget64: Budget) -> Verdict:
    """Rule on a fusion by both sides' outputs, in the dtype and in float64.

    First the algebra: in float64 no difference may exceed the rigorous bound. Then the arithmetic: in the
    dtype none may either, nor should one exceed the rounding budget. Only the budgets' channels are judged.
    Elements that are NaN or infinite on both sides alike are left out. Where one side alone is, in the dtype
    only, that is an overflow if a number on the way is too large for the dtype, and a fault if none is.
    """
    channels, out_channels = len(budget.channels), budget.out_channels
    if not (outputs.same_shape and outputs64.same_shape):
        return Verdict(Reason.SHAPE, dtype, math.inf, math.nan, math.inf, _NOWHERE, channels, out_channels)
    algebra = _measured(Dtype.FLOAT64, outputs64, budget64, budget64.rigorous)
    arithmetic = _measured(dtype, outputs, budget, budget.probable)
    fault = _fault_of_algebra(algebra)
    decisive = arithmetic if fault is None else algebra
    return Verdict(
        fault or _reason_of(arithmetic, budget),
        dtype,
        budget_used=arithmetic.used,
        bound=decisive.bound,
        algebra_used=algebra.used,
        worst=decisive.worst,
        channels=channels,
        out_channels=out_channels,
        non_finite=decisive.alike,
    )


@dataclass(frozen=True, eq=False, slots=True)
class _Measured:
    """One run against its bound, in the judged channels.

    Attributes:
        difference: |fused - unfused|; 0 where both are NaN or infinite alike, infinite where not alike.
        beyond: whether a finite difference exceeds the rigorous bound.
        used: the largest difference / bound.
        worst, bound: the element where that is, and its bound.
        alike, unlike: how many elements are NaN or infinite on both sides alike, or not alike.
    """

    difference: Tensor
    beyond: bool
    used: float
    worst: Worst
    bound: float
    alike: int
    unlike: int


def _measured(dtype: Dtype, outputs: Outputs, budget: Budget, bound: Tensor) -> _Measured:
    channels, difference = budget.channels, outputs.difference
    if budget.sampled:
        difference = difference.in_channels(channels)
    absolute = difference.absolute
    shares = torch.where(absolute == 0, 0.0, absolute / bound).nan_to_num(math.inf, math.inf)
    here = Pixel.at(int(shares.argmax()), shares.shape)
    pixel = here._replace(channel=channels[here.channel])
    beyond = absolute > budget.rigorous
    if difference.unlike is not None:
        beyond &= ~difference.unlike
    return _Measured(
        absolute,
        beyond=bool(beyond.any()),
        used=float(shares[here]),
        worst=_worst(pixel, float(outputs.fused[pixel]), float(outputs.unfused[pixel]), dtype),
        bound=float(bound[here]),
        alike=difference.count_alike,
        unlike=difference.count_unlike,
    )


def _worst(pixel: Pixel, fused: float, unfused: float, dtype: Dtype) -> Worst:
    difference = fused - unfused
    return Worst(pixel, fused, unfused, difference, abs(difference) / spacing_at(unfused, dtype))


def _fault_of_algebra(algebra: _Measured) -> Reason | None:
    if algebra.unlike:
        return Reason.NOT_FINITE
    return Reason.ALGEBRA if algebra.beyond else None


def _reason_of(arithmetic: _Measured, budget: Budget) -> Reason:
    """Where the algebra is right: what the run in the dtype comes to."""
    if arithmetic.alike == arithmetic.difference.numel():
        return Reason.OVERFLOW if budget.overflows else Reason.NOTHING
    if _fits_tf32(arithmetic, budget):
        return Reason.TF32
    if arithmetic.beyond:
        return Reason.ARITHMETIC
    if arithmetic.unlike:
        return Reason.OVERFLOW if budget.overflows else Reason.NOT_FINITE
    if arithmetic.used > 1:
        return Reason.COARSE
    return Reason.WITHIN if bool(arithmetic.difference.any()) else Reason.SAME


def _fits_tf32(arithmetic: _Measured, budget: Budget) -> bool:
    if budget.tf32 is None or arithmetic.unlike or arithmetic.used < _TF32_SHARE:
        return False
    return bool((arithmetic.difference <= budget.tf32()).all())
