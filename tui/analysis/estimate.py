"""What a study will take, from the shapes alone: memory and time; before torch is asked."""

from __future__ import annotations

import os
from dataclasses import dataclass

from tui.analysis.cost import Sides, cost_of, positions_of, weights_of
from tui.analysis.numerics.convolution_shape import ConvolutionShape, Way
from tui.fusion.specs.block_spec import BlockSpec, Dtype, Pair
from tui.fusion.specs.layer_spec import ChainSpec
from tui.fusion.specs.padding import extent

ASK_ABOVE_SECONDS = 2.0
ASK_ABOVE_BYTES = 2 * 1024**3

MOST_JUDGED_MACS = 200_000_000
"""Beyond this many multiply-accumulates of the unfused side only some of its output channels are judged."""

_RUNTIME_BYTES = 22_000_000
"""What torch takes for its own at the first convolutions; measured: 16 to 30 MB."""

_MACS_PER_SECOND = 20e9  # in the dtype and in float64 together, dense; measured here: 15 to 40e9
_SECONDS_PER_SLOW_MAC = (
    0.6e-9  # grouped and large, for which oneDNN has no fast code; measured: 0.4 to 0.8e-9
)
_SECONDS_PER_SLOW_FLOAT64_MAC = 2e-9  # which torch unfolds, group by group; measured: 0.5 to 3e-9
_SECONDS_PER_OUTPUT = 0.1e-6
_SECONDS_PER_JUDGED_OUTPUT = 0.07e-6  # of each branch
_SECONDS_PER_JUDGED_MAC = 0.4e-9
_SECONDS_PER_WEIGHT = 25e-9
_SECONDS_PER_GROUP = 10e-6
_SECONDS_AT_LEAST = 0.02

_CHANNELS_AT_LEAST = 16
"""About how many channels are judged where only some are."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What studying a block takes.

    Attributes:
        bytes: the most memory that is held at once.
        seconds: the time of the whole study on one thread of a laptop.
    """

    bytes: int
    seconds: float

    @property
    def must_be_asked_for(self) -> bool:
        """Whether the run is long or large enough to wait for the user's word."""
        return self.seconds > ASK_ABOVE_SECONDS or self.bytes > ASK_ABOVE_BYTES


def estimate_of(spec: BlockSpec) -> Estimate:
    """Memory and time of a study of this block."""
    macs = cost_of(spec).macs
    return Estimate(_bytes(spec, macs), _seconds(spec, macs))


def memory_of_this_machine() -> int | None:
    """Bytes of physical memory, None where the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def _fusing_macs(spec: BlockSpec) -> int:
    """Multiply-accumulates of making one kernel out of the layers of each chain."""
    return sum(_composing(chain) * spec.out_channels for chain in spec.chains)


def _composing(chain: ChainSpec) -> int:
    """Weights in front of what is composed with them, times the taps of both."""
    height, width = chain.kernel_size
    steps = [layer for layer in chain.layers if not layer.rescales]
    return sum(weights_of(layer) for layer in steps[:-1]) * height * width


def _weights(spec: BlockSpec) -> int:
    """Weights of the fused kernel and of all the steps to it."""
    return _kernel_weights(spec, spec.conv2d_frame.kernel_size) + sum(
        _step_count(spec, chain) * _kernel_weights(spec, spec.embedded_kernel_size(branch))
        for branch, chain in zip(spec.branches, spec.chains, strict=True)
    )


def _kernel_weights(spec: BlockSpec, size: Pair) -> int:
    """Weights of a kernel of that size with the fused kernel's groups and spacing."""
    return spec.out_channels * (spec.in_channels // spec.fused_groups) * size[0] * size[1]


def _step_count(spec: BlockSpec, chain: ChainSpec) -> int:
    """How many kernels of the summand's size a branch's steps hold."""
    return len(chain.layers) - chain.main + (chain.main > 0) + spec.post_norm


def _judged_share(spec: BlockSpec, macs: Sides) -> float:
    """How much of the output is judged."""
    affordable = MOST_JUDGED_MACS / max(macs.unfused, 1)
    return 1.0 if affordable >= 1 else min(1.0, affordable + _CHANNELS_AT_LEAST / spec.out_channels)


def _bytes(spec: BlockSpec, macs: Sides) -> int:
    """The larger of what the runs hold and of what the bounds do: so many float64 copies of each tensor.

    The copies were counted over the blocks of `tests/bench/bench_estimate.py`.
    """
    pixels = spec.batch_size * spec.input_shape[0] * spec.input_shape[1]
    inputs, outputs = pixels * spec.in_channels, positions_of(spec) * spec.out_channels
    between = pixels * max(
        (layer.out_channels for chain in spec.chains for layer in chain.layers[: chain.main]), default=0
    )
    once = spec.dtype is Dtype.FLOAT64
    judged = outputs * _judged_share(spec, macs)
    weights = (4 if once else 5.5) * _weights(spec)
    running = 3 * inputs + 4 * outputs + 3 * between + _unfolded(spec)
    comparing = 5 * inputs + (6 if once else 9) * outputs
    bounding = (6 if once else 16) * (judged + between)
    return _RUNTIME_BYTES + round(8 * (weights + max(running, comparing + bounding)))


def _unfolded(spec: BlockSpec) -> int:
    """Elements that torch unfolds in float64: of the whole batch, one group after the other."""
    shape = _fused_shape(spec)
    by_torch = spec.dtype is Dtype.FLOAT64 or shape.way(double=True) is Way.TORCH
    return spec.batch_size * shape.unfolded if by_torch and shape.size != (1, 1) else 0


def _fused_shape(spec: BlockSpec) -> ConvolutionShape:
    frame, unstrided = spec.conv2d_frame, spec.frame.output(spec.input_shape)
    reach = map(extent, frame.kernel_size, frame.dilation)
    height, width = (size + more - 1 for size, more in zip(unstrided, reach, strict=True))
    return ConvolutionShape(
        (height, width),
        frame.kernel_size,
        spec.stride,
        frame.dilation,
        spec.fused_groups,
        spec.out_channels // spec.fused_groups,
        spec.in_channels // spec.fused_groups,
    )


def _seconds(spec: BlockSpec, macs: Sides) -> float:
    """Both sides in the dtype and in float64, the comparison, the bounds of what is judged."""
    once = spec.dtype is Dtype.FLOAT64
    outputs, shape = positions_of(spec) * spec.out_channels, _fused_shape(spec)
    judged = outputs * _judged_share(spec, macs)
    running = (macs.unfused + macs.fused + 2 * _fusing_macs(spec)) / _MACS_PER_SECOND
    if shape.way(double=False) is Way.ROWS:  # what torch runs slowly, which it does in the dtype
        per_mac = _SECONDS_PER_SLOW_FLOAT64_MAC if once else _SECONDS_PER_SLOW_MAC
        running = (macs.unfused + macs.fused) * per_mac
    comparing = outputs * _SECONDS_PER_OUTPUT + judged * len(spec.branches) * _SECONDS_PER_JUDGED_OUTPUT
    bounding = min(macs.unfused, MOST_JUDGED_MACS) * _SECONDS_PER_JUDGED_MAC
    fusing = _weights(spec) * _SECONDS_PER_WEIGHT + spec.fused_groups * _SECONDS_PER_GROUP
    return _SECONDS_AT_LEAST + running + fusing + (comparing + bounding) * (0.5 if once else 1.0)
