"""convolved(conv, x): what an nn.Conv2d gives, in float64 of many groups too, which torch runs one by one."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

_MOST_NUMBERS = 1 << 20
"""Of the windows of an image, laid out one beside the other."""


def convolved(conv: nn.Conv2d, x: Tensor, weight: Tensor | None = None, bias: Tensor | None = None) -> Tensor:
    """(batch, in_channels, H, W) -> what the convolution gives.

    torch has no kernel for groups in float64: each is cut out and convolved by itself, 8 microseconds a
    group. A small image is laid out in windows instead, and all groups are multiplied at once.

    `weight`, `bias`: in the place of its own, both.
    """
    if weight is None:
        weight, bias = conv.weight, conv.bias
    pad = conv._reversed_padding_repeated_twice
    rows, columns = weight.shape[2:]
    if conv.padding_mode != "zeros":
        x = functional.pad(x, pad, mode=conv.padding_mode)
    elif any(pad):
        x = functional.pad(x, pad)
    geometry = {"stride": conv.stride, "dilation": conv.dilation}
    if conv.groups == 1 or x.numel() * rows * columns > _MOST_NUMBERS:
        return functional.conv2d(x, weight, bias, **geometry, groups=conv.groups)
    batch, _, *sides = x.shape
    height, width = (
        (side - (size - 1) * apart - 1) // step + 1
        for side, size, apart, step in zip(sides, (rows, columns), conv.dilation, conv.stride, strict=True)
    )
    windows = functional.unfold(x, (rows, columns), **geometry).view(batch, conv.groups, -1, height * width)
    y = torch.matmul(weight.reshape(conv.groups, -1, windows.shape[2]), windows)
    y = y.view(batch, -1, height, width)
    return y if bias is None else y + bias.view(-1, 1, 1)
