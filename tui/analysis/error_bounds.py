"""Running error analysis: a value, and how far from it each arithmetic may have come, through each operation.

Higham, Accuracy and Stability of Numerical Algorithms, 2002, sec. 3.3. The likely error is
that of Higham & Mary, SIAM J. Sci. Comput. 41(5), 2019: independent roundings add as their squares do, to
sqrt(n) instead of n.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from tui.analysis.linear_maps import LinearMap
from tui.analysis.precision import Precision, gamma

Border = tuple[int, int, int, int]
"""Pixels at the left, the right, the top and the bottom."""

_BATCH_NORM_ROUNDINGS = 8
"""At most, in y = s x + t with s and t computed from the batch norm's parameters, whichever way."""


@dataclass(frozen=True, eq=False)
class Errors:
    """The errors of a tensor as one arithmetic computes it; float64, of its shape or a 0-d zero where exact.

    Attributes:
        worst: no error is larger.
        stored: the part of it that comes from storing tensors in the dtype.
        variance: of the part that comes from summing.
    """

    precision: Precision
    worst: Tensor
    stored: Tensor
    variance: Tensor


@dataclass(frozen=True, eq=False)
class Bounded:
    """A tensor and its errors.

    Attributes:
        value: (batch, channels, H, W), float64.
        errors: one for each arithmetic.
        peak: the largest |value| of all tensors that were stored on the way here.
    """

    value: Tensor
    errors: tuple[Errors, ...]
    peak: float = 0.0


def exact(value: Tensor, precisions: Sequence[Precision]) -> Bounded:
    """A tensor without error."""
    zero = value.new_zeros(())
    return Bounded(value, tuple(Errors(precision, zero, zero, zero) for precision in precisions))


def convolve(x: Bounded, linear: LinearMap, bias: Tensor | None = None) -> Bounded:
    """linear(x) + bias, summed in any order and stored.

    Worst: |L| (|x| + worst) gamma_{n+2}, for n products, the bias and what the products themselves lose. In
    variance each of n + 2 roundings is uniform and relative to a partial sum, whose mean square over random
    orders is y^2 / 3 + (L^2 x^2 + bias^2) / 6.
    """
    value, offset = linear.signed(x.value), _channels(bias, x.value)
    value = value + offset
    sizes = linear.absolute(x.value.abs()) + offset.abs()
    likely = any(each.precision.likely for each in x.errors)
    squares = (linear.squared(x.value.square()) + offset.square()) if likely else offset
    worst, stored = (
        _passed(linear.absolute, [getattr(each, name) for each in x.errors]) for name in ("worst", "stored")
    )
    variances = _passed(linear.squared, [each.variance for each in x.errors])
    errors = []
    for each, carried, kept, variance in zip(x.errors, worst, stored, variances, strict=True):
        precision, terms = each.precision, linear.terms
        summing = precision.error_of_sum(terms) * (sizes + carried) + (terms + 1) * precision.underflow
        if precision.likely:
            partial = value.square() / 3 + squares / 6
            variance = variance + precision.accumulation**2 / 3 * (terms + 2) * partial
        errors.append(Errors(precision, carried + summing, kept, variance))
    return store(Bounded(value, tuple(errors), x.peak))


def _channels(offset: Tensor | None, like: Tensor) -> Tensor:
    """One number a channel, to be added to an image; 0 where there is none."""
    return like.new_zeros(()) if offset is None else offset.double().view(-1, 1, 1)


def _passed(through: Callable[[Tensor], Tensor], errors: Sequence[Tensor]) -> list[Tensor]:
    """All errors through one map at once; zeros stay what they are."""
    there = [error for error in errors if error.dim()]
    if not there:
        return list(errors)
    passed = iter(through(torch.cat(there)).chunk(len(there)))
    return [next(passed) if error.dim() else error for error in errors]


