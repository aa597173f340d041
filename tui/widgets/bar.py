"""A share as a bar of block characters, readable without colours."""

from __future__ import annotations

from math import ceil, isnan

EIGHTHS = " ▏▎▍▌▋▊▉█"


def bar(share: float, width: int) -> str:
    """The share, from 0 to 1 and cut there, in exactly `width` columns; none is blank but that of 0 or NaN."""
    if isnan(share) or share <= 0:
        return " " * width
    whole, rest = divmod(max(1, min(8 * width, ceil(8 * width * share - 0.5))), 8)
    return ("█" * whole + EIGHTHS[rest].strip()).ljust(width)
