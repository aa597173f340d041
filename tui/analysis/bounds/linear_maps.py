"""The linear maps that a branch is made of, and how they pass on values, errors and variances."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from tui.analysis.bounds.alike import rounded_alike
from tui.analysis.numerics.componentwise import componentwise
from tui.analysis.numerics.precision import UNIT64, gamma_n
from tui.fusion.specs.block_spec import Pair

_FLOAT32_UNIT = 2.0**-24

_WIDEST_RANGE = 2.0**100
"""Of two factors together, from their smallest numbers to their largest: more is not left to float32."""


class LinearMap(Protocol):
    """A map y = L x of images, (batch, in_channels, H, W) -> (batch, out_channels, H', W'), without padding.

    Attributes:
        terms: how many products make one element of y.
    """

    @property
    def terms(self) -> int:
        """Products in each output element."""
        ...

    def signed(self, x: Tensor) -> Tensor:
        """L x."""
        ...

    def absolute(self, x: Tensor) -> Tensor:
        """|L| x for x >= 0, never too small: how bounds of errors are passed on."""
        ...

    def squared(self, x: Tensor) -> Tensor:
        """(L * L) x for x >= 0, L squared element by element: how variances are passed on."""
        ...

    def alike(self) -> Tensor:
        """How many products err for how many, for each output channel, as `rounded_alike` has it."""
        ...

    def below(self, smallest: float) -> Tensor | None:
        """The sum of each output channel's |weights| below `smallest`, (rows, 1, 1); None without any."""
        ...


@dataclass(frozen=True, eq=False)
class Convolution:
    """A convolution with a float64 weight, or a choice of its output channels.

    Attributes:
        weight: (out_channels, in_channels / groups, kH, kW).
        inputs: the input channels that it looks at, all of them where None.
    """

    weight: Tensor
    stride: Pair = (1, 1)
    dilation: Pair = (1, 1)
    groups: int = 1
    inputs: Tensor | None = None

    @property
    def terms(self) -> int:
        """Products in each output element."""
        return self.weight[0].numel()

    def rows(self, rows: Sequence[int]) -> Convolution:
        """Only these output channels; each then is a group of its own where there were groups."""
        if len(rows) == len(self.weight):
            return self
        chosen = replace(self, weight=self.weight[list(rows)])
        if self.groups == 1:
            return chosen
        per_group, columns = len(self.weight) // self.groups, self.weight.shape[1]
        starts = torch.tensor([row // per_group * columns for row in rows])
        inputs = (starts.view(-1, 1) + torch.arange(columns)).flatten()
        return replace(chosen, inputs=inputs, groups=len(rows))

    def with_weight(self, weight: Tensor) -> Convolution:
        """The same with another weight of its shape."""
        return replace(self, weight=weight)

    def signed(self, x: Tensor) -> Tensor:
        """The convolution itself."""
        return self._convolved(x, self.weight)

    def absolute(self, x: Tensor) -> Tensor:
        """With |weight|."""
        return self._from_above(x, self.weight.abs())

    def squared(self, x: Tensor) -> Tensor:
        """With weight * weight."""
        return self._from_above(x, self.weight.square())

    def alike(self) -> Tensor:
        """As `rounded_alike` counts its rows."""
        return rounded_alike(self.weight)

    def below(self, smallest: float) -> Tensor | None:
        """Of each row."""
        sizes = self.weight.abs()
        if not bool(((sizes > 0) & (sizes < smallest)).any()):
            return None
        return sizes.masked_fill(sizes >= smallest, 0.0).flatten(1).sum(dim=1).view(-1, 1, 1)

    def _convolved(self, x: Tensor, weight: Tensor) -> Tensor:
        if self.inputs is not None:
            x = x[:, self.inputs]
        return functional.conv2d(x, weight, stride=self.stride, dilation=self.dilation, groups=self.groups)

    def _from_above(self, x: Tensor, weight: Tensor) -> Tensor:
        """A convolution of what is not negative, in float32 for its speed, and enlarged by its own error.

        Without cancellation that error is relative: gamma_{n+4} with the rounding of the factors. Both are
        brought to at most 1 first, by a power of 2, so that nothing overflows and what underflows is below
        n 2^-124. Where that is not small beside the smallest of them, float64 takes the time.
        """
        scales = [_power_of_2_above(tensor) for tensor in (x, weight)]
        if None in scales or _range_of(x) * _range_of(weight) > _WIDEST_RANGE:
            return self._convolved(x, weight).mul_(1 + 2 * gamma_n(self.terms + 4, UNIT64))
        x_scale, weight_scale = (float(scale or 1.0) for scale in scales)
        with componentwise():
            y = self._convolved((x / x_scale).float(), (weight / weight_scale).float()).double()
        y.mul_(1 + 2 * gamma_n(self.terms + 4, _FLOAT32_UNIT)).add_(self.terms * 2.0**-124)
        return y.clamp_min_(0.0).mul_(x_scale).mul_(weight_scale)


def _power_of_2_above(x: Tensor) -> float | None:
    """A power of 2 that no element exceeds; None where no such scale is of use."""
    largest = x.max() if x.numel() else x.new_zeros(())
    exponent = int(torch.frexp(largest).exponent)
    if not bool(largest.isfinite()) or abs(exponent) > 1000:
        return None
    return math.ldexp(1.0, exponent)


def _range_of(x: Tensor) -> float:
    """The largest element over the smallest that is not 0; 1 where there is none."""
    if not x.numel():
        return 1.0
    largest = float(x.max())
    smallest = float(x.min())
    if smallest == 0:
        smallest = float(torch.where(x > 0, x, math.inf).min())
    return largest / smallest if 0 < smallest <= largest else 1.0


@dataclass(frozen=True, slots=True)
class Averaging:
    """Average pooling."""

    kernel_size: Pair
    stride: Pair

    @property
    def terms(self) -> int:
        """Pixels in a window."""
        return self.kernel_size[0] * self.kernel_size[1]

    def signed(self, x: Tensor) -> Tensor:
        """The mean of each window."""
        return functional.avg_pool2d(x, self.kernel_size, self.stride)

    def absolute(self, x: Tensor) -> Tensor:
        """The same: all its weights are positive."""
        return self.signed(x)

    def squared(self, x: Tensor) -> Tensor:
        """Weights 1 / n become 1 / n^2."""
        return self.signed(x) / self.terms

    def alike(self) -> Tensor:
        """All weights are equal."""
        return torch.tensor(float(self.terms) ** 2, dtype=torch.float64)

    def below(self, smallest: float) -> None:
        """Without any."""


def convolution_of(conv: nn.Conv2d, weight: Tensor | None = None) -> Convolution:
    """An nn.Conv2d's map in float64 without padding and bias, or with another weight in its place."""
    weight = conv.weight.detach() if weight is None else weight
    stride, dilation = (_pair(conv.stride), _pair(conv.dilation))
    return Convolution(weight.double(), stride, dilation, conv.groups)


def _pair(values: tuple[int, ...]) -> Pair:
    return values[0], values[1]
