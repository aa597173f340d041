"""The variances that batch norms divide by, made others: with another eps, or unbiased once more."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from tui.fusion.block import ReparamBlock


def norms_of(block: ReparamBlock) -> list[nn.BatchNorm2d]:
    """Every batch norm of the block that has running statistics."""
    modules = (module for module in block.modules() if isinstance(module, nn.BatchNorm2d))
    return [norm for norm in modules if norm.running_var is not None]


def norms_before_the_stride(block: ReparamBlock) -> list[nn.BatchNorm2d]:
    """Those that see every pixel of the input where the block skips some: in front of the layer that does.

    Where the block pads by a number also those in front of that.
    """
    padded, found = block.geometry.border is not None, list[nn.BatchNorm2d]()
    for branch in block.branches:
        for layer in branch.layers:
            if layer.stride != (1, 1) or (padded and layer.kernel_size != (1, 1)):
                break
            found += [module for module in layer.modules() if isinstance(module, nn.BatchNorm2d)]
    return found if block.geometry.stride != (1, 1) or padded else []


def values_seen(block: ReparamBlock, x: Tensor) -> tuple[int, int]:
    """How many values of each channel a batch norm sees: one in front of the stride, and any other one.

    Only the shape of x, (batch, in_channels, H, W), counts.
    """
    batch, _, height, width = x.shape
    rows, columns = block.frame.output((height, width), block.geometry.stride)
    return batch * height * width, batch * rows * columns


def unbiased(values: float) -> float:
    """n / (n - 1), which unbiases a variance over n values (Bessel's correction); infinite for n = 1."""
    return values / (values - 1) if values > 1 else math.inf


def with_eps(block: ReparamBlock, eps_for: Callable[[float], float]) -> ReparamBlock:
    """A float64 copy whose batch norms have the eps that is given for theirs."""
    other = copy.deepcopy(block).double()
    for norm in norms_of(other):
        norm.eps = eps_for(norm.eps)
    return other


@torch.no_grad()
def with_variances_times(block: ReparamBlock, before: float, after: float) -> ReparamBlock:
    """A float64 copy whose running variances are multiplied, those in front of the stride by `before`."""
    other = copy.deepcopy(block).double()
    inner = set(norms_before_the_stride(other))
    for norm in norms_of(other):
        if norm.running_var is not None:
            norm.running_var.mul_(before if norm in inner else after)
    return other
