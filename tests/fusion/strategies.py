"""Blocks to draw: every valid BlockSpec that is small enough to run in a moment.

Strategies are kept: hypothesis looks at each new one before it draws of it, which took longer than to draw.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TypeVar

import torch
from hypothesis import strategies as st
from torch import Tensor, nn

from tui.fusion.block import ReparamBlock, build_block
from tui.fusion.fill import fill_block, make_input
from tui.fusion.specs.block_spec import (
    BlockSpec,
    BranchKind,
    BranchSpec,
    Dtype,
    InputFill,
    PaddingMode,
    Pair,
    Scale,
    WeightFill,
)
from tui.fusion.specs.frame import extent_of
from tui.fusion.specs.problems import MAX_SEED

LARGEST_CHANNELS = 8

EVERYTHING = (
    "kxk+norm,kxk-bias+alpha,1x1+norm+gamma,identity+norm,1xk,kx1,5x5+g4,3x3d2+g2,"
    "1x1-kxk+inner+norm-bias+x2,1x1-kxk+idconv,1x1-avg+inner+norm,1x1-kxk+zeros-bias"
)
"""Each kind but average pooling, which pads only zeros, and each option."""

AnyModule = TypeVar("AnyModule", bound=nn.Module)

_KEEPS_CHANNELS = (BranchKind.IDENTITY, BranchKind.AVERAGE)


@cache
def pairs(low: int, high: int) -> st.SearchStrategy[Pair]:
    return st.tuples(st.integers(low, high), st.integers(low, high))


@cache
def any_branches() -> st.SearchStrategy[BranchSpec]:
    """Any kind with any options, whether or not a block can have it."""
    return st.builds(
        BranchSpec,
        kind=st.sampled_from([kind for kind in BranchKind if kind is not BranchKind.CHAIN]),
        bias=st.booleans(),
        batch_norm=st.booleans(),
        kernel_size=pairs(1, 5),
        dilation=pairs(1, 4),
        groups=st.none() | st.integers(1, LARGEST_CHANNELS),
        scale=st.sampled_from(Scale),
        inner_norm=st.booleans(),
        identity_offset=st.booleans(),
        expansion=st.integers(1, 3),
        zero_border=st.booleans(),
    )


@st.composite
def branches(draw: st.DrawFn, in_channels: int, out_channels: int) -> BranchSpec:
    """A branch that a block of these channels and zero padding can have."""
    branch = draw(any_branches())
    if branch.kind in _KEEPS_CHANNELS and in_channels != out_channels:
        branch = replace(branch, kind=BranchKind.KXK)
    branch = replace(branch, groups=draw(_own_groups(in_channels, out_channels)))
    if branch.identity_offset:
        offset = branch.kind is BranchKind.POINTWISE_KXK or in_channels == out_channels
        branch = replace(branch, expansion=1, identity_offset=offset)
    return replace(branch, bias=False, inner_norm=False) if branch.zero_border else branch


@cache
def _some_branches(in_channels: int, out_channels: int) -> st.SearchStrategy[list[BranchSpec]]:
    return st.lists(branches(in_channels, out_channels), min_size=1, max_size=5)


@cache
def _out_channels(in_channels: int) -> st.SearchStrategy[int]:
    return st.just(in_channels) | st.integers(1, LARGEST_CHANNELS)


@cache
def _groups(in_channels: int, out_channels: int) -> st.SearchStrategy[int]:
    possible = range(1, in_channels + 1)
    return st.sampled_from([each for each in possible if in_channels % each == 0 == out_channels % each])


@cache
def _own_groups(in_channels: int, out_channels: int) -> st.SearchStrategy[int | None]:
    return st.none() | _groups(in_channels, out_channels)


@cache
def _paddings() -> st.SearchStrategy[Pair | None]:
    return st.none() | pairs(0, 4)


@cache
def _own_paddings(rows: Pair, columns: Pair) -> st.SearchStrategy[Pair | None]:
    """None, or rows and columns of zeros, each from one number to another."""
    return st.none() | st.tuples(st.integers(*rows), st.integers(*columns))


@st.composite
def specs(draw: st.DrawFn, dtypes: tuple[Dtype, ...] = (Dtype.FLOAT64,)) -> BlockSpec:
    """Any valid spec with few channels, a small input and up to five branches of any kind."""
    in_channels = draw(st.integers(1, LARGEST_CHANNELS))
    out_channels = draw(_out_channels(in_channels))
    chosen = tuple(draw(_some_branches(in_channels, out_channels)))
    has_identity = any(branch.kind is BranchKind.IDENTITY for branch in chosen)
    spec = BlockSpec(
        in_channels=in_channels,
        out_channels=out_channels,
        kernel_size=draw(pairs(1, 7)),
        stride=(1, 1) if has_identity else draw(pairs(1, 3)),
        dilation=draw(pairs(1, 3)),
        groups=draw(_groups(in_channels, out_channels)),
        branches=chosen,
        post_norm=draw(st.booleans()),
        eps=draw(st.sampled_from([1e-5, 1e-3, 0.1])),
        input_shape=draw(pairs(1, 10)),
        batch_size=draw(st.integers(1, 2)),
        weights=draw(st.sampled_from(WeightFill)),
        input=draw(st.sampled_from(InputFill)),
        dtype=draw(st.sampled_from(dtypes)),
        seed=draw(st.integers(0, MAX_SEED)),
    )
    spec = draw(with_paddings(spec))
    return _with_padding_mode(spec, draw(st.sampled_from(PaddingMode)))


@st.composite
def with_paddings(draw: st.DrawFn, spec: BlockSpec) -> BlockSpec:
    """The spec with a padding in numbers, and some of its branches with one of their own."""
    padding = draw(_paddings())
    if padding is not None:
        sizes = zip(spec.input_shape, padding, spec.frame.extent, strict=True)
        height, width = (max(size, reach - 2 * zeros) for size, zeros, reach in sizes)
        spec = replace(spec, padding=padding, input_shape=(height, width))
    if draw(st.booleans()):
        return spec
    frame, own = spec.frame, []
    for branch, chain in zip(spec.branches, spec.chains, strict=True):
        left, _, top, _ = frame.border
        axes = zip((top, left), frame.extent, extent_of(chain), strict=True)
        rows, columns = ((max(0, zeros - whole + reach), zeros) for zeros, whole, reach in axes)
        own.append(replace(branch, padding=draw(_own_paddings(rows, columns))))
    return replace(spec, branches=tuple(own))


def _with_padding_mode(spec: BlockSpec, mode: PaddingMode) -> BlockSpec:
    """The spec with that mode and an input that is large enough for it; zeros where no other mode can be."""
    pads_zeros = any(branch.kind is BranchKind.AVERAGE or branch.zero_border for branch in spec.branches)
    if pads_zeros or mode is PaddingMode.ZEROS:
        return spec
    left, right, top, bottom = spec.frame.border
    reaches = max(top, bottom), max(left, right)
    height, width = (max(size, reach + 1) for size, reach in zip(spec.input_shape, reaches, strict=True))
    return replace(spec, padding_mode=mode, input_shape=(height, width))


def filled_block(spec: BlockSpec) -> ReparamBlock:
    """The spec's block with its values, in float64."""
    return fill_block(build_block(spec).double(), spec)


def filled_input(spec: BlockSpec) -> Tensor:
    """The spec's input, in float64."""
    return make_input(replace(spec, dtype=Dtype.FLOAT64))


@torch.no_grad()
def with_wild_norms(block: AnyModule, seed: int = 0) -> AnyModule:
    """The block with statistics as training leaves them: running_var from 1e-4 to 3, signs of both kinds."""
    generator = torch.Generator().manual_seed(seed % 2**31)
    for norm in block.modules():
        if isinstance(norm, nn.BatchNorm2d) and norm.running_mean is not None:
            assert norm.running_var is not None
            draws = torch.rand(4, norm.num_features, dtype=torch.float64, generator=generator)
            norm.running_var.copy_(10 ** (draws[0] * 4.5 - 4))
            norm.running_mean.copy_(draws[1] * 4 - 2)
            if norm.affine:
                norm.weight.copy_(draws[2] * 3 - 1.5)
                norm.bias.copy_(draws[3] * 4 - 2)
    return block
