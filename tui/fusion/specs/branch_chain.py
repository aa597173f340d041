"""The chain of layers that a branch is, as the user chose it."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from tui.fusion.specs.branch_spec import BranchKind, BranchSpec, Pair, Scale
from tui.fusion.specs.frame import Frame
from tui.fusion.specs.layer_spec import ChainSpec, LayerKind, LayerSpec
from tui.fusion.specs.padding import SAME, even_border
from tui.fusion.specs.written_layers import written_layers

if TYPE_CHECKING:
    from tui.fusion.specs.block_spec import BlockSpec


@lru_cache(maxsize=1024)
def chain_of(spec: BlockSpec, branch: BranchSpec) -> ChainSpec:
    """The layers of a branch of that block, all in numbers, and where it stands in it."""
    chain = layers_of(spec, branch)
    if branch.chain is not None or (spec.padding == SAME and branch.padding is None):
        return chain
    border = frame_of(spec).border_for(chain, branch.padding)
    return chain if border == chain.border else replace(chain, own_border=border)


@lru_cache(maxsize=1024)
def frame_of(spec: BlockSpec) -> Frame:
    """The pixels that the fused kernel of that block reads."""
    border = None if spec.padding == SAME else even_border(spec.padding)
    return Frame.around((layers_of(spec, branch) for branch in spec.branches), border)


@lru_cache(maxsize=1024)
def layers_of(spec: BlockSpec, branch: BranchSpec) -> ChainSpec:
    """The layers of a branch of that block, as if it stood alone."""
    pads_zeros = branch.kind is BranchKind.AVERAGE
    if branch.chain is not None:
        return branch.chain
    if branch.parts:
        layers = written_layers(spec, branch.parts, (spec.in_channels, spec.out_channels), spec.stride)
        return ChainSpec(layers, spec.groups, str(spec.padding_mode), branch.zero_border)
    return ChainSpec(
        (*_layers(spec, branch), *_behind(spec, branch)),
        spec.groups,
        "zeros" if pads_zeros else str(spec.padding_mode),
        branch.zero_border,
    )


def _layers(spec: BlockSpec, branch: BranchSpec) -> tuple[LayerSpec, ...]:
    size = _kernel_size(spec, branch)
    channels = spec.in_channels, spec.out_channels
    match branch.kind:
        case BranchKind.IDENTITY:
            return (LayerSpec(LayerKind.IDENTITY, "identity", spec.in_channels, spec.in_channels),)
        case BranchKind.AVERAGE:
            return (_average(spec, spec.in_channels, size),)
        case BranchKind.POINTWISE_AVERAGE:
            first = _pointwise(spec, branch, spec.out_channels)
            return (*first, _average(spec, spec.out_channels, size))
        case BranchKind.POINTWISE_KXK:
            between = branch.expansion * spec.in_channels
            second = _convolution(spec, branch, "second", (between, spec.out_channels), size)
            return (*_pointwise(spec, branch, between), second)
        case _:
            return (_convolution(spec, branch, "conv", channels, size),)


def _pointwise(spec: BlockSpec, branch: BranchSpec, between: int) -> tuple[LayerSpec, ...]:
    """The first step of a sequence."""
    kind = LayerKind.OFFSET_CONVOLUTION if branch.identity_offset else LayerKind.CONVOLUTION
    groups = branch.groups or spec.groups
    conv = LayerSpec(
        kind, "first", spec.in_channels, between, groups=groups, bias=branch.bias, adds=branch.bias
    )
    return (conv, _norm(spec, "inner_norm", between)) if branch.inner_norm else (conv,)


def _convolution(spec: BlockSpec, branch: BranchSpec, name: str, channels: Pair, size: Pair) -> LayerSpec:
    own = spec.dilation if branch.dilation is None else branch.dilation
    rows, columns = (step if taps > 1 else 1 for taps, step in zip(size, own, strict=True))
    return LayerSpec(
        LayerKind.CONVOLUTION,
        name,
        *channels,
        size,
        spec.stride,
        (rows, columns),
        branch.groups or spec.groups,
        bias=branch.bias,
        adds=branch.bias,
    )


def _average(spec: BlockSpec, channels: int, size: Pair) -> LayerSpec:
    return LayerSpec(LayerKind.AVERAGE, "pool", channels, channels, size, spec.stride)


def _norm(spec: BlockSpec, name: str, channels: int) -> LayerSpec:
    return LayerSpec(
        LayerKind.NORM, name, channels, channels, bias=True, rescales=True, adds=True, eps=spec.eps
    )


def _behind(spec: BlockSpec, branch: BranchSpec) -> tuple[LayerSpec, ...]:
    """The batch norm and the scale that may stand after it."""
    layers = (_norm(spec, "norm", spec.out_channels),) if branch.batch_norm else ()
    if branch.scale is Scale.NONE:
        return layers
    kind = LayerKind(branch.scale)
    return (*layers, LayerSpec(kind, kind, spec.out_channels, spec.out_channels, rescales=True))


def _kernel_size(spec: BlockSpec, branch: BranchSpec) -> Pair:
    match branch.kind:
        case BranchKind.POINTWISE | BranchKind.IDENTITY:
            return 1, 1
        case BranchKind.ROW:
            return 1, spec.kernel_size[1]
        case BranchKind.COLUMN:
            return spec.kernel_size[0], 1
        case _:
            return branch.kernel_size or spec.kernel_size
