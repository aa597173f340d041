"""What a run will cost, from the shapes alone: parameters, MACs, memory, time; before torch is asked."""

from __future__ import annotations

import os
from dataclasses import dataclass

from tui.fusion.spec import BlockSpec, BranchKind, BranchSpec, Dtype

ASK_ABOVE_SECONDS = 2.0
ASK_ABOVE_BYTES = 2 * 1024**3

_MACS_PER_SECOND = 10e9  # a laptop's dense convolution; measured here: 20 to 80e9 on two server cores
_SECONDS_PER_GROUP = 10e-6  # torch runs the groups of a float64 convolution one by one


@dataclass(frozen=True, slots=True)
class Sides:
    """One count for the block as it is and one for the convolution that it fuses to."""

    unfused: int
    fused: int


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of studying a block.

    Attributes:
        params: weights, biases, and gamma and beta of batch norms.
        macs: multiply-accumulates of the convolutions on the whole batch; batch norms and sums not counted.
        bytes: the most memory that is held at once, estimated.
        seconds: the time of the whole study, estimated for a laptop.
    """

    params: Sides
    macs: Sides
    bytes: int
    seconds: float

    @property
    def must_be_asked_for(self) -> bool:
        """Whether the run is long or large enough to wait for the user's word."""
        return self.seconds > ASK_ABOVE_SECONDS or self.bytes > ASK_ABOVE_BYTES


def cost_of(spec: BlockSpec) -> Cost:
    """Parameters, MACs, memory and time of a study of this block."""
    params = Sides(sum(_branch_params(spec, branch) for branch in spec.branches), _fused_params(spec))
    macs = Sides(
        sum(_macs(spec, branch) for branch in spec.branches),
        _positions(spec) * spec.out_channels * _fan_in(spec, *spec.fused_kernel_size),
    )
    return Cost(params, macs, _bytes(spec, params), _seconds(spec, macs))


def memory_of_this_machine() -> int | None:
    """Bytes of physical memory, None where the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def _fan_in(spec: BlockSpec, height: int, width: int) -> int:
    """Products that are summed into one output element."""
    return spec.in_channels // spec.groups * height * width


def _positions(spec: BlockSpec) -> int:
    batch, _, height, width = spec.output_nchw
    return batch * height * width


def _branch_params(spec: BlockSpec, branch: BranchSpec) -> int:
    count = 2 * spec.out_channels if branch.batch_norm else 0
    if branch.kind is BranchKind.IDENTITY:
        return count
    weight = spec.out_channels * _fan_in(spec, *spec.branch_kernel_size(branch))
    return count + weight + (spec.out_channels if branch.bias else 0)


def _fused_params(spec: BlockSpec) -> int:
    has_bias = any(branch.bias or branch.batch_norm for branch in spec.branches)
    return spec.out_channels * (_fan_in(spec, *spec.fused_kernel_size) + has_bias)


def _macs(spec: BlockSpec, branch: BranchSpec) -> int:
    if branch.kind is BranchKind.IDENTITY:
        return 0
    return _positions(spec) * spec.out_channels * _fan_in(spec, *spec.branch_kernel_size(branch))


def _bytes(spec: BlockSpec, params: Sides) -> int:
    """Both runs in the dtype, then again in float64, whose convolution unfolds the input (im2col)."""
    size = spec.dtype.bytes
    inputs = spec.batch_size * spec.in_channels * spec.input_shape[0] * spec.input_shape[1]
    outputs = _positions(spec) * spec.out_channels
    unfolded = _positions(spec) * spec.groups * _fan_in(spec, *spec.fused_kernel_size)
    parameters = params.unfused * (size + 16) + params.fused * (size + 16)
    return inputs * (size + 8) + outputs * (2 * size + 5 * 8) + unfolded * 8 + parameters


def _seconds(spec: BlockSpec, macs: Sides) -> float:
    """Both sides in the dtype and in float64; without a second round where the dtype is float64."""
    rounds = 1 if spec.dtype is Dtype.FLOAT64 else 2
    return rounds * ((macs.unfused + macs.fused) / _MACS_PER_SECOND + 3 * spec.groups * _SECONDS_PER_GROUP)
