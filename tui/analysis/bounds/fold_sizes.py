"""How large the numbers were that a fold added up to each weight, and how often it rounded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tui.analysis.numerics.precision import BATCH_NORM_ROUNDINGS
from tui.fusion.block import ReparamBlock
from tui.fusion.branches import (
    AverageBranch,
    Branch,
    ConvBranch,
    IdentityBranch,
    OffsetIdentityConv,
    PointwiseStep,
    SequenceBranch,
)
from tui.fusion.composition import compose
from tui.fusion.geometry import Geometry
from tui.fusion.kernel import FusionError, Kernel, add, affine_of, average_pool, dirac, kernel_of, scale
from tui.fusion.padding import taps_apart
from tui.fusion.widening import dilate, ungroup


@dataclass(frozen=True, eq=False)
class FoldSize:
    """What a fold went through.

    Attributes:
        kernel: for each weight and bias the sum of the absolute values of its summands, (out_channels,
            in_channels / groups, kH, kW) and (out_channels,).
        roundings: no weight and no bias met more, one after the other.
    """

    kernel: Kernel
    roundings: int = 0


@dataclass(frozen=True, eq=False)
class FoldSizes:
    """What the fold of a whole block went through.

    Attributes:
        kernel, roundings: as FoldSize's.
        touched: weights that are no plain copy of one branch's weight, a mask of the weight's shape.
    """

    kernel: Kernel
    roundings: int
    touched: Tensor

    def rows(self, rows: Sequence[int]) -> FoldSizes:
        """Of these output channels only."""
        if len(rows) == len(self.touched):
            return self
        return FoldSizes(self.kernel.rows(rows), self.roundings, self.touched[list(rows)])


def fold_sizes(block: ReparamBlock) -> FoldSizes:
    """The fold of all branches into one kernel, as ReparamBlock does it or in any other order.

    Raises:
        FusionError: a branch of no known kind, or a norm that is not a batch norm in eval mode.
    """
    summands = [_written_for(block.geometry, branch, _size_of(branch)) for branch in block.branches]
    if block.post_norm is not None:
        summands = [_normalised(summand, block.post_norm) for summand in summands]
    kernel = add([summand.kernel for summand in summands])
    roundings = max(summand.roundings for summand in summands) + len(summands)
    return FoldSizes(kernel, roundings, _touched(summands))


def _touched(summands: Iterable[FoldSize]) -> Tensor:
    """Where two branches meet, or one that was itself computed."""
    counts = [
        Kernel((1.0 + bool(summand.roundings)) * (summand.kernel.weight != 0), None) for summand in summands
    ]
    return add(counts).weight > 1


def _written_for(block: Geometry, branch: Branch, size: FoldSize) -> FoldSize:
    """With the groups and the spacing of taps of the block."""
    own = branch.geometry
    kernel = ungroup(size.kernel, own.groups, block.groups)
    apart = taps_apart(branch.kernel_size, own.dilation, block.dilation)
    return FoldSize(dilate(kernel, apart), size.roundings)


def _size_of(branch: Branch) -> FoldSize:
    size = _mapped(branch)
    if branch.norm is not None:
        size = _normalised(size, branch.norm)
    for factors in (branch.alpha, branch.gamma):
        if factors is not None:
            size = FoldSize(scale(size.kernel, factors.abs()), size.roundings + 1)
    return size


def _mapped(branch: Branch) -> FoldSize:
    match branch:
        case IdentityBranch():
            return FoldSize(dirac(branch.out_channels, branch.geometry.groups))
        case AverageBranch():
            return FoldSize(average_pool(branch.out_channels, branch.kernel_size, branch.geometry.groups), 1)
        case ConvBranch():
            return FoldSize(_absolute(kernel_of(branch.conv)))
        case SequenceBranch():
            return _in_sequence(branch)
    raise FusionError(f"{type(branch).__name__} is not a kind of branch whose rounding is known")


def _in_sequence(branch: SequenceBranch) -> FoldSize:
    first, groups = _stepped(branch.first), branch.geometry.groups
    second = (
        _absolute(kernel_of(branch.second))
        if isinstance(branch.second, nn.Conv2d)
        else average_pool(branch.out_channels, branch.kernel_size, groups)
    )
    summed = second.weight[0].numel() + 2
    return FoldSize(compose(first.kernel, second, groups), first.roundings + summed)


def _stepped(step: PointwiseStep) -> FoldSize:
    size = FoldSize(_absolute(kernel_of(step.conv)))
    if isinstance(step.conv, OffsetIdentityConv):
        size = FoldSize(add([size.kernel, dirac(step.conv.out_channels, step.conv.groups)]), 1)
    return size if step.norm is None else _normalised(size, step.norm)


def _normalised(size: FoldSize, norm: nn.Module) -> FoldSize:
    """Behind a batch norm: |s W|, and |s b| + |beta| + |s mean|."""
    factors, shift = affine_of(norm)
    assert isinstance(norm, nn.BatchNorm2d)
    beta = torch.zeros_like(shift) if norm.bias is None else norm.bias.detach().double()
    offset = beta.abs() + (shift - beta).abs()
    kernel = scale(size.kernel, factors.abs())
    bias = offset if kernel.bias is None else kernel.bias + offset
    return FoldSize(Kernel(kernel.weight, bias), size.roundings + BATCH_NORM_ROUNDINGS)


def _absolute(kernel: Kernel) -> Kernel:
    return Kernel(kernel.weight.abs(), None if kernel.bias is None else kernel.bias.abs())
