"""The functions that a snippet may need; their source text is copied into it, so they stand on torch alone.

What they do is told by their counterparts in `tui.fusion`, from which they share no code: a snippet that
comes to the same numbers is a second opinion.
"""

from __future__ import annotations

import base64
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

DTYPE = torch.float32
"""Stands for the line of the snippet that sets it."""

Kernel = tuple[Tensor, Tensor]


class OffsetIdentityConv(nn.Conv2d):
    """A 1 x 1 convolution that stores its weight minus the identity."""

    def _conv_forward(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Any:
        identity = nn.init.dirac_(torch.empty_like(weight), self.groups)
        return super()._conv_forward(x, weight + identity, bias)


class FixedDepthwise(nn.Module):
    """The same taps in each channel, times that channel's factor, and a bias."""

    taps: Tensor

    def __init__(self, channels: int, taps: Any, stride: Any, dilation: Any, bias: bool) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels)) if bias else None
        self.register_buffer("taps", torch.tensor(taps, dtype=torch.float64), persistent=False)
        self.stride, self.dilation = stride, dilation

    def forward(self, x: Tensor) -> Tensor:
        """An image with its border around it."""
        weight = self.factor.view(-1, 1, 1, 1) * self.taps.to(self.factor.dtype)
        channels = len(self.factor)
        return functional.conv2d(x, weight, self.bias, self.stride, 0, self.dilation, channels)


