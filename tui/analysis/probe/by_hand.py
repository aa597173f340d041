"""One output element of one branch, written out stage by stage as the branch runs it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tui.analysis.alterations.count_inside import InsideAverage
from tui.analysis.numerics.exact_sum import exact_dot, rounded
from tui.analysis.probe.taps import Taps, taps_at
from tui.fusion.branches import (
    AverageBranch,
    Branch,
    ConvBranch,
    IdentityBranch,
    OffsetIdentityConv,
    PointwiseStep,
    SequenceBranch,
)
from tui.fusion.kernel import FusionError, affine_of
from tui.fusion.padding import centre
from tui.fusion.spec import PaddingMode, Pair


@dataclass(frozen=True, eq=False)
class WrittenSum:
    """(sum of patch * weight + bias) / divisor.

    Attributes:
        first_channel: the channel that patch[0] belongs to.
        patch: (channels, kH, kW), float64: what is under the taps.
        weight: of that shape, float64. An average has ones.
        padding: (kH, kW), True where the tap falls outside the image.
        bias: None where there is none.
        divisor: 1, or the pixels that an average divides by.
        value: the result, without rounding up to there, then rounded to the dtype once.
    """

    first_channel: int
    patch: Tensor
    weight: Tensor
    padding: Tensor
    bias: float | None
    divisor: int
    value: float

    @property
    def channels(self) -> range:
        """The channels that are read."""
        return range(self.first_channel, self.first_channel + len(self.patch))

    def subtotals(self) -> Tensor:
        """The sum of each channel's products, (channels,), float64."""
        return (self.patch * self.weight).sum(dim=(1, 2))


@dataclass(frozen=True, slots=True)
class Applied:
    """factor x + offset after a sum: `title` says of what, `value` is the result in the dtype."""

    title: str
    factor: float
    offset: float
    value: float


@dataclass(frozen=True, eq=False)
class WrittenStage:
    """A sum, and what is applied to it afterwards, in that order."""

    sum: WrittenSum
    applied: tuple[Applied, ...] = ()

    @property
    def value(self) -> float:
        """What comes out at the end."""
        return self.applied[-1].value if self.applied else self.sum.value


@dataclass(frozen=True, eq=False)
class ProbedBranch:
    """One summand of the block at the element.

    Attributes:
        name: the branch's: "kxk", "1x1 #2".
        stage: what it computes; of a sequence the second step, whose patch is the first step's output.
        inner: of a sequence the first step at the centre tap, for one of the channels between the two.
        inner_channel: that channel.
    """

    name: str
    stage: WrittenStage
    inner: WrittenStage | None = None
    inner_channel: int = 0


@dataclass(frozen=True, slots=True)
class Element:
    """The output element that is written out, and the arithmetic: (H, W) of the input is `shape`."""

    channel: int
    pixel: Pair
    shape: Pair
    dtype: torch.dtype

    def taps(self, kernel_size: Pair, stride: Pair = (1, 1), dilation: Pair = (1, 1)) -> Taps:
        """Where such a kernel reads for this element."""
        return taps_at(self.pixel, kernel_size, stride, dilation, self.shape)


def written_sum(
    patch: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    padding: Tensor,
    *,
    first_channel: int,
    dtype: torch.dtype,
    divisor: int = 1,
) -> WrittenSum:
    """Two tensors (channels, kH, kW) and a number, summed exactly."""
    offset = None if bias is None else float(bias)
    weight = weight.double()
    exact = exact_dot(patch, weight, offset or 0.0) / divisor
    return WrittenSum(first_channel, patch, weight, padding, offset, divisor, rounded(exact, dtype))


def probe_branch(branch: Branch, image: Tensor, element: Element, between: int) -> ProbedBranch:
    """Write out what the branch adds; image: (in_channels, H, W), `between`: the channel of `inner`.

    Raises:
        FusionError: nothing is known of this kind of branch, or its batch norm is in train mode.
    """
    inner, nearest = None, 0
    match branch:
        case ConvBranch():
            found = _convolved(branch, image, element)
        case IdentityBranch():
            found = _identity(image, element)
        case AverageBranch():
            taps = element.taps(branch.kernel_size, branch.geometry.stride)
            patch = taps.read(image[element.channel :][:1], PaddingMode.ZEROS)
            found = _averaged(branch.pool, patch, taps, element)
        case SequenceBranch():
            found, inner, nearest = _sequence(branch, image, element, between)
        case _:
            raise FusionError(f"{branch.name}: nothing is known of how a {type(branch).__name__} computes")
    stage = WrittenStage(found, tuple(_behind(branch, found.value, element)))
    return ProbedBranch(branch.name, stage, inner, nearest)


def normed(norm: nn.Module, title: str, channel: int, value: float, dtype: torch.dtype) -> Applied:
    """A batch norm in eval mode after a value of that channel.

    Raises:
        FusionError: as `affine_of`.
    """
    factors, offsets = affine_of(norm)
    factor, offset = float(factors[channel]), float(offsets[channel])
    return Applied(title, factor, offset, rounded(factor * value + offset, dtype))


def _behind(branch: Branch, value: float, element: Element) -> Iterator[Applied]:
    if branch.norm is not None:
        applied = normed(branch.norm, "batch norm", element.channel, value, element.dtype)
        value = applied.value
        yield applied
    for title, factors in (("alpha", branch.alpha), ("gamma", branch.gamma)):
        if factors is not None:
            factor = float(factors.expand(branch.out_channels)[element.channel])
            value = rounded(factor * value, element.dtype)
            yield Applied(title, factor, 0.0, value)


