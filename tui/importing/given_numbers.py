"""Numbers as a file gave them: a shape, the values in C order, and how finely they were stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from tui.fusion.specs.block_spec import Dtype

Shape = tuple[int, ...]


@dataclass(frozen=True, eq=False, slots=True)
class GivenNumbers:
    """A tensor that was read.

    Attributes:
        shape: its sizes.
        values: its numbers in C order; each is the number of the file, to the last bit.
        dtype: that of the file, None where it has none: text, integers.
    """

    shape: Shape
    values: Sequence[float]
    dtype: Dtype | None = None

    def __post_init__(self) -> None:
        if prod(self.shape) != len(self.values):
            raise ValueError(f"{len(self.values)} values make no {self.shape}")


@dataclass(frozen=True, eq=False, slots=True)
class GivenKernel:
    """A weight that was read, and a bias where there was one."""

    weight: GivenNumbers
    bias: GivenNumbers | None = None
