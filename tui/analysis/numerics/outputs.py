"""Outputs: what both sides gave for one input, and how far apart they are, NaN and infinity among them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Outputs:
    """Both outputs, each (batch, out_channels, H, W); their shapes differ where a side went wrong."""

    unfused: Tensor
    fused: Tensor

    @property
    def same_shape(self) -> bool:
        """Whether they can be compared element by element."""
        return self.unfused.shape == self.fused.shape

    @cached_property
    def difference(self) -> Difference:
        """|fused - unfused|, computed once.

        Raises:
            ValueError: the shapes differ.
        """
        if not self.same_shape:
            raise ValueError(
                f"the fused output is {tuple(self.fused.shape)}, the unfused one {tuple(self.unfused.shape)}"
            )
        absolute = subtracted(self.fused, self.unfused).abs_()
        difference = Difference(absolute, None, None)
        if math.isfinite(difference.largest):  # so is every element of both
            return difference
        finite = self.unfused.isfinite() & self.fused.isfinite()
        if bool(finite.all()):  # but their difference is too large for float64
            return difference
        alike = _alike(self.unfused, self.fused) & ~finite
        unlike = ~finite & ~alike
        absolute.masked_fill_(alike, 0.0).masked_fill_(unlike, math.inf)
        return Difference(absolute, alike, unlike)

    def in_channels(self, channels: Sequence[int]) -> Outputs:
        """These output channels of both."""
        return Outputs(self.unfused[:, list(channels)], self.fused[:, list(channels)])


@dataclass(frozen=True, eq=False)
class Difference:
    """|fused - unfused|, in float64 whatever the dtype.

    Attributes:
        absolute: where one is not finite, 0 if the two are alike, both NaN or the same infinity, else
            infinite.
        alike, unlike: where one is not finite and the two are alike, or are not; None where all are finite.
    """

    absolute: Tensor
    alike: Tensor | None
    unlike: Tensor | None

    @cached_property
    def place(self) -> int:
        """Where it is largest first, in the order of memory; where it is NaN first, if it is anywhere."""
        return int(self.absolute.argmax())

    @property
    def largest(self) -> float:
        """The largest of it; NaN if one is."""
        return float(self.absolute.flatten()[self.place])

    @property
    def non_finite(self) -> int:
        """Elements that are NaN or infinite on either side."""
        return self.count_alike + self.count_unlike

    @property
    def count_alike(self) -> int:
        """Elements that are NaN or infinite on both sides alike."""
        return 0 if self.alike is None else int(self.alike.sum())

    @property
    def count_unlike(self) -> int:
        """Elements that are NaN or infinite on one side, or on both but not alike."""
        return 0 if self.unlike is None else int(self.unlike.sum())

    def in_channels(self, channels: Sequence[int]) -> Difference:
        """The difference in these output channels."""
        rows = list(channels)
        return Difference(
            self.absolute[:, rows],
            None if self.alike is None else self.alike[:, rows],
            None if self.unlike is None else self.unlike[:, rows],
        )


def signed_difference(unfused: Tensor, fused: Tensor) -> Tensor:
    """fused - unfused in float64; NaN where both are NaN or infinite alike, infinite where not alike."""
    signed, finite = subtracted(fused, unfused), unfused.isfinite() & fused.isfinite()
    if bool(finite.all()):
        return signed
    return torch.where(finite, signed, torch.where(_alike(unfused, fused), math.nan, math.inf))


def subtracted(one: Tensor, other: Tensor) -> Tensor:
    """one - other in float64, a new tensor."""
    return one.double() - other.double()


def largest_abs(values: Tensor) -> float:
    """The largest |value|; NaN if one is."""
    least, most = torch.aminmax(values)
    return max(abs(float(least)), abs(float(most)))


def _alike(unfused: Tensor, fused: Tensor) -> Tensor:
    return (fused == unfused) | (fused.isnan() & unfused.isnan())
