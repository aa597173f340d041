"""The errors of a block that runs its branches: the running error analysis along what `forward` does."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from tui.analysis.bounds.linear_maps import Averaging, convolution_of
from tui.analysis.bounds.running import (
    Bounded,
    add,
    channels,
    convolve,
    exact,
    framed,
    multiply,
    normalise,
    pad,
    store,
)
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
from tui.fusion.branches.border import border_of, pad_function_mode
from tui.fusion.kernel import FusionError, affine_of, dirac
from tui.fusion.spec import PaddingMode


def block_bounds(block: ReparamBlock, x: Bounded, rows: Sequence[int]) -> Bounded:
    """The sum of the branches, with the post norm, in these output channels; every partial sum is stored.

    Raises:
        FusionError: a branch of no known kind, or a norm that is not a batch norm in eval mode.
    """
    first, *rest = block.branches
    y = branch_bounds(first, x, rows)
    for branch in rest:
        y = add(y, branch_bounds(branch, x, rows))
    return y if block.post_norm is None else _normalised(y, block.post_norm, rows)


def branch_bounds(branch: Branch, x: Bounded, rows: Sequence[int]) -> Bounded:
    """One branch, in these output channels.

    Raises:
        FusionError: as `block_bounds`.
    """
    y = _mapped(branch, x, rows)
    if branch.norm is not None:
        y = _normalised(y, branch.norm, rows)
    if branch.alpha is not None:
        y = multiply(y, branch.alpha.detach())
    if branch.gamma is not None:
        y = multiply(y, branch.gamma.detach()[list(rows)])
    return y


def _mapped(branch: Branch, x: Bounded, rows: Sequence[int]) -> Bounded:
    match branch:
        case IdentityBranch():
            return channels(x, rows)
        case AverageBranch():
            around = pad(channels(x, rows), border_of(branch.kernel_size))
            return convolve(around, Averaging(branch.kernel_size, branch.geometry.stride))
        case ConvBranch():
            geometry = branch.geometry
            border = border_of(branch.kernel_size, geometry.dilation)
            around = pad(x, border, pad_function_mode(geometry.padding_mode))
            return _convolved(around, branch.conv, rows)
        case SequenceBranch():
            return _in_sequence(branch, x, rows)
    raise FusionError(f"{type(branch).__name__} is not a kind of branch whose rounding is known")


def _convolved(x: Bounded, conv: nn.Conv2d, rows: Sequence[int]) -> Bounded:
    bias = None if conv.bias is None else conv.bias.detach()[list(rows)]
    return convolve(x, convolution_of(conv).rows(rows), bias)


def _in_sequence(branch: SequenceBranch, x: Bounded, rows: Sequence[int]) -> Bounded:
    between = _bordered(branch, _stepped(branch.first, x))
    if isinstance(branch.second, nn.Conv2d):
        return _convolved(between, branch.second, rows)
    return convolve(channels(between, rows), Averaging(branch.kernel_size, branch.geometry.stride))


def _bordered(branch: SequenceBranch, between: Bounded) -> Bounded:
    """What lies around the image between the two steps: zeros, copies, or the first step's value at zero."""
    border, mode = border_of(branch.kernel_size, branch.geometry.dilation), branch.geometry.padding_mode
    if branch.zero_border or mode is not PaddingMode.ZEROS:
        return pad(between, border, "constant" if branch.zero_border else pad_function_mode(mode))
    return framed(between, border, _at_zero(branch.first, between))


def _at_zero(step: PointwiseStep, like: Bounded) -> Bounded:
    count, bias = step.conv.out_channels, step.conv.bias
    value = torch.zeros(count, dtype=torch.float64) if bias is None else bias.detach().double()
    y = exact(value.view(1, -1, 1, 1), [each.precision for each in like.errors])
    return y if step.norm is None else _normalised(y, step.norm, range(count))


def _stepped(step: PointwiseStep, x: Bounded) -> Bounded:
    conv = step.conv
    every = range(conv.out_channels)
    y = _offset_identity(conv, x) if isinstance(conv, OffsetIdentityConv) else _convolved(x, conv, every)
    return y if step.norm is None else _normalised(y, step.norm, every)


def _offset_identity(conv: OffsetIdentityConv, x: Bounded) -> Bounded:
    """The stored weight plus the identity is stored too: its diagonal is rounded, and so is x times it."""
    identity = dirac(conv.out_channels, conv.groups).weight
    weight = conv.weight.detach().double() + identity
    y = convolve(x, convolution_of(conv, weight), None if conv.bias is None else conv.bias.detach())
    diagonal = (weight * identity).sum(dim=1).view(-1, 1, 1)
    return store(y, x.value.abs() * diagonal.abs() * (1 + 2.0**-6))


def _normalised(x: Bounded, norm: nn.Module, rows: Sequence[int]) -> Bounded:
    scale, shift = affine_of(norm)
    assert isinstance(norm, nn.BatchNorm2d)
    beta = torch.zeros_like(shift) if norm.bias is None else norm.bias.detach().double()
    chosen: list[Tensor] = [values[list(rows)] for values in (scale, beta, shift - beta)]
    return normalise(x, *chosen)
