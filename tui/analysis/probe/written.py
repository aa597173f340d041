"""A sum written out, and what is applied to it: the parts of an output element by hand."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tui.analysis.numerics.exact_sum import exact_dot, rounded
from tui.analysis.probe.taps import Taps, taps_at
from tui.fusion.kernel import affine_of
from tui.fusion.specs.block_spec import Pair
from tui.fusion.specs.geometry import Geometry


@dataclass(frozen=True, eq=False)
class WrittenSum:
    """(sum of patch * weight + bias) / divisor.

    Attributes:
        first_channel: the channel that patch[0] belongs to.
        patch: (channels, kH, kW), float64: what is under the taps.
        weight: of that shape, float64. An average has ones.
        padding: (kH, kW), True where the tap falls outside the image.
        bias: None where there is none.
        divisor: 1, or the pixels that an average divides by.
        value: the result, without rounding up to there, then rounded to the dtype once.
    """

    first_channel: int
    patch: Tensor
    weight: Tensor
    padding: Tensor
    bias: float | None
    divisor: int
    value: float

    @property
    def channels(self) -> range:
        """The channels that are read."""
        return range(self.first_channel, self.first_channel + len(self.patch))

    def subtotals(self) -> Tensor:
        """The sum of each channel's products, (channels,), float64."""
        return (self.patch * self.weight).sum(dim=(1, 2))


@dataclass(frozen=True, slots=True)
class Applied:
    """factor x + offset after a sum: `title` says of what, `value` is the result in the dtype."""

    title: str
    factor: float
    offset: float
    value: float


@dataclass(frozen=True, eq=False)
class WrittenStage:
    """A sum, and what is applied to it afterwards, in that order."""

    sum: WrittenSum
    applied: tuple[Applied, ...] = ()

    @property
    def value(self) -> float:
        """What comes out at the end."""
        return self.applied[-1].value if self.applied else self.sum.value


@dataclass(frozen=True, slots=True)
class Element:
    """The output element that is written out, and the arithmetic: (H, W) of the input is `shape`."""

    channel: int
    pixel: Pair
    shape: Pair
    dtype: torch.dtype

    def taps(self, kernel_size: Pair, geometry: Geometry) -> Taps:
        """Where such a kernel reads for this element."""
        return taps_at(self.pixel, kernel_size, geometry, self.shape)


def written_sum(
    patch: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    padding: Tensor,
    *,
    first_channel: int,
    dtype: torch.dtype,
    divisor: int = 1,
) -> WrittenSum:
    """Two tensors (channels, kH, kW) and a number, summed exactly."""
    offset = None if bias is None else float(bias)
    weight = weight.double()
    exact = exact_dot(patch, weight, offset or 0.0) / divisor
    return WrittenSum(first_channel, patch, weight, padding, offset, divisor, rounded(exact, dtype))


def normed(norm: nn.Module, title: str, channel: int, value: float, dtype: torch.dtype) -> Applied:
    """A batch norm in eval mode after a value of that channel.

    Raises:
        FusionError: as `affine_of`.
    """
    factors, offsets = affine_of(norm)
    factor, offset = float(factors[channel]), float(offsets[channel])
    return Applied(title, factor, offset, rounded(factor * value + offset, dtype))
