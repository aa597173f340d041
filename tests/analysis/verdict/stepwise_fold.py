"""Another tool's fold: each step in the block's own dtype, by torch's operations and none of ours."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from tui.fusion import layers
from tui.fusion.block import ReparamBlock
from tui.fusion.kernel import Kernel
from tui.fusion.layers import Branch, Layer


@torch.no_grad()
def folded_step_by_step(block: ReparamBlock) -> Kernel:
    """What the block comes to where every step is rounded to its dtype; odd kernels without sums."""
    height, width = block.kernel_size
    weight = torch.zeros(block.out_channels, block.in_channels, height, width, dtype=block.dtype)
    bias = torch.zeros(block.out_channels, dtype=block.dtype)
    for branch in block.branches:
        own, offset = _of_branch(branch, block)
        top, left = (height - own.shape[2]) // 2, (width - own.shape[3]) // 2
        weight[:, :, top : top + own.shape[2], left : left + own.shape[3]] += own
        bias = bias + offset
    if isinstance(block.post_norm, nn.BatchNorm2d):
        factor, shift = _affine(block.post_norm)
        weight, bias = weight * factor.view(-1, 1, 1, 1), bias * factor + shift
    return Kernel(_of_own_group(weight, block.geometry.groups), bias if _adds(block) else None)


def _of_branch(branch: Branch, block: ReparamBlock) -> tuple[Tensor, Tensor]:
    taps = torch.eye(block.in_channels, dtype=block.dtype).view(block.in_channels, -1, 1, 1)
    offset = torch.zeros(block.in_channels, dtype=block.dtype)
    for layer in branch.layers:
        taps, offset = _behind(layer, taps, offset)
    rows, columns = block.geometry.dilation
    return taps.transpose(0, 1)[:, :, ::rows, ::columns], offset


def _behind(layer: Layer, taps: Tensor, offset: Tensor) -> tuple[Tensor, Tensor]:
    """`taps`: (in_channels, channels, h, w), each input channel's kernel as an image."""
    match layer:
        case layers.Convolution():
            return _convolved(taps, offset, layer.weight_used(), layer.conv.bias, layer)
        case layers.FixedDepthwise():
            return _convolved(taps, offset, layer.weight_used(), layer.bias, layer)
        case layers.Average():
            height, width = layer.kernel_size
            mean = torch.full((layer.out_channels, 1, height, width), 1 / (height * width), dtype=taps.dtype)
            return _convolved(taps, offset, mean, None, layer)
        case layers.Norm(norm=nn.BatchNorm2d() as norm):
            assert norm.running_mean is not None
            assert norm.bias is not None
            factor, _ = _affine(norm)
            return taps * factor.view(-1, 1, 1), (offset - norm.running_mean) * factor + norm.bias
        case layers.Factor():
            factor = layer.factor.expand(layer.out_channels)
            return taps * factor.view(-1, 1, 1), offset * factor
    return taps, offset


def _convolved(
    taps: Tensor, offset: Tensor, weight: Tensor, bias: Tensor | None, layer: Layer
) -> tuple[Tensor, Tensor]:
    groups = layer.groups or layer.in_channels
    (height, width), (rows, columns) = layer.kernel_size, layer.dilation
    around = ((width - 1) * columns,) * 2 + ((height - 1) * rows,) * 2
    y = _summed_in_float32(functional.pad(taps, around), weight.flip(2, 3), layer.dilation, groups)
    summed = _summed_in_float32(
        offset.view(1, -1, 1, 1), weight.sum(dim=(2, 3), keepdim=True), (1, 1), groups
    )
    return y, summed.flatten() if bias is None else summed.flatten() + bias


def _summed_in_float32(x: Tensor, weight: Tensor, dilation: tuple[int, int], groups: int) -> Tensor:
    """A convolution whose sums are rounded once to their 16-bit dtype, as oneDNN has them.

    Not by oneDNN itself: on a CPU with AMX it is at a depthwise float16 kernel of 31 x 31 for over an hour.
    """
    dtype = x.dtype
    if dtype in (torch.float16, torch.bfloat16):
        x, weight = x.float(), weight.float()
    return functional.conv2d(x, weight, dilation=dilation, groups=groups).to(dtype)


def _affine(norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    assert norm.running_var is not None
    assert norm.running_mean is not None
    factor = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    return factor, norm.bias - norm.running_mean * factor


def _of_own_group(weight: Tensor, groups: int) -> Tensor:
    """(out, in, ...) -> (out, in / groups, ...)."""
    rows, columns = len(weight) // groups, weight.shape[1] // groups
    first = torch.arange(len(weight)).div(rows, rounding_mode="floor") * columns
    own = first.view(-1, 1) + torch.arange(columns)
    return weight[torch.arange(len(weight)).view(-1, 1), own]


def _adds(block: ReparamBlock) -> bool:
    return block.post_norm is not None or any(
        layer.spec().adds or layer.spec().bias for branch in block.branches for layer in branch.layers
    )
