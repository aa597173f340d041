"""What a block was folded to: the numbers that are written, and what was found out about them on the way."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, slots=True)
class Answer:
    """What the branches and the fused kernel make of one random input, in float64.

    Attributes:
        difference: the largest |fused - unfused|; NaN where one is not finite.
        share: the largest one in parts of what rounding in float64 may do.
    """

    difference: float
    share: float

    @property
    def agrees(self) -> bool:
        """Whether both make the same of it."""
        return self.share <= 1


@dataclass(frozen=True, eq=False, slots=True)
class Folded:
    """A fused convolution, folded in float64 and rounded once.

    Attributes:
        weight: (out_channels, in_channels / groups, kH, kW), in the block's dtype; None where it was put
            elsewhere, strip by strip.
        bias: (out_channels,), in that dtype; zeros where the block adds nothing.
        share: the largest |stored - right| in parts of what rounding once to that dtype may do; infinite
            where a number overflowed, NaN where one that is right is not finite.
        answer: of the branches and of the fused kernel in float64 to a random patch of the input, in which
            every weight is multiplied by a number of its own.
    """

    weight: Tensor | None
    bias: Tensor
    share: float
    answer: Answer


def largest(shares: Iterable[float]) -> float:
    """The largest, and NaN where one is."""
    most = 0.0
    for share in shares:
        if math.isnan(share):
            return share
        most = max(most, share)
    return most
