"""Shares of a budget and output channels in words."""

from __future__ import annotations

import math
from collections.abc import Sequence

_MOST_LISTED = 6


def listed_channels(channels: Sequence[int]) -> str:
    """Output channels as they are said: "out 3", "out 0, 1 and 4", or how many where they are many."""
    if len(channels) > _MOST_LISTED:
        return f"{len(channels)} output channels"
    listed = [str(channel) for channel in channels]
    return "out " + (listed[0] if len(listed) == 1 else f"{', '.join(listed[:-1])} and {listed[-1]}")


def percent(used: float) -> str:
    """A part of a budget: "41 %"."""
    return "less than 1 %" if 0 < used < 0.01 else f"{100 * used:.0f} %"


def multiple(used: float) -> str:
    """A budget that was exceeded: "1.3 times", "6.7e+05 times"."""
    if not math.isfinite(used):
        return "any number of times"
    return f"{used:.1f} times" if used < 100 else f"{used:.1e} times"