def _convolved(branch: ConvBranch, image: Tensor, element: Element) -> WrittenSum:
    conv, geometry = branch.conv, branch.geometry
    group = group_of(element.channel, conv)
    taps = element.taps(branch.kernel_size, geometry.stride, geometry.dilation)
    return written_sum(
        taps.read(image[group.start : group.stop], geometry.padding_mode),
        conv.weight[element.channel],
        None if conv.bias is None else conv.bias[element.channel],
        taps.padding,
        first_channel=group.start,
        dtype=element.dtype,
    )


def group_of(out_channel: int, conv: nn.Conv2d) -> range:
    """The input channels that an output channel reads."""
    columns = conv.in_channels // conv.groups
    group = out_channel // (conv.out_channels // conv.groups)
    return range(group * columns, (group + 1) * columns)


def _identity(image: Tensor, element: Element) -> WrittenSum:
    taps = element.taps((1, 1))
    patch = taps.read(image[element.channel :][:1], PaddingMode.ZEROS)
    return written_sum(
        patch,
        torch.ones_like(patch),
        None,
        taps.padding,
        first_channel=element.channel,
        dtype=element.dtype,
    )


def _averaged(pool: nn.AvgPool2d, patch: Tensor, taps: Taps, element: Element) -> WrittenSum:
    """patch: (1, kH, kW), of the channel that is averaged."""
    inside = taps.padding.logical_not() if isinstance(pool, InsideAverage) else torch.ones_like(taps.padding)
    return written_sum(
        patch,
        inside.expand_as(patch),
        None,
        taps.padding,
        first_channel=element.channel,
        dtype=element.dtype,
        divisor=int(inside.sum()),
    )


def _sequence(
    branch: SequenceBranch, image: Tensor, element: Element, between: int
) -> tuple[WrittenSum, WrittenStage, int]:
    """The second step; the first at the centre tap for the channel nearest to `between`, and that channel."""
    geometry, second = branch.geometry, branch.second
    taps = element.taps(branch.kernel_size, geometry.stride, geometry.dilation)
    channels = (
        group_of(element.channel, second)
        if isinstance(second, nn.Conv2d)
        else range(element.channel, element.channel + 1)
    )
    inputs = group_of(channels.start, branch.first.conv)
    window = taps.read(image[inputs.start : inputs.stop], geometry.padding_mode)
    patch = _bordered(branch, _first_step(branch.first, window, channels), taps, channels)
    nearest = min(max(between, channels.start), channels.stop - 1)
    inner = _inner(branch, window, inputs, nearest, element)
    if isinstance(second, nn.AvgPool2d):
        return _averaged(second, patch, taps, element), inner, nearest
    bias = None if second.bias is None else second.bias[element.channel]
    outer = written_sum(
        patch,
        second.weight[element.channel],
        bias,
        taps.padding,
        first_channel=channels.start,
        dtype=element.dtype,
    )
    return outer, inner, nearest


def _first_step(first: PointwiseStep, window: Tensor, channels: range) -> Tensor:
    """(in_channels / groups, kH, kW) -> (len(channels), kH, kW), rounded where the step rounds."""
    dtype = first.conv.weight.dtype
    rows = slice(channels.start, channels.stop)
    y: Tensor = torch.tensordot(_pointwise_weight(first)[rows].double(), window, dims=1)
    if first.conv.bias is not None:
        y = y + first.conv.bias[rows].double().view(-1, 1, 1)
    y = y.to(dtype).double()
    if first.norm is not None:
        factors, offsets = (part[rows].view(-1, 1, 1) for part in affine_of(first.norm))
        y = (y * factors + offsets).to(dtype).double()
    return y


def _pointwise_weight(first: PointwiseStep) -> Tensor:
    """(out_channels, in_channels / groups), as it is multiplied with."""
    conv = first.conv
    weight: Tensor = conv.weight + conv.identity if isinstance(conv, OffsetIdentityConv) else conv.weight
    return weight.flatten(1)


def _bordered(branch: SequenceBranch, patch: Tensor, taps: Taps, channels: range) -> Tensor:
    """The patch between the two steps with what the branch pads there."""
    if branch.zero_border:
        return patch.masked_fill(taps.padding, 0)
    if branch.geometry.padding_mode is not PaddingMode.ZEROS:
        return patch
    border = branch.first.at_zero()[channels.start : channels.stop].double().view(-1, 1, 1)
    return torch.where(taps.padding, border, patch)


def _inner(
    branch: SequenceBranch, window: Tensor, inputs: range, channel: int, element: Element
) -> WrittenStage:
    first = branch.first
    row, column = map(centre, branch.kernel_size)
    found = written_sum(
        window[:, row : row + 1, column : column + 1],
        _pointwise_weight(first)[channel].view(-1, 1, 1),
        None if first.conv.bias is None else first.conv.bias[channel],
        torch.zeros(1, 1, dtype=torch.bool),
        first_channel=inputs.start,
        dtype=element.dtype,
    )
    if first.norm is None:
        return WrittenStage(found)
    return WrittenStage(found, (normed(first.norm, "inner batch norm", channel, found.value, element.dtype),))
