"""What a study holds about one channel as maps: input, both outputs, their difference, its budget's share."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from tui.analysis.numerics.outputs import signed_difference
from tui.analysis.study import Study


@dataclass(frozen=True, eq=False)
class ChannelMaps:
    """Maps of one element of the batch, each (1, 1, H, W); the first three as they are in the study's memory.

    Attributes:
        input: of the input channel.
        unfused, fused: of the output channel, in the study's dtype.
        difference: fused - unfused in float64; NaN where both are NaN or infinite alike, infinite where they
            are not alike.
        share: the difference as a part of the rounding budget, with its sign; 1 is the budget, 0 where none
            differs. None where the channel was not judged.
    """

    input: Tensor
    unfused: Tensor
    fused: Tensor
    difference: Tensor
    share: Tensor | None


def channel_maps(study: Study, batch: int, out_channel: int, in_channel: int) -> ChannelMaps:
    """The maps of one output and one input channel of a study.

    Raises:
        IndexError: the study has no such channel, or no such element of the batch.
    """
    unfused, fused = (
        _channel(output, batch, out_channel) for output in (study.outputs.unfused, study.outputs.fused)
    )
    difference = signed_difference(unfused, fused)
    return ChannelMaps(
        _channel(study.x, batch, in_channel),
        unfused,
        fused,
        difference,
        _share(study, batch, out_channel, difference),
    )


def peak(*maps: Tensor) -> float | None:
    """The largest finite |value| of some maps; None where none is finite."""
    largest = [float(each[finite].abs().max()) for each in maps if (finite := each.isfinite()).any()]
    return max(largest, default=None)


def _channel(images: Tensor, batch: int, channel: int) -> Tensor:
    return images[batch, channel][None, None].detach()


def _share(study: Study, batch: int, channel: int, difference: Tensor) -> Tensor | None:
    if channel not in study.budget.channels:
        return None
    place = study.budget.channels.index(channel)
    budget = _channel(study.budget.probable, batch, place)
    return torch.where(difference == 0, 0.0, difference / budget)
