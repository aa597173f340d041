"""Running error analysis: a value, and how far from it each arithmetic may have come, through each operation.

Higham, Accuracy and Stability of Numerical Algorithms, 2002, sec. 3.3. The likely error is
that of Higham & Mary, SIAM J. Sci. Comput. 41(5), 2019: independent roundings add as their squares do, to
sqrt(n) instead of n.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from tui.analysis.bounds.alike import is_varied
from tui.analysis.bounds.linear_maps import LinearMap
from tui.analysis.numerics.precision import BATCH_NORM_ROUNDINGS, Precision, gamma_n
from tui.fusion.layers.border import bordered
from tui.fusion.specs.padding import Border, grown_and_cropped


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
        sum_peak: the largest sum of |products|, which no partial sum of a convolution exceeds.
    """

    value: Tensor
    errors: tuple[Errors, ...]
    peak: float = 0.0
    sum_peak: float = 0.0

    def peaks(self, *others: Bounded, stored: Tensor | None = None) -> tuple[float, float]:
        """Both peaks of this and of others, and what else was stored."""
        every = (self, *others)
        peak = max(each.peak for each in every)
        if stored is not None:
            peak = max(peak, largest_of(stored))
        return peak, max(each.sum_peak for each in every)


def exact(value: Tensor, precisions: Sequence[Precision]) -> Bounded:
    """A tensor without error."""
    zero = value.new_zeros(())
    return Bounded(value, tuple(Errors(precision, zero, zero, zero) for precision in precisions))


def given(value: Tensor, precisions: Sequence[Precision]) -> Bounded:
    """A tensor as it was given: without error, but that hardware may read numbers near zero as zero."""
    zero, sizes = value.new_zeros(()), value.abs()
    smallest = float(torch.where(sizes > 0, sizes, math.inf).min()) if value.numel() else math.inf

    def flushed(precision: Precision) -> Errors:
        if not smallest < precision.underflow:
            return Errors(precision, zero, zero, zero)
        lost = sizes.masked_fill(sizes >= precision.underflow, 0.0)
        return Errors(precision, lost, lost if precision.likely else zero, zero)

    return Bounded(value, tuple(map(flushed, precisions)))


def convolve(x: Bounded, linear: LinearMap, bias: Tensor | None = None) -> Bounded:
    """linear(x) + bias, summed in any order and stored.

    Worst: gamma_{n+2} |L| (|x| + worst), for n products, the bias and what the products themselves lose. In
    variance each of n + 2 roundings is uniform and relative to a partial sum, whose mean square over random
    orders is y^2 / 3 + (L^2 x^2 + bias^2) / 6. Products that may be equal round alike: `rounded_alike`.
    """
    offset = _by_channel(bias, x.value)
    magnitudes = x.value.abs()
    value, sizes = linear.signed(x.value).add_(offset), linear.absolute(magnitudes).add_(offset.abs())
    absolute = value.abs()
    if any(each.precision.likely for each in x.errors):
        partial = linear.squared(magnitudes.square_()).add_(offset.square())
        partial.addcmul_(value, value, value=2)
        alike: Tensor | float = linear.terms if is_varied(x.value) else linear.alike()
    worst, stored = (
        _passed(linear.absolute, [getattr(each, name) for each in x.errors]) for name in ("worst", "stored")
    )
    variances = _passed(linear.squared, [each.variance for each in x.errors])
    errors = []
    for each, carried, kept, variance in zip(x.errors, worst, stored, variances, strict=True):
        precision = each.precision
        summing = precision.error_of_sum(linear.terms)
        spread: list[tuple[float | Tensor, Tensor]] = [(1.0, variance)]
        if precision.likely:
            spread.append((precision.accumulation**2 / 18 * (alike + 2), partial))
        errors.append(
            _stored(
                precision,
                absolute,
                worst=[(1 + summing, carried), (summing, sizes)],
                stored=[(1.0, kept)],
                variance=spread,
                underflow=(linear.terms + 1) * precision.underflow,
                flushed=flushed_weights(linear, x.value, precision),
            )
        )
    peak, sum_peak = x.peaks(stored=absolute)
    return Bounded(value, tuple(errors), peak, max(sum_peak, largest_of(sizes)))


def flushed_weights(linear: LinearMap, x: Tensor, precision: Precision) -> Tensor | None:
    """What is lost, (rows, 1, 1), where weights near zero are read as zero; None where no weight is."""
    below = linear.below(precision.underflow)
    return None if below is None else below * largest_of(x.abs())


def _by_channel(numbers: Tensor | None, like: Tensor) -> Tensor:
    """One number a channel, to meet an image; 0 where there is none."""
    return like.new_zeros(()) if numbers is None else numbers.double().view(-1, 1, 1)


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
    factors = _by_channel(scale, x.value)
    value, sizes = x.value * factors, x.value.abs() * factors.abs()
    for offset in offsets:
        value += _by_channel(offset, x.value)
        sizes += _by_channel(offset, x.value).abs()
    return _scaled(x, value, factors, sizes, BATCH_NORM_ROUNDINGS)


def multiply(x: Bounded, factors: Tensor) -> Bounded:
    """x times one number, or one a channel, and stored."""
    factors = _by_channel(factors, x.value)
    value = x.value * factors
    return _scaled(x, value, factors, value.abs(), 1)


