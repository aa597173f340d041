"""The arithmetic of each kind of step, for one weight and its output channel's bias, with the numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor, nn

from tui.analysis.steps.step import Line, StepKernel
from tui.analysis.steps.words import size
from tui.fusion.kernel import Kernel
from tui.fusion.specs.block_spec import Pair
from tui.fusion.tap import Tap

Operation = Callable[[Tap], tuple[Line, ...]]

MOST_TERMS = 3
"""Products of a sum that are written out."""


def name_of(tap: Tap, tensor: str = "weight") -> str:
    """A weight as torch indexes it: "weight[0,1,2,2]"."""
    return f"{tensor}[{','.join(map(str, tap))}]"


def taken_over(before: StepKernel) -> Operation:
    """The weight as it is, or a zero around it."""

    def lines(tap: Tap) -> tuple[Line, ...]:
        origin = before.origin(tap)
        own = before.kernel.kernel_size
        if before.holds(origin):
            stays = (f"{name_of(tap)} = {name_of(origin)} of the {size(own)} = ", before.at(origin))
        else:
            stays = (f"{name_of(tap)}: tap ({tap.ky},{tap.kx}) is none of the {size(own)}'s: ", 0.0)
        return stays, *_bias_stays(before, tap.out)

    return lines


def _bias_stays(before: StepKernel, out: int) -> tuple[Line, ...]:
    return () if before.kernel.bias is None else ((f"bias[{out}] stays ", before.bias_at(out)),)


def as_it_is(kernel: Kernel) -> Operation:
    """The convolution's own weight and bias."""

    def lines(tap: Tap) -> tuple[Line, ...]:
        weight: Line = (f"{name_of(tap)} of the convolution = ", float(kernel.weight[tap]))
        if kernel.bias is None:
            return weight, ("it has no bias",)
        return weight, (f"bias[{tap.out}] = ", float(kernel.bias[tap.out]))

    return lines


def ones_where_channels_meet(kernel: Kernel, frame: Pair, centre: Pair, x: Tensor, groups: int) -> Operation:
    """Which kernel of the identity this is, and what one output pixel of x, (1, channels, H, W), comes to."""
    row, column = x.shape[2] // 2, x.shape[3] // 2

    def lines(tap: Tap) -> tuple[Line, ...]:
        out, in_, ky, kx = tap
        meets = bool(kernel.weight[out, in_].any())
        at_centre = (ky, kx) == centre
        which = "the same channel: a Dirac kernel" if meets else "another channel: a zero kernel"
        channel = out // (len(kernel.weight) // groups) * kernel.weight.shape[1] + in_
        value = float(x[0, out, row, column])
        zeros = frame[0] * frame[1] * int(kernel.weight.shape[1]) - 1
        return (
            (f"out {out}, in {in_}" + (f" (channel {channel})" if groups > 1 else "") + f": {which}",),
            (f"{name_of(tap)} = ", 1.0 if meets and at_centre else 0.0),
            (
                f"output {out} at ({row},{column}) = 1 × x[{out},{row},{column}] ",
                value,
                f" + 0 × {zeros} other numbers = ",
                value,
            ),
        )

    return lines


def mean_of_taps(kernel: Kernel) -> Operation:
    """One over the number of pixels, where the channels meet."""
    height, width = kernel.kernel_size

    def lines(tap: Tap) -> tuple[Line, ...]:
        out, in_ = tap[:2]
        meets = bool(kernel.weight[out, in_].any())
        share: Line = (f"1 / ({height} × {width}) = ", 1 / (height * width))
        which = "the same channel: the mean" if meets else "another channel: a zero kernel"
        return (
            (f"out {out}, in {in_}: {which}",),
            share,
            (f"{name_of(tap)} = ", float(kernel.weight[tap])),
        )

    return lines


def _sum(values: Iterable[float]) -> float:
    """Without rounding on the way; as torch has it where that is no number, or too large for one."""
    numbers = list(values)
    try:
        return math.fsum(numbers)
    except (ValueError, OverflowError):
        return sum(numbers)


def _factor(norm: nn.BatchNorm2d, out: int) -> tuple[float, Line]:
    """gamma / sqrt(var + eps) of a channel, infinite or NaN as torch has it, and the line that says so."""
    assert norm.running_var is not None
    gamma = 1.0 if norm.weight is None else float(norm.weight[out])
    var = float(norm.running_var[out])
    factor = float(gamma / torch.tensor(var + norm.eps, dtype=torch.float64).sqrt())
    return factor, ("gamma ", gamma, " / sqrt(var ", var, " + eps ", norm.eps, ") = scale ", factor)


