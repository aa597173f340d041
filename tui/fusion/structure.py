"""From a block back to a spec of its structure, for blocks that were not built from one."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from tui.fusion.block import ReparamBlock
from tui.fusion.kernel import FusionError
from tui.fusion.layers import Branch
from tui.fusion.specs.block_spec import SAME, BlockSpec, Pair
from tui.fusion.specs.branch_spec import BranchSpec
from tui.fusion.specs.layer_spec import USUAL_EPS
from tui.fusion.specs.padding import Border, even_padding, show_padding


def structure_of(block: ReparamBlock, x: Tensor) -> BlockSpec:
    """A spec with the structure of this block on an input of x's shape, (batch, in_channels, H, W).

    Each branch comes back as the chain of its layers, under its own name. Fill, dtype and seed say nothing.

    Raises:
        FusionError: the block's border is none that an nn.Conv2d pads.
    """
    geometry = block.geometry
    branches = tuple(map(_branch_spec, block.branches))
    return BlockSpec(
        in_channels=block.in_channels,
        out_channels=block.out_channels,
        kernel_size=block.kernel_size,
        stride=geometry.stride,
        dilation=geometry.dilation,
        groups=geometry.groups,
        branches=branches,
        post_norm=block.post_norm is not None,
        eps=_eps(block, branches),
        padding=_padding(geometry.border),
        padding_mode=geometry.padding_mode,
        input_shape=(x.shape[2], x.shape[3]),
        batch_size=x.shape[0],
    )


def _eps(block: ReparamBlock, branches: tuple[BranchSpec, ...]) -> float:
    """The post norm's, else the one that all batch norms share, else torch's; each norm keeps its own."""
    if isinstance(block.post_norm, nn.BatchNorm2d):
        return block.post_norm.eps
    layers = (layer for branch in branches if branch.chain for layer in branch.chain.all_layers())
    found = {layer.eps for layer in layers if layer.eps is not None}
    return found.pop() if len(found) == 1 else USUAL_EPS


def _padding(border: Border | None) -> Pair | Literal["same"]:
    if border is None:
        return SAME
    padding = even_padding(border)
    if padding is None:
        raise FusionError(f"nn.Conv2d cannot pad by {show_padding(border)}: give both sides as much")
    return padding


def _branch_spec(branch: Branch) -> BranchSpec:
    return BranchSpec.of_chain(branch.spec(), branch.name)
