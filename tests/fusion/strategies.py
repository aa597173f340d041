"""Blocks to draw: every valid BlockSpec that is small enough to run in a moment."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st
from torch import Tensor

from tui.fusion.block import ReparamBlock, build_block
from tui.fusion.fill import fill_block, make_input
from tui.fusion.spec import (
    MAX_SEED,
    BlockSpec,
    BranchKind,
    BranchSpec,
    Dtype,
    InputFill,
    Pair,
    WeightFill,
)

LARGEST_CHANNELS = 8


def pairs(low: int, high: int) -> st.SearchStrategy[Pair]:
    return st.tuples(st.integers(low, high), st.integers(low, high))


def branch_lists() -> st.SearchStrategy[tuple[BranchSpec, ...]]:
    """One to three branches, each kind at most once, in any order, with any mix of bias and batch norm."""
    one = st.builds(BranchSpec, st.sampled_from(BranchKind), st.booleans(), st.booleans())
    return st.lists(one, min_size=1, max_size=3, unique_by=lambda branch: branch.kind).map(tuple)


@st.composite
def specs(draw: st.DrawFn, dtypes: tuple[Dtype, ...] = (Dtype.FLOAT64,)) -> BlockSpec:
    """Any valid spec with few channels and a small input."""
    branches = draw(branch_lists())
    has_identity = any(branch.kind is BranchKind.IDENTITY for branch in branches)
    groups = draw(st.integers(1, LARGEST_CHANNELS))
    per_group = st.integers(1, LARGEST_CHANNELS // groups)
    in_channels = groups * draw(per_group)
    return BlockSpec(
        in_channels=in_channels,
        out_channels=in_channels if has_identity else groups * draw(per_group),
        kernel_size=draw(pairs(1, 7)),
        stride=(1, 1) if has_identity else draw(pairs(1, 3)),
        dilation=draw(pairs(1, 3)),
        groups=groups,
        branches=branches,
        input_shape=draw(pairs(1, 10)),
        batch_size=draw(st.integers(1, 2)),
        weights=draw(st.sampled_from(WeightFill)),
        input=draw(st.sampled_from(InputFill)),
        dtype=draw(st.sampled_from(dtypes)),
        seed=draw(st.integers(0, MAX_SEED)),
    )


def filled_block(spec: BlockSpec) -> ReparamBlock:
    """The spec's block with its values, in float64."""
    return fill_block(build_block(spec).double(), spec)


def filled_input(spec: BlockSpec) -> Tensor:
    """The spec's input, in float64."""
    return make_input(replace(spec, dtype=Dtype.FLOAT64))
