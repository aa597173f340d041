"""From a branch as the user chose it to the module that runs it."""

from __future__ import annotations

from tui.fusion.branches.average import AverageBranch
from tui.fusion.branches.base import Branch
from tui.fusion.branches.convolution import ConvBranch
from tui.fusion.branches.identity import IdentityBranch
from tui.fusion.branches.pointwise import PointwiseStep
from tui.fusion.branches.sequence import SequenceBranch
from tui.fusion.geometry import Geometry
from tui.fusion.spec import BlockSpec, BranchKind, BranchSpec


def build_branch(spec: BlockSpec, branch: BranchSpec, name: str) -> Branch:
    """The module for one branch of the spec, with torch's default values in its parameters."""
    match branch.kind:
        case BranchKind.IDENTITY:
            return IdentityBranch(
                name, spec.in_channels, spec.groups, batch_norm=branch.batch_norm, scaled=branch.scale
            )
        case BranchKind.AVERAGE:
            return AverageBranch(
                name,
                spec.in_channels,
                spec.branch_kernel_size(branch),
                stride=spec.stride,
                groups=spec.groups,
                batch_norm=branch.batch_norm,
                scaled=branch.scale,
            )
        case BranchKind.POINTWISE_KXK | BranchKind.POINTWISE_AVERAGE:
            return _build_sequence(spec, branch, name)
        case _:
            return ConvBranch(
                name,
                spec.in_channels,
                spec.out_channels,
                spec.branch_kernel_size(branch),
                _geometry(spec, branch),
                bias=branch.bias,
                batch_norm=branch.batch_norm,
                scaled=branch.scale,
            )


def _build_sequence(spec: BlockSpec, branch: BranchSpec, name: str) -> SequenceBranch:
    first = PointwiseStep(
        spec.in_channels,
        spec.channels_between(branch),
        groups=spec.branch_groups(branch),
        bias=branch.bias,
        batch_norm=branch.inner_norm,
        identity_offset=branch.identity_offset,
    )
    return SequenceBranch(
        name,
        first,
        spec.out_channels,
        spec.branch_kernel_size(branch),
        _geometry(spec, branch),
        pooled=branch.kind is BranchKind.POINTWISE_AVERAGE,
        bias=branch.bias,
        zero_border=branch.zero_border,
        batch_norm=branch.batch_norm,
        scaled=branch.scale,
    )


def _geometry(spec: BlockSpec, branch: BranchSpec) -> Geometry:
    dilation = tuple(
        dilation if size > 1 else 1
        for size, dilation in zip(spec.branch_kernel_size(branch), spec.branch_dilation(branch), strict=True)
    )
    return Geometry(spec.stride, (dilation[0], dilation[1]), spec.branch_groups(branch), spec.padding_mode)
