"""Which two mistakes at once make a difference: a choice by a sample of its elements, to be verified."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import torch
from torch import Generator, Tensor

MOST_ELEMENTS = 4096
"""Of an output, looked at for each mistake: so what is kept does not grow with the output."""

MOST_TIMES = 3
"""A mistake is made at most so often beside another one."""

MOST_VERIFIED = 6
"""So many pairs are made again at most."""

_NEAR = 1e-3
"""What a pair may leave over of the sample's |difference|, before it is verified."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two mistakes by their place, and how often each is made."""

    first: int
    second: int
    first_times: int = 1
    second_times: int = 1

    @property
    def times(self) -> int:
        """How often anything was done wrong."""
        return self.first_times + self.second_times


class Sample:
    """The same elements of each output, (batch, out_channels, H, W): all, or some drawn at random."""

    def __init__(self, count: int) -> None:
        self._places: Tensor | None = None
        if count > MOST_ELEMENTS:
            self._places = torch.randint(count, (MOST_ELEMENTS,), generator=Generator().manual_seed(0))

    def of(self, output: Tensor) -> Tensor:
        """The chosen elements, in one dimension."""
        flat = output.flatten()
        return flat.clone() if self._places is None else flat[self._places.to(flat.device)]


def pairs_near(difference: Tensor, made: Sequence[Tensor], repeated: Sequence[bool]) -> list[Pair]:
    """The pairs whose sum is the difference in the sample, those that were made the fewest times first.

    Least squares over coefficients that are whole and positive: for each pair of them
    |d - a u - b v|^2 = d.d - 2 a u.d - 2 b v.d + a^2 u.u + b^2 v.v + 2 a b u.v, from the Gram matrix alone.

    Args:
        difference: its sample, (elements,).
        made: the sample of what each mistake makes.
        repeated: of each, whether it can be made more than once.
    """
    if len(made) < 2:
        return []
    gram = torch.stack([*made, difference]) @ torch.stack([*made, difference]).T
    numbers: list[list[float]] = gram.tolist()
    found = [
        (pair, left)
        for first, second in combinations(range(len(made)), 2)
        for pair in _pairs_of(first, second, repeated)
        if (left := _left_over(pair, numbers)) <= _NEAR**2 * numbers[-1][-1]
    ]
    found.sort(key=lambda each: (each[0].times, each[1]))
    return [pair for pair, _ in found[:MOST_VERIFIED]]


def _pairs_of(first: int, second: int, repeated: Sequence[bool]) -> list[Pair]:
    return [
        Pair(first, second, first_times, second_times)
        for first_times in range(1, MOST_TIMES + 1 if repeated[first] else 2)
        for second_times in range(1, MOST_TIMES + 1 if repeated[second] else 2)
    ]


def _left_over(pair: Pair, gram: list[list[float]]) -> float:
    """|d - a u - b v|^2; the last row and column of the Gram matrix are those of d."""
    u, v, a, b = gram[pair.first], gram[pair.second], pair.first_times, pair.second_times
    own = a * a * u[pair.first] + b * b * v[pair.second] + 2 * a * b * u[pair.second]
    return gram[-1][-1] - 2 * a * u[-1] - 2 * b * v[-1] + own
