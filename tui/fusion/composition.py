"""Two convolutions, one after the other, as one: the full convolution of their taps, in each group."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from tui.fusion.kernel import FusionError, Kernel
from tui.fusion.pair_text import Pair
from tui.fusion.specs.layer_spec import spacing_of
from tui.fusion.specs.padding import taps_apart
from tui.fusion.widening import dilate, ungroup


@dataclass(frozen=True, eq=False)
class Placed:
    """A kernel, the groups that it is written with, and the pixels from one of its taps to the next."""

    kernel: Kernel
    groups: int = 1
    dilation: Pair = (1, 1)

    @property
    def kernel_size(self) -> Pair:
        """(kH, kW)."""
        return self.kernel.kernel_size

    @property
    def is_depthwise(self) -> bool:
        """Whether each output channel reads its own input channel alone."""
        return self.kernel.weight.shape[:2] == (self.groups, 1)

    def in_groups(self, fewer: int) -> Placed:
        """The same map written with fewer groups."""
        return Placed(ungroup(self.kernel, self.groups, fewer), fewer, self.dilation)

    def spaced(self, spacing: Pair) -> Placed:
        """The same with taps that far apart, zeros between them."""
        if self.dilation == spacing:
            return self
        apart = taps_apart(self.kernel_size, self.dilation, spacing)
        return Placed(dilate(self.kernel, apart), self.groups, spacing)


def followed_by(first: Placed, second: Placed) -> Placed:
    """Both, one after the other, as one kernel of the most groups and the widest spacing that both have.

    What sees each channel alone is never written as a dense kernel on the way.

    Raises:
        FusionError: the channels do not fit.
    """
    spacing = spacing_of((first, second))
    first, second = first.spaced(spacing), second.spaced(spacing)
    between = second.kernel.weight.shape[1] * second.groups
    given = first.kernel.weight.shape[0]
    if given != between:
        raise FusionError(f"a convolution to {given} channels and one from {between} do not fit")
    if second.is_depthwise:
        weight = _full(first.kernel.weight, second.kernel.weight)
        groups = first.groups
    elif first.is_depthwise:
        groups = second.groups
        columns = first.kernel.weight.view(groups, 1, -1, *first.kernel_size)
        rows = second.kernel.weight.view(groups, -1, columns.shape[2], *second.kernel_size)
        weight = _full(columns, rows).flatten(0, 1)
    else:
        groups = math.gcd(first.groups, second.groups)
        weight = _through_channels(
            first.in_groups(groups).kernel.weight, second.in_groups(groups).kernel.weight, groups
        )
    return Placed(Kernel(weight, _bias(first.kernel, second.kernel, second.groups)), groups, spacing)


def compose(first: Kernel, second: Kernel, groups: int = 1) -> Kernel:
    """A convolution and then another one, both of `groups` groups and neighbouring taps, as one kernel.

    In each group, with m counting the channels between, and taps t of the one, u of the other (Ding et al.,
    DBB, 2021, eq. 7 and 8, which have a 1 x 1 first):
    W[o, i, t + u] = sum over m of second[o, m, u] first[m, i, t],
    b[o] = second.b[o] + sum over m, u of second[o, m, u] first.b[m].

    (mid, in_channels / groups, h, w) and (out_channels, mid / groups, kH, kW) ->
    (out_channels, in_channels / groups, h + kH - 1, w + kW - 1). The sum for b takes all taps, so at the
    border of the image it is exact only if what is padded there is first.b, the first convolution's value at
    zero, as it is where the image is padded up front.

    >>> first = Kernel(torch.tensor([2.0]).view(1, 1, 1, 1), torch.tensor([1.0]))
    >>> both = compose(first, Kernel(torch.tensor([[1.0, 3.0]]).view(1, 1, 1, 2), None))
    >>> both.weight.flatten().tolist(), both.bias.tolist()
    ([2.0, 6.0], [4.0])

    Raises:
        FusionError: the channels or groups do not fit.
    """
    between, per_group, out_channels = len(first.weight), second.weight.shape[1], len(second.weight)
    if between != per_group * groups or out_channels % groups:
        raise FusionError(
            f"a convolution to {between} channels and one from {per_group} in each of {groups} groups "
            f"to {out_channels} do not fit"
        )
    return Kernel(_through_channels(first.weight, second.weight, groups), _bias(first, second, groups))


def _through_channels(first: Tensor, second: Tensor, groups: int) -> Tensor:
    """Both of `groups` groups: for each tap of the first, a product of matrices in each group."""
    _, columns, height, width = first.shape
    out_channels, per_group, *taps = second.shape
    rows, area = out_channels // groups, taps[0] * taps[1]
    inner = first.reshape(groups, per_group, columns * height * width)
    outer = second.reshape(groups, rows, per_group, area).transpose(2, 3)
    product = torch.bmm(outer.reshape(groups, rows * area, per_group), inner)
    each = product.view(groups, rows, area, columns, height * width).permute(4, 0, 1, 3, 2)
    if height * width == 1:
        return each.reshape(out_channels, columns, *taps)
    each = each.reshape(height * width, out_channels, columns, *taps)
    weight = first.new_zeros(out_channels, columns, height + taps[0] - 1, width + taps[1] - 1)
    for place, part in enumerate(each):
        top, left = divmod(place, width)
        weight[:, :, top : top + taps[0], left : left + taps[1]] += part
    return weight


def _full(one: Tensor, other: Tensor) -> Tensor:
    """The full convolution over the last two axes, the others broadcast."""
    (height, width), taps = one.shape[-2:], other.shape[-2:]
    if height * width == 1 or taps.numel() == 1:
        return one * other
    pixels = one[..., :1, :1] * other[..., :1, :1]
    weight = one.new_zeros(*pixels.shape[:-2], height + taps[0] - 1, width + taps[1] - 1)
    for top in range(taps[0]):
        for left in range(taps[1]):
            product = one * other[..., top : top + 1, left : left + 1]
            weight[..., top : top + height, left : left + width] += product
    return weight


def _bias(first: Kernel, second: Kernel, groups: int) -> Tensor | None:
    if first.bias is None:
        return second.bias
    summed = second.weight.sum(dim=(2, 3))
    if summed.shape[1] == 1 and groups == len(summed):  # each channel alone
        bias = summed.flatten() * first.bias
    else:
        columns = summed.view(groups, -1, summed.shape[1])
        bias = torch.matmul(columns, first.bias.view(groups, -1, 1)).flatten()
    return bias if second.bias is None else bias + second.bias