def folded_norm(before: StepKernel, norm: nn.BatchNorm2d) -> Operation:
    """scale = gamma / sqrt(var + eps); weight times scale; (bias - mean) times scale + beta."""

    def lines(tap: Tap) -> tuple[Line, ...]:
        assert norm.running_mean is not None
        out = tap.out
        factor, scale = _factor(norm, out)
        weight, bias, mean = before.at(tap), before.bias_at(out), float(norm.running_mean[out])
        beta = 0.0 if norm.bias is None else float(norm.bias[out])
        folded = (bias - mean) * factor + beta
        return (
            scale,
            (f"{name_of(tap)} ", weight, " × scale ", factor, " = ", weight * factor),
            ("(bias ", bias, " − mean ", mean, ") × scale ", factor, " + beta ", beta, " = ", folded),
        )

    return lines


def multiplied(before: StepKernel, factors: Tensor, called: str) -> Operation:
    """The weight and the bias times one factor, or times the output channel's."""
    factors = factors.detach().flatten()

    def lines(tap: Tap) -> tuple[Line, ...]:
        out = tap.out
        factor = float(factors[out if len(factors) > 1 else 0])
        weight, bias = before.at(tap), before.bias_at(out)
        times: Line = (f"{name_of(tap)} ", weight, f" × {called} ", factor, " = ", weight * factor)
        if before.kernel.bias is None:
            return (times,)
        return times, (f"bias[{out}] ", bias, f" × {called} ", factor, " = ", bias * factor)

    return lines


def rescaled(before: StepKernel, by: Kernel, called: str) -> Operation:
    """As `multiplied`, by one factor a channel, (channels, 1, 1, 1), and with what it adds."""

    def lines(tap: Tap) -> tuple[Line, ...]:
        added = 0.0 if by.bias is None else float(by.bias[tap.out])
        factors = by.weight[:, 0, 0, 0]
        times = multiplied(before, factors, called)(tap)
        if not added:
            return times
        total = before.bias_at(tap.out) * float(factors[tap.out]) + added
        return *times, (f"bias[{tap.out}] + what it adds ", added, " = ", total)

    return lines


def multiplied_by_norm(before: StepKernel, norm: nn.BatchNorm2d) -> Operation:
    """As `multiplied`, by the scale of a batch norm."""

    def lines(tap: Tap) -> tuple[Line, ...]:
        factor, scale = _factor(norm, tap.out)
        factors = before.kernel.weight.new_tensor([factor])
        return scale, *multiplied(before, factors, "scale")(tap)

    return lines


def offset_of_norm(norm: nn.BatchNorm2d) -> Operation:
    """beta - mean times scale."""

    def lines(tap: Tap) -> tuple[Line, ...]:
        assert norm.running_mean is not None
        out = tap.out
        factor, scale = _factor(norm, out)
        mean = float(norm.running_mean[out])
        beta = 0.0 if norm.bias is None else float(norm.bias[out])
        bias = beta - mean * factor
        return scale, (f"bias[{out}] = beta ", beta, " − mean ", mean, " × scale ", factor, " = ", bias)

    return lines


def in_its_group(before: StepKernel, groups: int, fewer: int) -> Operation:
    """Which group the output channel is in, and whether the input channel is too."""
    rows, columns = len(before.kernel.weight) // groups, int(before.kernel.weight.shape[1])
    ratio = groups // fewer

    def lines(tap: Tap) -> tuple[Line, ...]:
        group, of_in = tap.out // rows, tap.out // rows // ratio * ratio + tap.in_ // columns
        where: Line = (f"out {tap.out} is in group {group}, in {tap.in_} in group {of_in}",)
        if group != of_in:
            return where, (f"{name_of(tap)}: between two groups: ", 0.0), *_bias_stays(before, tap.out)
        origin = before.origin(tap)
        same: Line = (f"{name_of(tap)} = {name_of(origin)} of the grouped = ", before.at(origin))
        return where, same, *_bias_stays(before, tap.out)

    return lines


def with_identity(before: StepKernel, after: Kernel) -> Operation:
    """The stored weight, and 1 where the channels meet."""

    def lines(tap: Tap) -> tuple[Line, ...]:
        stored, weight = before.at(tap), float(after.weight[tap])
        meets = bool(before.origin(tap)[1] == tap.out % after.weight.shape[1])
        identity = 1.0 if meets else 0.0
        summed: Line = (f"stored {name_of(tap)} ", stored, " + identity ", identity, " = ", weight)
        return summed, *_bias_stays(before, tap.out)

    return lines