def normalise(x: Bounded, scale: Tensor, *offsets: Tensor) -> Bounded:
    """A batch norm in eval mode, scale x + the sum of the offsets, each (channels,); computed and stored.

    Worst: e = gamma_8 (|scale| |x| + the |offsets|). Variance: e^2 / 24.
    """
    factors = _channels(scale, x.value)
    parts = [_channels(offset, x.value) for offset in offsets]
    value = x.value * factors + sum(parts)
    sizes = x.value.abs() * factors.abs() + sum(part.abs() for part in parts)
    errors = []
    for each in x.errors:
        rounding = gamma(_BATCH_NORM_ROUNDINGS, each.precision.accumulation)
        carried, own = each.worst * factors.abs(), rounding * (sizes + each.worst * factors.abs())
        variance = each.variance * factors.square()
        if each.precision.likely:
            variance = variance + own.square() / 24
        errors.append(Errors(each.precision, carried + own, each.stored * factors.abs(), variance))
    return store(Bounded(value, tuple(errors), x.peak))


def multiply(x: Bounded, factors: Tensor) -> Bounded:
    """x times one number, or one a channel, and stored."""
    factors = _channels(factors, x.value)
    value = x.value * factors
    errors = tuple(
        Errors(
            each.precision,
            each.worst * factors.abs() * (1 + each.precision.accumulation)
            + each.precision.accumulation * value.abs(),
            each.stored * factors.abs(),
            each.variance * factors.square(),
        )
        for each in x.errors
    )
    return store(Bounded(value, errors, x.peak))


def add(x: Bounded, y: Bounded) -> Bounded:
    """x + y, stored."""
    value = x.value + y.value
    errors = tuple(
        Errors(
            one.precision,
            (one.worst + other.worst) * (1 + one.precision.accumulation)
            + one.precision.accumulation * value.abs(),
            one.stored + other.stored,
            one.variance + other.variance,
        )
        for one, other in zip(x.errors, y.errors, strict=True)
    )
    return store(Bounded(value, errors, max(x.peak, y.peak)))


def store(x: Bounded, size: Tensor | None = None) -> Bounded:
    """x after one rounding to the dtype, relative to |x|, or to another size (broadcast to x's shape)."""
    size = x.value.abs() if size is None else size
    errors = tuple(
        Errors(
            each.precision,
            each.worst * (1 + each.precision.unit) + each.precision.unit * size + each.precision.smallest,
            each.stored
            + (1 + 8 * each.precision.unit) * each.precision.unit * size
            + each.precision.smallest,
            each.variance,
        )
        for each in x.errors
    )
    return Bounded(x.value, errors, max(x.peak, _largest(x.value)))


def _largest(value: Tensor) -> float:
    """The largest |value|; infinite ones count, NaN does not."""
    return float(value.nan_to_num(0.0, torch.inf, -torch.inf).abs().max()) if value.numel() else 0.0


def pad(x: Bounded, border: Border, mode: str = "constant") -> Bounded:
    """x with more pixels around it, zeros or copies with their errors: a mode of functional.pad."""
    if not any(border):
        return x
    return _each(x, lambda tensor: functional.pad(tensor, border, mode) if tensor.dim() else tensor)


def channels(x: Bounded, rows: Sequence[int]) -> Bounded:
    """These channels only."""
    if len(rows) == x.value.shape[1]:
        return x
    return _each(x, lambda tensor: tensor[:, list(rows)] if tensor.dim() else tensor)


def _each(x: Bounded, change: Callable[[Tensor], Tensor]) -> Bounded:
    """The same change of every tensor in it."""
    errors = tuple(
        Errors(each.precision, change(each.worst), change(each.stored), change(each.variance))
        for each in x.errors
    )
    return Bounded(change(x.value), errors, x.peak)


def framed(x: Bounded, border: Border, outside: Bounded) -> Bounded:
    """x with more pixels around it, each the channel's in `outside`, (1, channels, 1, 1)."""
    if not any(border):
        return x
    left, right, top, bottom = border
    batch, count, height, width = x.value.shape
    shape = (batch, count, top + height + bottom, left + width + right)

    def frame(inner: Tensor, around: Tensor) -> Tensor:
        if not inner.dim() and not around.dim():
            return inner
        whole = around.expand(shape).clone()
        whole[:, :, top : top + height, left : left + width] = inner
        return whole

    errors = tuple(
        Errors(
            one.precision,
            frame(one.worst, other.worst),
            frame(one.stored, other.stored),
            frame(one.variance, other.variance),
        )
        for one, other in zip(x.errors, outside.errors, strict=True)
    )
    return Bounded(frame(x.value, outside.value), errors, max(x.peak, outside.peak))
