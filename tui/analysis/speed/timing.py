"""Timing: how long one side took, again and again; and how much faster another one is, pair by pair."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median, quantiles

NOISY = 0.2
"""IQR / median above which a timing is called noisy."""


@dataclass(frozen=True, slots=True)
class Spread:
    """A number that was measured several times: its median, and the quartiles around it."""

    low: float
    median: float
    high: float

    @property
    def iqr(self) -> float:
        """From the lower to the upper quartile."""
        return self.high - self.low

    @property
    def is_noisy(self) -> bool:
        """Whether the quartiles lie far apart for such a median."""
        return self.iqr > NOISY * self.median


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds of one run of a side, in the order in which it was timed; at least one."""

    seconds: tuple[float, ...]

    @property
    def spread(self) -> Spread:
        """Their median and quartiles."""
        return spread_of(self.seconds)


def speed_up(before: Timing, after: Timing) -> Spread:
    """How many times as fast `after` is, round by round: the machine's mood is the same in both.

    A round that only one of them has had is left out.
    """
    rounds = zip(before.seconds, after.seconds, strict=False)
    return spread_of(tuple(slow / fast for slow, fast in rounds))


def shows_no_difference(gain: Spread) -> bool:
    """Whether the quartiles of a gain lie on both sides of 1: then its median tells nothing."""
    return gain.low <= 1 <= gain.high


def spread_of(values: tuple[float, ...]) -> Spread:
    """Median and quartiles, of one number itself.

    >>> spread_of((1.0, 2.0, 3.0, 4.0, 9.0))
    Spread(low=2.0, median=3.0, high=4.0)

    Raises:
        ValueError: there is no number.
    """
    if not values:
        raise ValueError("nothing was measured: there is no median")
    low, _, high = quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3
    return Spread(low, median(values), high)