class Float16Conv2d(nn.Conv2d):
    """float16 is computed in float32 and rounded once: most CPUs are very slow in float16."""

    def _conv_forward(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Any:
        if x.dtype is not torch.float16:
            return super()._conv_forward(x, weight, bias)
        wide = None if bias is None else bias.float()
        return super()._conv_forward(x.float(), weight.float(), wide).half()


def value_at_zero(first: Any, *others: Any) -> Tensor:
    """What 1 x 1 convolutions and batch norms in a row give where the input is 0: one value a channel."""
    if isinstance(first, nn.Conv2d):
        y = first.weight.new_zeros(first.out_channels) if first.bias is None else first.bias
    else:
        y, others = torch.zeros_like(first.running_mean), (first, *others)
    for each in others:
        y = y.view(1, -1, 1, 1)
        if isinstance(each, nn.Conv2d):
            y = each(y).flatten()
        else:
            y = functional.batch_norm(
                y, each.running_mean, each.running_var, each.weight, each.bias, eps=each.eps
            ).flatten()
    return y


def pad_with(values: Tensor, y: Tensor, left: int, right: int, top: int, bottom: int) -> Tensor:
    """The image with one value a channel around it, so that 1 x 1 then k x k is one convolution."""
    height, width = y.shape[2:]
    shape = (*y.shape[:2], top + height + bottom, left + width + right)
    bordered = values.view(-1, 1, 1).expand(shape).clone()
    bordered[:, :, top : top + height, left : left + width] = y
    return bordered


def average_inside(y: Tensor, border: tuple[int, ...], kernel_size: Any, stride: Any) -> Tensor:
    """The average over the pixels inside the image only."""
    ones = functional.pad(torch.ones_like(y[:1, :1]), border)
    share = functional.avg_pool2d(ones, kernel_size, stride)
    return functional.avg_pool2d(functional.pad(y, border), kernel_size, stride) / share


def kernel_of(conv: nn.Conv2d) -> Kernel:
    """The weight (out_channels, in_channels / groups, kH, kW) and the bias (out_channels,), in float64."""
    weight = conv.weight.double()
    bias = weight.new_zeros(conv.out_channels) if conv.bias is None else conv.bias.double()
    return weight, bias


def fixed_kernel(layer: FixedDepthwise) -> Kernel:
    """Factor times taps, (channels, 1, kH, kW), and the bias, in float64."""
    factor = layer.factor.double()
    bias = factor.new_zeros(len(factor)) if layer.bias is None else layer.bias.double()
    return factor.view(-1, 1, 1, 1) * layer.taps.to(layer.factor.dtype).double(), bias


def identity(channels: int, groups: int) -> Kernel:
    """Row i has its 1 at column i mod (channels / groups)."""
    weight = torch.empty(channels, channels // groups, 1, 1, dtype=torch.float64)
    return nn.init.dirac_(weight, groups), weight.new_zeros(channels)


def average_pool(channels: int, groups: int, height: int, width: int) -> Kernel:
    """1 / (kH kW) at each tap where the identity has its 1."""
    weight, bias = identity(channels, groups)
    return weight.expand(-1, -1, height, width) / (height * width), bias


def add(one: Kernel, other: Kernel) -> Kernel:
    """Two branches side by side: their sum."""
    return one[0] + other[0], one[1] + other[1]


def fold_batch_norm(kernel: Kernel, norm: Any) -> Kernel:
    """s W and s (b - mean) + beta, with s = gamma / sqrt(var + eps)."""
    weight, bias = kernel
    factor = norm.weight.double() / torch.sqrt(norm.running_var.double() + norm.eps)
    offset = norm.bias.double() - norm.running_mean.double() * factor
    return weight * factor.view(-1, 1, 1, 1), bias * factor + offset


def scale(kernel: Kernel, factors: Tensor) -> Kernel:
    """One factor, or one an output channel."""
    factors = factors.double().flatten()
    return kernel[0] * factors.view(-1, 1, 1, 1), kernel[1] * factors


def compose(first: Kernel, second: Kernel, groups: int) -> Kernel:
    """Two kernels in a row as one: the full convolution of their taps, summed over the channels between."""
    weights, biases = [], []
    inner, inner_bias = first[0].chunk(groups), first[1].chunk(groups)
    for group, outer in enumerate(second[0].chunk(groups)):
        around = (outer.shape[2] - 1, outer.shape[3] - 1)
        full = functional.conv2d(inner[group].transpose(0, 1), outer.flip(2, 3), padding=around)
        weights.append(full.transpose(0, 1))
        biases.append(torch.einsum("omyx,m->o", outer, inner_bias[group]))
    return torch.cat(weights), torch.cat(biases) + second[1]


def ungroup(kernel: Kernel, groups: int, fewer: int) -> Kernel:
    """A kernel of `groups` groups written with fewer: zeros between channels of two groups."""
    rows, ratio = [], groups // fewer
    for group, weight in enumerate(kernel[0].chunk(groups)):
        place, columns = group % ratio, weight.shape[1]
        rows.append(functional.pad(weight, (0, 0, 0, 0, place * columns, (ratio - 1 - place) * columns)))
    return torch.cat(rows), kernel[1]


def dilate(kernel: Kernel, *dilation: int) -> Kernel:
    """Zeros between the taps."""
    weight, bias = kernel
    for axis, step in enumerate(dilation, start=2):
        taps = weight.shape[axis]
        shape = list(weight.shape)
        shape[axis] = (taps - 1) * step + 1
        wide = weight.new_zeros(shape)
        wide.index_copy_(axis, torch.arange(taps) * step, weight)
        weight = wide
    return weight, bias


def centred(kernel: Kernel, height: int, width: int) -> Kernel:
    """Zeros around the kernel; its centre tap (k - 1) // 2 on the larger one's."""
    kh, kw = kernel[0].shape[2:]
    top, left = (height - 1) // 2 - (kh - 1) // 2, (width - 1) // 2 - (kw - 1) // 2
    return functional.pad(kernel[0], (left, width - kw - left, top, height - kh - top)), kernel[1]


def padded_at(kernel: Kernel, top: int, left: int, height: int, width: int) -> Kernel:
    """Zeros around the kernel; its first tap at that place of the larger one."""
    kh, kw = kernel[0].shape[2:]
    return functional.pad(kernel[0], (left, width - kw - left, top, height - kh - top)), kernel[1]


def max_abs_difference(one: Tensor, other: Tensor) -> float:
    """The largest |one - other|; inf where only one is finite, or they differ in sign or NaN."""
    same = (one == other) | (one.isnan() & other.isnan())
    difference = (one.double() - other.double()).abs().nan_to_num(torch.inf, torch.inf)
    return float(torch.where(same, 0.0, difference).max())


def numbers(values: Any) -> Tensor:
    """A tensor from numbers as they are written."""
    return torch.tensor(values, dtype=DTYPE)


def decoded(text: str, *shape: int) -> Tensor:
    """A tensor from its bytes."""
    return torch.frombuffer(bytearray(base64.b64decode(text)), dtype=DTYPE).view(shape).clone()
