"""The same map written with a larger kernel: zeros between its taps, zeros between its groups."""

from __future__ import annotations

from tui.fusion.kernel import FusionError, Kernel
from tui.fusion.pair_text import Pair
from tui.fusion.specs.padding import extent


def dilate(kernel: Kernel, dilation: Pair) -> Kernel:
    """The kernel whose taps stand `dilation` apart, as one with neighbouring taps: zeros are inserted.

    (out_channels, in_channels / groups, kH, kW) -> the same with (kH', kW') taps, k' = (k - 1) r + 1. Tap i
    goes to i r (UniRepLKNet: Ding et al., 2024, sec. 3.2).

    >>> import torch
    >>> three = Kernel(torch.tensor([1.0, 2.0, 3.0]).view(1, 1, 1, 3), None)
    >>> dilate(three, (1, 2)).weight.flatten().tolist()
    [1.0, 0.0, 2.0, 0.0, 3.0]

    Raises:
        FusionError: a dilation below 1.
    """
    if min(dilation) < 1:
        raise FusionError(f"a dilation must be at least 1, not {min(dilation)}")
    sizes = kernel.kernel_size
    if all(size == 1 or step == 1 for size, step in zip(sizes, dilation, strict=True)):
        return kernel
    wide = [extent(size, step) for size, step in zip(sizes, dilation, strict=True)]
    weight = kernel.weight.new_zeros((*kernel.weight.shape[:2], *wide))
    weight[:, :, :: dilation[0], :: dilation[1]] = kernel.weight
    return Kernel(weight, kernel.bias)


def ungroup(kernel: Kernel, groups: int, fewer: int) -> Kernel:
    """A kernel of `groups` groups as one of `fewer`: block-diagonal, zeros between channels of two groups.

    (out_channels, in_channels / groups, kH, kW) -> (out_channels, in_channels / fewer, kH, kW). With
    r = groups / fewer, the rows of the a-th of r groups keep their weights in the a-th of r blocks of columns
    (DBB: Ding et al., 2021, sec. 3.2).

    >>> import torch
    >>> depthwise = Kernel(torch.tensor([1.0, 2.0]).view(2, 1, 1, 1), None)
    >>> ungroup(depthwise, 2, 1).weight.flatten(1).tolist()
    [[1.0, 0.0], [0.0, 2.0]]

    Raises:
        FusionError: `fewer` does not divide `groups`, or `groups` the output channels.
    """
    if groups % fewer:
        raise FusionError(
            f"a kernel of {groups} groups cannot be written with {fewer}: {fewer} does not divide {groups}"
        )
    out_channels, columns, *taps = kernel.weight.shape
    if out_channels % groups:
        raise FusionError(f"{groups} groups do not divide {out_channels} output channels")
    if groups == fewer:
        return kernel
    ratio, rows = groups // fewer, out_channels // groups
    weight = kernel.weight.new_zeros((fewer, ratio, rows, ratio, columns, *taps))
    grouped = kernel.weight.view(fewer, ratio, rows, columns, *taps)
    weight.diagonal(dim1=1, dim2=3).copy_(grouped.movedim(1, -1))
    return Kernel(weight.view(out_channels, ratio * columns, *taps), kernel.bias)
