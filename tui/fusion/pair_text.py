"""A pair (height, width) as people write it."""

from __future__ import annotations

Pair = tuple[int, int]
"""Height and width."""


def show_pair(pair: tuple[int, int], times: str = "x") -> str:
    """Both numbers: "3x5", and with "×" for `times` as the screen writes it."""
    return f"{pair[0]}{times}{pair[1]}"


def shortest(pair: tuple[int, int]) -> str:
    """One number where both are the same, as nn.Conv2d takes it: "3", "3x5"."""
    return str(pair[0]) if pair[0] == pair[1] else show_pair(pair)
