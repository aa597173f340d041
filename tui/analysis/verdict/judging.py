"""Rounding or a bug: judge the difference of the fused and the unfused output by what rounding explains."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from tui.analysis.bounds.budget import Budget
from tui.analysis.numerics.precision import PRECISIONS
from tui.analysis.verdict.verdict import Reason, Verdict, Worst
from tui.fusion.spec import Dtype

_TF32_SHARE = 8.0
"""TF32 is 2^13 times coarser than float32: what exceeds the budget by less than this is not its doing."""

_NOWHERE = Worst((0, 0, 0, 0), math.nan, math.nan, math.nan, math.nan)


def judge(
    dtype: Dtype,
    fused: Tensor,
    unfused: Tensor,
    fused64: Tensor,
    unfused64: Tensor,
    budget: Budget,
    budget64: Budget,
) -> Verdict:
    """Rule on a fusion by both sides' outputs, (batch, out_channels, H, W), in the dtype and in float64.

    First the algebra: in float64 no difference may exceed the rigorous bound. Then the arithmetic: in the
    dtype none may either, nor should one exceed the rounding budget. Only the budgets' channels are judged.
    Elements that are NaN or infinite on both sides alike are left out. Where one side alone is, in the dtype
    only, that is an overflow if a number on the way is too large for the dtype, and a fault if none is.
    """
    channels, out_channels = len(budget.channels), budget.out_channels
    if fused.shape != unfused.shape or fused64.shape != unfused64.shape:
        return Verdict(Reason.SHAPE, dtype, math.inf, math.nan, math.inf, _NOWHERE, channels, out_channels)
    algebra = _measured(fused64, unfused64, budget64, budget64.rigorous)
    arithmetic = _measured(fused, unfused, budget, budget.probable)
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


def _measured(fused: Tensor, unfused: Tensor, budget: Budget, bound: Tensor) -> _Measured:
    channels = list(budget.channels)
    dtype = unfused.dtype
    if budget.sampled:
        fused, unfused = fused[:, channels], unfused[:, channels]
    fused, unfused = fused.double(), unfused.double()
    finite = fused.isfinite() & unfused.isfinite()
    alike = ~finite & ((fused == unfused) | (fused.isnan() & unfused.isnan()))
    difference = torch.where(finite, (fused - unfused).abs(), torch.where(alike, 0.0, math.inf))
    shares = torch.where(difference == 0, 0.0, difference / bound).nan_to_num(math.inf, math.inf)
    batch, place, row, column = _index_of(int(shares.argmax()), shares.shape)
    here = batch, place, row, column
    return _Measured(
        difference,
        beyond=bool((finite & (difference > budget.rigorous)).any()),
        used=float(shares[here]),
        worst=_worst((batch, channels[place], row, column), float(fused[here]), float(unfused[here]), dtype),
        bound=float(bound[here]),
        alike=int(alike.sum()),
        unlike=int((~finite & ~alike).sum()),
    )


def _index_of(place: int, shape: torch.Size) -> tuple[int, int, int, int]:
    rest, column = divmod(place, shape[3])
    rest, row = divmod(rest, shape[2])
    batch, channel = divmod(rest, shape[1])
    return batch, channel, row, column


def _worst(index: tuple[int, int, int, int], fused: float, unfused: float, dtype: torch.dtype) -> Worst:
    difference = fused - unfused
    spacing = spacing_at(unfused, Dtype(str(dtype).removeprefix("torch.")))
    return Worst(index, fused, unfused, difference, abs(difference) / spacing)


def spacing_at(value: float, dtype: Dtype) -> float:
    """From |value| to the dtype's next larger number."""
    precision = PRECISIONS[dtype]
    if not math.isfinite(value) or value == 0:
        return precision.smallest
    exponent = math.frexp(value)[1]
    return max(precision.smallest, math.ldexp(precision.unit, exponent))


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