def through_channels(first: Kernel, second: Kernel, groups: int) -> Operation:
    """The sum over the channels between two convolutions of the products of their weights."""
    rows, between = len(second.weight) // groups, int(second.weight.shape[1])

    def lines(tap: Tap) -> tuple[Line, ...]:
        out, in_, ky, kx = tap
        start = out // rows * between
        outer, inner = _products_at(first.weight[start : start + between, in_], second.weight[out], ky, kx)
        weight: Line = (f"{name_of(tap)} = ", *_sum_of_products(outer, inner))
        own = None if second.bias is None else float(second.bias[out])
        if first.bias is None:
            return (weight,) if own is None else (weight, (f"bias[{out}] stays ", own))
        sums = second.weight[out].sum(dim=(1, 2)).tolist()
        biases = first.bias[start : start + between].tolist()
        total = _sum(a * b for a, b in zip(sums, biases, strict=True)) + (own or 0.0)
        given: Line = () if own is None else ("own ", own, " + ")
        return weight, (f"bias[{out}] = ", *given, *_products(sums, biases), " = ", total)

    return lines


def _products_at(first: Tensor, second: Tensor, row: int, column: int) -> tuple[list[float], list[float]]:
    """The factors of all products that meet at one tap; both (channels, kH, kW)."""
    outer: list[float] = []
    inner: list[float] = []
    for top in range(first.shape[1]):
        for left in range(first.shape[2]):
            ky, kx = row - top, column - left
            if 0 <= ky < second.shape[1] and 0 <= kx < second.shape[2]:
                outer += second[:, ky, kx].tolist()
                inner += first[:, top, left].tolist()
    return outer, inner


def _sum_of_products(left: Sequence[float], right: Sequence[float]) -> Line:
    total = _sum(a * b for a, b in zip(left, right, strict=True))
    return *_products(left, right), " = ", total


def _products(left: Sequence[float], right: Sequence[float]) -> Line:
    """a × b + c × d + … (64 terms)."""
    parts: list[str | float] = []
    for a, b in list(zip(left, right, strict=True))[:MOST_TERMS]:
        parts += [" + " if parts else "", a, " × ", b]
    if len(left) > MOST_TERMS:
        parts.append(f" + … ({len(left)} terms)")
    return tuple(parts)


def added(summands: Sequence[StepKernel], after: StepKernel, stored: Kernel, dtype: str) -> Operation:
    """The weights of all summands, their sum, and what the fused kernel holds instead, if it does."""

    def lines(tap: Tap) -> tuple[Line, ...]:
        weights = [summand.at(summand.origin(tap)) for summand in summands]
        return (
            (f"{name_of(tap)}: ", *_terms([each.title for each in summands], weights)),
            *_kept(after.at(tap), _sum(weights), float(stored.weight[tap]), dtype),
        )

    return lines


def added_biases(summands: Sequence[StepKernel], after: StepKernel, stored: Kernel, dtype: str) -> Operation:
    """The biases of all summands that have one, and their sum."""
    biased = [summand for summand in summands if summand.kernel.bias is not None]

    def lines(tap: Tap) -> tuple[Line, ...]:
        out = tap.out
        biases = [summand.bias_at(out) for summand in biased]
        kept = 0.0 if stored.bias is None else float(stored.bias[out])
        return (
            (f"bias[{out}]: ", *_terms([each.title for each in biased], biases)),
            *_kept(after.bias_at(out), _sum(biases), kept, dtype),
        )

    return lines


def _terms(names: Sequence[str], values: Sequence[float]) -> Line:
    """kxk 0.1 + 1x1 0.2 = 0.3."""
    parts: list[str | float] = []
    for name, value in zip(names, values, strict=True):
        parts += [f"{' + ' if parts else ''}{name} ", value]
    return *parts, " = ", _sum(values)


def _kept(fused: float, total: float, stored: float, dtype: str) -> tuple[Line, ...]:
    """What the fused kernel holds: another number where it was spoilt; the nearest that the dtype has."""
    lines: list[Line] = []
    if abs(fused - total) > 1e-9 * max(abs(fused), abs(total)):
        lines.append(
            (
                "but the fused kernel holds ",
                fused,
                ": not the sum",
            )
        )
    if dtype != "float64":
        stays = stored == fused
        lines.append(
            (f"rounded to {dtype}: exact",) if stays else (f"rounded to {dtype}: off by ", stored - fused)
        )
    return tuple(lines)
