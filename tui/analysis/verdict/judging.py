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
from tui.analysis.verdict.not_finite import ALL_FINITE, NotFinite
from tui.analysis.verdict.reason import Reason
from tui.analysis.verdict.verdict import Verdict, Worst
from tui.fusion.specs.block_spec import Dtype

_FOREIGN_SHARE = 8.0
"""TF32 is 2^13 times coarser than float32: what exceeds the budget by less than this is not its doing, and no
transform need be named for it."""

_NOWHERE = Worst(Pixel(0, 0, 0, 0), math.nan, math.nan, math.nan, math.nan)


def judge(
    dtype: Dtype,
    outputs: Outputs,
    outputs64: Outputs,
    budget: Budget,
    budget64: Budget,
    not_finite: NotFinite = ALL_FINITE,
) -> Verdict:
    """Rule on a fusion by both sides' outputs, in the dtype and in float64.

    First the algebra: in float64 no difference may exceed the rigorous bound. Then the arithmetic: in the
    dtype none may either, nor should one exceed the rounding budget. Only the budgets' channels are judged.
    Elements that are NaN or infinite on both sides alike are left out; of a channel without any other nothing
    is known, but by its weights. Where one side alone is, that comes of data that are not finite, or it is an
    overflow if a number on the way is too large for the dtype, and a fault if none is.

    `not_finite`: what is known of that beside the outputs, of all channels.
    """
    channels, out_channels = len(budget.channels), budget.out_channels
    if not (outputs.same_shape and outputs64.same_shape):
        return Verdict(Reason.SHAPE, dtype, math.inf, math.nan, math.inf, _NOWHERE, channels, out_channels)
    algebra = _measured(Dtype.FLOAT64, outputs64, budget64, budget64.rigorous)
    arithmetic = _measured(dtype, outputs, budget, budget.probable)
    fault = _fault_of_algebra(algebra, budget64, not_finite)
    decisive = arithmetic if fault is None else algebra
    return Verdict(
        fault or _reason_of(arithmetic, budget, not_finite),
        dtype,
        budget_used=arithmetic.used,
        bound=decisive.bound,
        algebra_used=algebra.used,
        worst=decisive.worst,
        channels=channels,
        out_channels=out_channels,
        non_finite=decisive.alike,
        not_finite=not_finite,
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


def _fault_of_algebra(algebra: _Measured, budget64: Budget, not_finite: NotFinite) -> Reason | None:
    if algebra.beyond:
        return Reason.ALGEBRA
    if not_finite.wrong:
        return Reason.WEIGHTS
    if algebra.unlike:
        return _unlike(budget64, not_finite)
    return None


def _unlike(budget: Budget, not_finite: NotFinite) -> Reason:
    """Why one side has NaN or infinity where the other has not."""
    if not_finite.cause:
        return Reason.DATA
    return Reason.OVERFLOW if budget.overflows else Reason.NOT_FINITE


def _reason_of(arithmetic: _Measured, budget: Budget, not_finite: NotFinite) -> Reason:
    """Where the algebra is right: what the run in the dtype comes to."""
    if arithmetic.beyond or arithmetic.used >= _FOREIGN_SHARE:
        named = _foreign(arithmetic, budget)
        if named or arithmetic.beyond:
            return named or Reason.ARITHMETIC
    if arithmetic.unlike:
        return _unlike(budget, not_finite)
    if not_finite.channels or arithmetic.alike == arithmetic.difference.numel():
        nothing = _unlike(budget, not_finite)
        return Reason.NOTHING if nothing is Reason.NOT_FINITE else nothing
    if arithmetic.used > 1:
        return Reason.COARSE
    return Reason.WITHIN if bool(arithmetic.difference.any()) else Reason.SAME


def _foreign(arithmetic: _Measured, budget: Budget) -> Reason | None:
    """Another arithmetic than float32's own that makes differences of this size; the finer one first."""
    if arithmetic.unlike:
        return None
    for reason, bound in ((Reason.TRANSFORMED, budget.transformed), (Reason.TF32, budget.tf32)):
        if bound is not None and bool((arithmetic.difference <= bound()).all()):
            return reason
    return None
