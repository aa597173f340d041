"""A share as a bar, readable without colours."""

from __future__ import annotations

from math import ceil, isnan


def bar(share: float, width: int) -> str:
    """The share, from 0 to 1 and cut there, in exactly `width` columns, to half a column.

    Only that of 0 or NaN is blank.
    """
    if isnan(share) or share <= 0:
        return " " * width
    halves = max(1, ceil(2 * width * min(share, 1) - 0.5))
    return ("━" * (halves // 2) + "╸" * (halves % 2)).ljust(width)
