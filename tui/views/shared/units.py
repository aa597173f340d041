"""Differences in units of a power of ten, for their own digits would not fit into the cell of a grid."""

from __future__ import annotations

import math
from typing import NamedTuple

LEAST_AS_IT_IS, MOST_AS_IT_IS = 0.1, 1000.0
"""Between them a number can be read in a cell of four columns as it is."""


class Unit(NamedTuple):
    """A power of ten, and what is written beside numbers that were divided by it: "in 1e-07"; "" for 1."""

    size: float
    words: str


def unit_of(largest: float | None) -> Unit:
    """The unit in which numbers up to `largest` read best; 1 where they read best as they are."""
    if not largest or not math.isfinite(largest) or LEAST_AS_IT_IS <= largest < MOST_AS_IT_IS:
        return Unit(1.0, "")
    size = 10.0 ** math.floor(math.log10(largest))
    return Unit(size, f"in {size:.0e}")
