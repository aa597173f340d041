"""Which output channels to judge where all would take too long: those that differ most, and some between."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tui.analysis.bounds.fold_sizes import FoldSizes
from tui.analysis.estimate import MOST_JUDGED_MACS
from tui.analysis.numerics.outputs import Outputs
from tui.analysis.numerics.pixel import Pixel
from tui.fusion.block import ReparamBlock

_SUSPECTS = 4
"""Channels taken for each way to differ most."""

_SPACED = 8
"""Evenly spaced channels at least."""


def channels_to_judge(
    block: ReparamBlock,
    x: Tensor,
    sizes: FoldSizes,
    outputs: Outputs,
    outputs64: Outputs,
    most_macs: int = MOST_JUDGED_MACS,
) -> tuple[int, ...]:
    """The output channels to judge, ascending: all of them, or a sample that costs about `most_macs`.

    x: the input, (batch, in_channels, H, W), float64. `sizes`: of the block's fold. The outputs are those of
    both runs. A sample holds the channels whose |fused - unfused| is largest in either run: by itself,
    relative to the channel's root mean square, and relative to what the channel's weights can make of the
    largest pixel of each input channel. The last is what rounding is relative to: a right channel's share of
    it is a few float64 roundings, however loud or cancelling, so a channel that is wrong by more than that
    comes before all right ones. Beyond four wrong channels those with the largest share are in.
    """
    out_channels = outputs64.unfused.shape[1]
    every = tuple(range(out_channels))
    macs = outputs64.unfused[:, 0].numel() * _weights_of(block)
    affordable = int(out_channels * most_macs / max(macs, 1))
    if affordable >= out_channels or not (outputs.same_shape and outputs64.same_shape):
        return every
    reach = _reach(block, x, sizes)
    suspects = {
        channel
        for score in (*_scores(outputs64, reach), *_scores(outputs, reach))
        for channel in score.topk(min(_SUSPECTS, out_channels)).indices.tolist()
    }
    # In 16 bit many channels may share the largest difference: the one that is told of must be judged.
    suspects |= {_channel_of_worst(outputs64), _channel_of_worst(outputs)}
    spaced = max(_SPACED, affordable - len(suspects))
    return tuple(sorted(suspects | {place * out_channels // spaced for place in range(spaced)}))


def _channel_of_worst(outputs: Outputs) -> int:
    """The output channel in which `compare` finds the largest difference."""
    absolute = outputs.difference.absolute
    return Pixel.at(int(absolute.argmax()), absolute.shape).channel


def _weights_of(block: ReparamBlock) -> int:
    return sum(module.weight.numel() for module in block.modules() if isinstance(module, nn.Conv2d))


def _reach(block: ReparamBlock, x: Tensor, sizes: FoldSizes) -> Tensor:
    """Each output channel's sum of |weight| times the largest |x| of its input channel, and its bias."""
    weights, groups = sizes.kernel.weight.sum(dim=(2, 3)), block.geometry.groups
    loudest = x.abs().amax(dim=(0, 2, 3))
    # Output channel o reads the input channels of its group, in_channels / groups of them.
    read = loudest.view(groups, 1, -1).expand(-1, len(weights) // groups, -1).reshape(len(weights), -1)
    sums = (weights * read).sum(dim=1)
    return sums if sizes.kernel.bias is None else sums + sizes.kernel.bias


def _scores(outputs: Outputs, reach: Tensor) -> tuple[Tensor, ...]:
    """Each channel's largest difference, and that relative to its root mean square and to its reach."""
    dimensions = (0, 2, 3)
    largest = outputs.difference.absolute.amax(dim=dimensions)
    rms = outputs.unfused.double().nan_to_num(0.0, 0.0, 0.0).square().mean(dim=dimensions).sqrt()
    return largest, *((largest / size).nan_to_num(0.0, torch.inf) for size in (rms, reach))
