"""Which output channels to judge where all would take too long: those that differ most, and some between."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tui.analysis.cost import MOST_JUDGED_MACS
from tui.analysis.numerics.comparison import absolute_difference
from tui.fusion.block import ReparamBlock

_SUSPECTS = 4
"""Channels taken for each way to differ most."""

_SPACED = 8
"""Evenly spaced channels at least."""


def channels_to_judge(
    block: ReparamBlock,
    fused: Tensor,
    unfused: Tensor,
    fused64: Tensor,
    unfused64: Tensor,
    most_macs: int = MOST_JUDGED_MACS,
) -> tuple[int, ...]:
    """The output channels to judge, ascending: all of them, or a sample that costs about `most_macs`.

    The outputs are those of both runs, each (batch, out_channels, H, W). A sample holds the channels whose
    |fused - unfused| is largest in either run, by itself and relative to the channel's root mean square. In
    float64 a mistake stands far above rounding, so that of a single channel is always among them.
    """
    out_channels = unfused64.shape[1]
    every = tuple(range(out_channels))
    macs = unfused64[:, 0].numel() * _weights_of(block)
    affordable = int(out_channels * most_macs / max(macs, 1))
    if affordable >= out_channels or fused.shape != unfused.shape or fused64.shape != unfused64.shape:
        return every
    suspects = {
        channel
        for score in (*_scores(fused64, unfused64), *_scores(fused, unfused))
        for channel in score.topk(min(_SUSPECTS, out_channels)).indices.tolist()
    }
    # In 16 bit many channels may share the largest difference: the one that is told of must be judged.
    suspects |= {_channel_of_worst(fused64, unfused64), _channel_of_worst(fused, unfused)}
    spaced = max(_SPACED, affordable - len(suspects))
    return tuple(sorted(suspects | {place * out_channels // spaced for place in range(spaced)}))


def _channel_of_worst(fused: Tensor, unfused: Tensor) -> int:
    """The output channel in which `compare` finds the largest difference."""
    difference, _ = absolute_difference(fused, unfused)
    return int(difference.argmax()) // fused[0, 0].numel() % fused.shape[1]


def _weights_of(block: ReparamBlock) -> int:
    return sum(module.weight.numel() for module in block.modules() if isinstance(module, nn.Conv2d))


def _scores(fused: Tensor, unfused: Tensor) -> tuple[Tensor, Tensor]:
    """Each channel's largest difference, and that relative to its root mean square."""
    dimensions = (0, 2, 3)
    differences = (fused.double() - unfused.double()).abs().nan_to_num(torch.inf, torch.inf)
    largest = differences.amax(dim=dimensions)
    rms = unfused.double().nan_to_num(0.0, 0.0, 0.0).square().mean(dim=dimensions).sqrt()
    return largest, (largest / rms).nan_to_num(0.0, torch.inf)
