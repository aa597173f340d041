"""Two convolutions, one after the other, as one."""

from __future__ import annotations

import torch
from torch import Tensor

from tui.fusion.kernel import FusionError, Kernel
from tui.fusion.pair_text import show_pair


def compose(first: Kernel, second: Kernel, groups: int = 1) -> Kernel:
    """A 1 x 1 convolution and then a k x k one, both of `groups` groups, as one k x k kernel.

    In each group, with m counting the channels between (DBB: Ding et al., 2021, eq. 7 and 8):
    W[o, i, y, x] = sum over m of second[o, m, y, x] first[m, i],
    b[o] = second.b[o] + sum over m, y, x of second[o, m, y, x] first.b[m].

    (mid, in_channels / groups, 1, 1) and (out_channels, mid / groups, kH, kW) ->
    (out_channels, in_channels / groups, kH, kW). The sum for b takes all taps, so at the border of the image
    it is exact only if what is padded there is first.b, the first convolution's value at zero.

    >>> first = Kernel(torch.tensor([2.0]).view(1, 1, 1, 1), torch.tensor([1.0]))
    >>> both = compose(first, Kernel(torch.tensor([[1.0, 3.0]]).view(1, 1, 1, 2), None))
    >>> both.weight.flatten().tolist(), both.bias.tolist()
    ([2.0, 6.0], [4.0])

    Raises:
        FusionError: the first kernel is not 1 x 1, or the channels or groups do not fit.
    """
    between, columns = first.weight.shape[:2]
    out_channels, per_group, *taps = second.weight.shape
    if first.kernel_size != (1, 1):
        raise FusionError(
            f"the first of two convolutions must be 1x1 to become one, not {show_pair(first.kernel_size)}"
        )
    if between != per_group * groups or out_channels % groups:
        raise FusionError(
            f"a convolution to {between} channels and one from {per_group} in each of {groups} groups "
            f"to {out_channels} do not fit"
        )
    rows, area = out_channels // groups, taps[0] * taps[1]
    inner = first.weight.view(groups, per_group, columns)
    outer = second.weight.reshape(groups, rows, per_group, area).transpose(2, 3)
    product = torch.bmm(outer.reshape(groups, rows * area, per_group), inner)
    weight = product.view(groups, rows, area, columns).transpose(2, 3).reshape(out_channels, columns, *taps)
    return Kernel(weight, _bias(first, second, groups))


def _bias(first: Kernel, second: Kernel, groups: int) -> Tensor | None:
    if first.bias is None:
        return second.bias
    summed = second.weight.sum(dim=(2, 3)).view(groups, -1, second.weight.shape[1])
    bias = torch.matmul(summed, first.bias.view(groups, -1, 1)).flatten()
    return bias if second.bias is None else bias + second.bias
