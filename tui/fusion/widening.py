"""The same map written with a larger kernel: zeros between its taps, zeros between its groups."""

from __future__ import annotations

from tui.fusion.kernel import FusionError, Kernel
from tui.fusion.pair_text import Pair


def dilate(kernel: Kernel, dilation: Pair) -> Kernel:
    """The kernel whose taps stand `dilation` apart, as one with neighbouring taps: zeros are inserted.

    (out_channels, in_channels / groups, kH, kW) -> the same with (kH', kW') taps, k' = (k - 1) r + 1 for odd
    k and k r for even k, whose r - 1 zeros in front keep the centre tap the centre (`dilated_size`). Tap i
    goes to i r, or i r + r - 1 (UniRepLKNet: Ding et al., 2024, sec. 3.2).

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
    front = [0 if size % 2 or size == 1 else step - 1 for size, step in zip(sizes, dilation, strict=True)]
    return _spread(kernel, dilation, (front[0], front[1]))


def spread(kernel: Kernel, dilation: Pair) -> Kernel:
    """As `dilate`, without the zeros in front: (k - 1) r + 1 taps for even k, too."""
    return _spread(kernel, dilation, (0, 0))


def _spread(kernel: Kernel, dilation: Pair, front: Pair) -> Kernel:
    """Zeros between the taps, and so many in front."""
    sizes = kernel.kernel_size
    if all(size == 1 or step == 1 for size, step in zip(sizes, dilation, strict=True)):
        return kernel
    wide = [zeros + (size - 1) * step + 1 for size, step, zeros in zip(sizes, dilation, front, strict=True)]
    weight = kernel.weight.new_zeros((*kernel.weight.shape[:2], *wide))
    rows, columns = (slice(zeros, None, step) for zeros, step in zip(front, dilation, strict=True))
    weight[:, :, rows, columns] = kernel.weight
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
