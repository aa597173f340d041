"""Fold any block by its layers' own kernels, and let its branches answer a random input."""

from __future__ import annotations

import torch
from torch import Tensor

from tui.analysis.bounds.fold_sizes import FoldSizes, fold_sizes
from tui.checkpoints.folding.folded import Answer, Folded, largest
from tui.checkpoints.folding.patch import answer, random_patch
from tui.checkpoints.folding.rounding import share_of_rounding
from tui.fusion.block import ReparamBlock, conv_of
from tui.fusion.kernel import Kernel
from tui.fusion.specs.padding import centre

AROUND = 2
"""Pixels of an image beyond the kernel's size, so that some see the border on either side, and some not."""


@torch.no_grad()
def fold_general(block: ReparamBlock, dtype: torch.dtype) -> Folded:
    """The fused convolution of a block in float64 and eval mode, and how it answers a random patch.

    Raises:
        FusionError: the block is not a convolution.
    """
    kernel = block.kernel()
    weight, bias = kernel.weight, _bias(kernel)
    stored = weight.to(dtype).contiguous(), bias.to(dtype)
    patch = random_patch(weight.shape[1], kernel.kernel_size)
    row, column = map(centre, kernel.kernel_size)
    unfused = block(patch.repeat(block.geometry.groups, 1, 1)[None])[0, :, row, column]
    fused = weight.flatten(1) @ patch.flatten() + bias
    sizes = fold_sizes(block)
    size = sizes.kernel.weight.flatten(1) @ patch.flatten().abs() + _bias(sizes.kernel)
    shares = [share_of_rounding(stored[0], weight), share_of_rounding(stored[1], bias)]
    return Folded(*stored, largest(shares), answer(fused, unfused, size, _terms(sizes)))


@torch.no_grad()
def answer_on_image(block: ReparamBlock) -> Answer:
    """What a block in float64 and eval mode and the convolution of its kernel make of a random image.

    Raises:
        FusionError: the block is not a convolution.
    """
    kernel, sizes = block.kernel(), fold_sizes(block)
    height, width = kernel.kernel_size
    x = random_patch(block.in_channels, (height + AROUND, width + AROUND))[None]
    fused, unfused = conv_of(kernel, block.geometry)(x), block(x)
    # No number of x is larger than 1.
    size = (sizes.kernel.weight.flatten(1).sum(dim=1) + _bias(sizes.kernel)).view(-1, 1, 1)
    return answer(fused, unfused, size, _terms(sizes))


def _bias(kernel: Kernel) -> Tensor:
    return kernel.weight.new_zeros(len(kernel.weight)) if kernel.bias is None else kernel.bias


def _terms(sizes: FoldSizes) -> int:
    return sizes.kernel.weight[:1].numel() + sizes.roundings
