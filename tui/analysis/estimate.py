"""What a study will take, from the shapes alone: memory and time; before torch is asked."""

from __future__ import annotations

import os
from dataclasses import dataclass

from tui.analysis.cost import Sides, cost_of, first_weights, positions_of
from tui.fusion.spec import BlockSpec, BranchSpec, Dtype

ASK_ABOVE_SECONDS = 2.0
ASK_ABOVE_BYTES = 2 * 1024**3

MOST_JUDGED_MACS = 200_000_000
"""Beyond this many multiply-accumulates of the unfused side only some of its output channels are judged."""

_SECONDS_PER_JUDGED_MAC = 1e-9  # measured here: 0.6 to 1.8e-9
_MACS_PER_SECOND = 10e9  # a laptop's dense convolution; measured here: 20 to 80e9 on two server cores
_SECONDS_PER_UNFOLDED = 4e-9  # float64 copies the input once for each tap; measured here: 1 to 10e-9
_SECONDS_PER_GROUP = 10e-6  # torch runs the groups of a float64 convolution one by one


@dataclass(frozen=True, slots=True)
class Estimate:
    """What studying a block takes.

    Attributes:
        bytes: the most memory that is held at once.
        seconds: the time of the whole study on a laptop.
    """

    bytes: int
    seconds: float

    @property
    def must_be_asked_for(self) -> bool:
        """Whether the run is long or large enough to wait for the user's word."""
        return self.seconds > ASK_ABOVE_SECONDS or self.bytes > ASK_ABOVE_BYTES


def estimate_of(spec: BlockSpec) -> Estimate:
    """Memory and time of a study of this block."""
    cost = cost_of(spec)
    return Estimate(_bytes(spec, cost.params), _seconds(spec, cost.macs))


def memory_of_this_machine() -> int | None:
    """Bytes of physical memory, None where the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def _fusing_macs(spec: BlockSpec) -> int:
    """Multiply-accumulates of making one kernel out of each sequence."""
    height, width = spec.kernel_size
    return sum(first_weights(spec, branch) * spec.out_channels * height * width for branch in spec.branches)


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
    outputs = positions_of(spec) * spec.out_channels
    height, width = spec.conv2d_kernel_size
    unfolded = positions_of(spec) * spec.in_channels * height * width
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
    sizes = [spec.conv2d_kernel_size, *(spec.branch_kernel_size(branch) for branch in convolving)]
    taps = sum(height * width for height, width in sizes if (height, width) != (1, 1))
    unfolding = positions_of(spec) * spec.in_channels * taps * _SECONDS_PER_UNFOLDED
    judging = min(macs.unfused, MOST_JUDGED_MACS) * _SECONDS_PER_JUDGED_MAC
    return rounds * (round_ + _fusing_macs(spec) / _MACS_PER_SECOND) + unfolding + judging