def _scaled(x: Bounded, value: Tensor, factors: Tensor, sizes: Tensor, roundings: int) -> Bounded:
    """x scaled by channel to `value`, with that many roundings relative to `sizes`."""
    absolute, gain = value.abs(), factors.abs()
    squares = sizes.square() if any(each.precision.likely for each in x.errors) else sizes
    errors = []
    for each in x.errors:
        rounding = gamma_n(roundings, each.precision.accumulation)
        errors.append(
            _stored(
                each.precision,
                absolute,
                worst=[((1 + rounding) * gain, each.worst), (rounding, sizes)],
                stored=[(gain, each.stored)],
                variance=[(gain.square(), each.variance), (rounding**2 / 24, squares)],
            )
        )
    return Bounded(value, tuple(errors), *x.peaks(stored=absolute))


def add(x: Bounded, y: Bounded) -> Bounded:
    """x + y, stored."""
    value = x.value + y.value
    absolute = value.abs()
    errors = []
    for one, other in zip(x.errors, y.errors, strict=True):
        rounding = one.precision.accumulation
        errors.append(
            _stored(
                one.precision,
                absolute,
                worst=[(1 + rounding, one.worst), (1 + rounding, other.worst), (rounding, absolute)],
                stored=[(1.0, one.stored), (1.0, other.stored)],
                variance=[(1.0, _of_sum(one.variance, other.variance))],
            )
        )
    return Bounded(value, tuple(errors), *x.peaks(y, stored=absolute))


def _of_sum(one: Tensor, other: Tensor) -> Tensor:
    """The variance of a sum whose errors may be alike, as those of two equal branches are."""
    return (one.sqrt() + other.sqrt()).square() if one.dim() and other.dim() else one + other


def store(x: Bounded, size: Tensor) -> Bounded:
    """x with one more rounding to the dtype, relative to `size`, of x's shape."""
    errors = tuple(
        _stored(
            each.precision,
            size,
            worst=[(1.0, each.worst)],
            stored=[(1.0, each.stored)],
            variance=[(1.0, each.variance)],
        )
        for each in x.errors
    )
    return Bounded(x.value, errors, *x.peaks())


_Terms = Sequence[tuple[float | Tensor, Tensor]]
"""Tensors, each with a factor: one number, or one a channel."""


def _stored(
    precision: Precision,
    size: Tensor,
    *,
    worst: _Terms,
    stored: _Terms,
    variance: _Terms,
    underflow: float = 0.0,
    flushed: Tensor | None = None,
) -> Errors:
    """The errors behind one rounding to the dtype, relative to `size`; those before it as weighted sums.

    `underflow` and `flushed`, the latter (rows, 1, 1), are lost near zero whatever the size, and add in
    full: hardware that flushes one number flushes all.
    """
    unit, zero = precision.unit, size.new_zeros(())
    near_zero = underflow + precision.lost_near_zero
    total = _weighted([*worst, (unit / (1 + unit), size)], near_zero)
    if flushed is not None:
        total = total + flushed
    total.mul_(1 + unit)
    if not precision.likely:
        return Errors(precision, total, zero, zero)
    kept = _weighted([*stored, ((1 + 8 * unit) * unit, size)], near_zero)
    if flushed is not None:
        kept = kept + flushed
    return Errors(precision, total, kept, _weighted(variance, 0.0))


def _weighted(terms: _Terms, constant: float) -> Tensor:
    """The constant plus the sum of factor times tensor, in one new tensor; zeros of 0-d stay out of it."""
    there = [(factor, tensor) for factor, tensor in terms if tensor.dim()]
    if not there:
        return torch.full((), constant, dtype=torch.float64)
    (factor, tensor), *rest = there
    total = tensor * factor
    for factor, tensor in rest:
        if isinstance(factor, Tensor):
            total.addcmul_(tensor, factor)
        else:
            total.add_(tensor, alpha=factor)
    return total.add_(constant) if constant else total


def largest_of(absolute: Tensor) -> float:
    """The largest of some sizes; infinite ones count, NaN does not."""
    largest = float(absolute.max())
    return float(absolute.nan_to_num(0.0, torch.inf).max()) if math.isnan(largest) else largest


def pad(x: Bounded, border: Border, mode: str = "constant") -> Bounded:
    """x with more pixels around it, or fewer: zeros or copies with their errors, a mode of functional.pad."""
    if not any(border):
        return x
    return _each(x, lambda tensor: bordered(tensor, border, mode) if tensor.dim() else tensor)


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
    return Bounded(change(x.value), errors, *x.peaks())


def framed(x: Bounded, border: Border, outside: Bounded) -> Bounded:
    """x with more pixels around it, each the channel's in `outside`, (1, channels, 1, 1)."""
    if not any(border):
        return x
    grown, cropped = grown_and_cropped(border)
    left, right, top, bottom = grown
    batch, count, height, width = x.value.shape
    shape = (batch, count, top + height + bottom, left + width + right)

    def frame(inner: Tensor, around: Tensor) -> Tensor:
        if not inner.dim() and not around.dim():
            return inner
        whole = around.expand(shape).clone()
        whole[:, :, top : top + height, left : left + width] = inner
        return functional.pad(whole, cropped) if any(cropped) else whole

    errors = tuple(
        Errors(
            one.precision,
            frame(one.worst, other.worst),
            frame(one.stored, other.stored),
            frame(one.variance, other.variance),
        )
        for one, other in zip(x.errors, outside.errors, strict=True)
    )
    return Bounded(frame(x.value, outside.value), errors, *x.peaks(outside))
