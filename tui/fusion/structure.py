"""From a block back to a spec of its structure, for blocks that were not built from one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from tui.fusion.block import ReparamBlock
from tui.fusion.branches import (
    AverageBranch,
    Branch,
    ConvBranch,
    IdentityBranch,
    OffsetIdentityConv,
    SequenceBranch,
)
from tui.fusion.kernel import FusionError
from tui.fusion.spec import BlockSpec, BranchKind, BranchSpec, Pair, Scale


def structure_of(block: ReparamBlock, x: Tensor) -> BlockSpec:
    """A spec with the structure of this block on an input of x's shape, (batch, in_channels, H, W).

    Single convolutions come back as such with a size of their own, whatever the kind that they were built
    as; identity and pooling, the same for any groups, with the block's. Fill, dtype and seed say nothing.

    Raises:
        FusionError: sequences and poolings differ in kernel size.
    """
    branches = list(block.branches)
    shared = [branch for branch in branches if isinstance(branch, SequenceBranch | AverageBranch)]
    return BlockSpec(
        in_channels=branches[0].in_channels,
        out_channels=branches[0].out_channels,
        kernel_size=_the_one(shared, branches),
        stride=block.geometry.stride,
        dilation=_dilation(branches),
        groups=block.geometry.groups,
        branches=tuple(map(_branch_spec, branches)),
        post_norm=block.post_norm is not None,
        padding_mode=block.geometry.padding_mode,
        input_shape=(x.shape[2], x.shape[3]),
        batch_size=x.shape[0],
    )


def _the_one(shared: Sequence[Branch], branches: Sequence[Branch]) -> Pair:
    sizes = {branch.kernel_size for branch in shared or branches[:1]}
    if len(sizes) > 1:
        raise FusionError("sequences and poolings of different kernel sizes have no common spec")
    return sizes.pop()


def _dilation(branches: Sequence[Branch]) -> Pair:
    dilated = (
        branch.geometry.dilation
        for branch in branches
        if isinstance(branch, SequenceBranch) and isinstance(branch.second, nn.Conv2d)
    )
    return next(dilated, (1, 1))


def _branch_spec(branch: Branch) -> BranchSpec:
    kind, values = _own_structure(branch)
    scale = Scale.NONE if branch.gamma is None else Scale.GAMMA
    return BranchSpec(
        kind,
        batch_norm=branch.norm is not None,
        scale=scale if branch.alpha is None else Scale.ALPHA,
        **values,
    )


def _own_structure(branch: Branch) -> tuple[BranchKind, dict[str, Any]]:
    """The kind, and what only that kind has."""
    if isinstance(branch, ConvBranch):
        return BranchKind.SIZED, {
            "kernel_size": branch.kernel_size,
            "dilation": branch.geometry.dilation,
            "groups": branch.geometry.groups,
            "bias": branch.conv.bias is not None,
        }
    if isinstance(branch, SequenceBranch):
        pooled = not isinstance(branch.second, nn.Conv2d)
        first = branch.first.conv
        return BranchKind.POINTWISE_AVERAGE if pooled else BranchKind.POINTWISE_KXK, {
            "groups": branch.geometry.groups,
            "bias": first.bias is not None,
            "inner_norm": branch.first.norm is not None,
            "identity_offset": isinstance(first, OffsetIdentityConv),
            "expansion": max(1, first.out_channels // first.in_channels),
            "zero_border": branch.zero_border,
        }
    return BranchKind.IDENTITY if isinstance(branch, IdentityBranch) else BranchKind.AVERAGE, {}
