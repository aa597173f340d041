"""How the weights of each output channel are spread, for whoever will quantise them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor

OUTLIER = 4.0
"""Times the median channel's largest |weight| from which on a channel is an outlier."""


@dataclass(frozen=True, slots=True)
class ChannelRange:
    """The weights of one output channel.

    Attributes:
        channel: its index.
        least, largest, deviation: of its weights.
        extent: the largest |weight|; infinite or NaN where one is.
    """

    channel: int
    least: float
    largest: float
    deviation: float
    extent: float


@dataclass(frozen=True, slots=True)
class KernelRange:
    """The weights of one kernel, channel by channel.

    Attributes:
        name: the branch's; "fused".
        channels: in their order.
        median: of the channels' extents.
    """

    name: str
    channels: tuple[ChannelRange, ...]
    median: float

    @property
    def extent(self) -> float:
        """The largest |weight| of all; infinite where one is not finite."""
        return max(math.inf if math.isnan(channel.extent) else channel.extent for channel in self.channels)

    @property
    def ratio(self) -> float:
        """How much wider the widest channel is than the median one; 1 where all weights are zero.

        One scale for the whole tensor leaves the median channel log2(ratio) bits less than the widest.
        """
        if self.extent == 0:
            return 1.0
        return self.extent / self.median if self.median else math.inf

    @property
    def outliers(self) -> tuple[ChannelRange, ...]:
        """The channels that are far wider than the median one, the widest first."""
        found = [channel for channel in self.channels if self.is_outlier(channel)]
        return tuple(sorted(found, key=lambda channel: -channel.extent))

    @property
    def worst_first(self) -> tuple[ChannelRange, ...]:
        """All channels, the widest first."""
        return tuple(sorted(self.channels, key=lambda channel: -channel.extent))

    def is_outlier(self, channel: ChannelRange) -> bool:
        """Whether that channel is far wider than the median one."""
        return not channel.extent <= OUTLIER * self.median


def range_of(name: str, weight: Tensor) -> KernelRange:
    """The ranges of a weight (out_channels, ...).

    >>> import torch
    >>> made = range_of("fused", torch.tensor([[1.0, -2.0], [0.5, 1.0], [40.0, 0.0], [2.0, 2.0]]))
    >>> made.median, made.ratio, [channel.channel for channel in made.outliers]
    (2.0, 20.0, [2])
    """
    flat = weight.detach().double().reshape(len(weight), -1)
    extents = flat.abs().amax(dim=1)
    columns = (flat.amin(dim=1), flat.amax(dim=1), flat.std(dim=1, correction=0), extents)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    channels = tuple(ChannelRange(place, *row) for place, row in enumerate(rows))
    return KernelRange(name, channels, float(extents.nanmedian()))
