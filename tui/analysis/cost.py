"""What a run will cost, from the shapes alone: parameters, MACs, memory, time; before torch is asked."""

from __future__ import annotations

import os
from dataclasses import dataclass

from tui.fusion.spec import BlockSpec, BranchKind, BranchSpec, Dtype, Scale

ASK_ABOVE_SECONDS = 2.0
ASK_ABOVE_BYTES = 2 * 1024**3

MOST_JUDGED_MACS = 200_000_000
"""Beyond this many multiply-accumulates of the unfused side only some of its output channels are judged."""

_SECONDS_PER_JUDGED_MAC = 1e-9  # measured here: 0.6 to 1.8e-9
_MACS_PER_SECOND = 10e9  # a laptop's dense convolution; measured here: 20 to 80e9 on two server cores
_SECONDS_PER_UNFOLDED = 4e-9  # float64 copies the input once for each tap; measured here: 1 to 10e-9
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
    post_norm = 2 * spec.out_channels if spec.post_norm else 0
    params = Sides(
        sum(_branch_params(spec, branch) for branch in spec.branches) + post_norm, _fused_params(spec)
    )
    macs = Sides(
        sum(_macs(spec, branch) for branch in spec.branches),
        _positions(spec) * _fused_weights(spec),
    )
    return Cost(params, macs, _bytes(spec, params), _seconds(spec, macs))


def memory_of_this_machine() -> int | None:
    """Bytes of physical memory, None where the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def _positions(spec: BlockSpec) -> int:
    """Output pixels of the batch."""
    batch, _, height, width = spec.output_nchw
    return batch * height * width


def _first_weights(spec: BlockSpec, branch: BranchSpec) -> int:
    """Weights of a sequence's 1 x 1 convolution, 0 for other kinds."""
    if not branch.kind.is_sequence:
        return 0
    return spec.channels_between(branch) * (spec.in_channels // spec.branch_groups(branch))


def _last_weights(spec: BlockSpec, branch: BranchSpec) -> int:
    """Weights of the convolution that gives the branch's output, 0 where pooling or nothing does."""
    if not branch.kind.has_weight or branch.kind is BranchKind.POINTWISE_AVERAGE:
        return 0
    height, width = spec.branch_kernel_size(branch)
    columns = spec.channels_between(branch) if branch.kind.is_sequence else spec.in_channels
    return spec.out_channels * (columns // spec.branch_groups(branch)) * height * width


def _fused_weights(spec: BlockSpec) -> int:
    height, width = spec.fused_kernel_size
    return spec.out_channels * (spec.in_channels // spec.fused_groups) * height * width


def _branch_params(spec: BlockSpec, branch: BranchSpec) -> int:
    between = spec.channels_between(branch) if branch.kind.is_sequence else 0
    has_last = _last_weights(spec, branch) > 0
    biases = between + has_last * spec.out_channels if branch.bias else 0
    norms = 2 * between * branch.inner_norm + 2 * spec.out_channels * branch.batch_norm
    scale = {Scale.NONE: 0, Scale.ALPHA: 1, Scale.GAMMA: spec.out_channels}[branch.scale]
    return _first_weights(spec, branch) + _last_weights(spec, branch) + biases + norms + scale


def _fused_params(spec: BlockSpec) -> int:
    has_bias = spec.post_norm or any(
        branch.bias or branch.batch_norm or branch.inner_norm for branch in spec.branches
    )
    return _fused_weights(spec) + has_bias * spec.out_channels


def _macs(spec: BlockSpec, branch: BranchSpec) -> int:
    inputs = spec.batch_size * spec.input_shape[0] * spec.input_shape[1]
    return inputs * _first_weights(spec, branch) + _positions(spec) * _last_weights(spec, branch)


def _fusing_macs(spec: BlockSpec) -> int:
    """Multiply-accumulates of making one kernel out of each sequence."""
    height, width = spec.kernel_size
    return sum(_first_weights(spec, branch) * spec.out_channels * height * width for branch in spec.branches)


def _summand_weights(spec: BlockSpec, branch: BranchSpec) -> int:
    """Weights of the branch's kernel with the fused kernel's groups and spacing."""
    height, width = spec.embedded_kernel_size(branch)
    return spec.out_channels * (spec.in_channels // spec.fused_groups) * height * width


def _bytes(spec: BlockSpec, params: Sides) -> int:
    """Both runs in the dtype, then again in float64, whose convolution unfolds the input (im2col).

    The steps of each branch's kernel and both outputs are kept in float64, to be looked at.
    """
    size = spec.dtype.bytes
    inputs = spec.batch_size * spec.in_channels * spec.input_shape[0] * spec.input_shape[1]
    between = max(
        (spec.channels_between(branch) for branch in spec.branches if branch.kind.is_sequence), default=0
    )
    inputs += 2 * spec.batch_size * between * spec.input_shape[0] * spec.input_shape[1]
    outputs = _positions(spec) * spec.out_channels
    unfolded = _positions(spec) * spec.in_channels * spec.fused_kernel_size[0] * spec.fused_kernel_size[1]
    parameters = params.unfused * (size + 16) + params.fused * (size + 16)
    steps = sum(_step_count(spec, branch) * _summand_weights(spec, branch) for branch in spec.branches)
    return inputs * (size + 8) + outputs * (2 * size + 7 * 8) + unfolded * 8 + parameters + steps * 8


def _step_count(spec: BlockSpec, branch: BranchSpec) -> int:
    """How many kernels of the summand's size a branch's steps hold."""
    return 1 + branch.kind.is_sequence + branch.batch_norm + bool(branch.scale) + spec.post_norm


def _seconds(spec: BlockSpec, macs: Sides) -> float:
    """Both sides in the dtype and in float64; without a second round where the dtype is float64."""
    rounds = 1 if spec.dtype is Dtype.FLOAT64 else 2
    convolving = [branch for branch in spec.branches if branch.kind.has_weight]
    groups = spec.fused_groups + sum(spec.branch_groups(branch) for branch in convolving)
    round_ = (macs.unfused + macs.fused) / _MACS_PER_SECOND + groups * _SECONDS_PER_GROUP
    sizes = [spec.fused_kernel_size, *(spec.branch_kernel_size(branch) for branch in convolving)]
    taps = sum(height * width for height, width in sizes if (height, width) != (1, 1))
    unfolding = _positions(spec) * spec.in_channels * taps * _SECONDS_PER_UNFOLDED
    judging = min(macs.unfused, MOST_JUDGED_MACS) * _SECONDS_PER_JUDGED_MAC
    return rounds * (round_ + _fusing_macs(spec) / _MACS_PER_SECOND) + unfolding + judging
