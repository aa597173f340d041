"""Counts, differences, memory and time as people read them."""

from __future__ import annotations

import math

from tui.analysis.estimate import Estimate


def count(number: int) -> str:
    """A whole number in groups of three: "115 605 504"; the spaces do not break a line."""
    return f"{number:,}".replace(",", "\N{NO-BREAK SPACE}")


def short_count(number: int) -> str:
    """A whole number, from 100 000 on in three digits: "3 240", "116 M"."""
    if number < 100_000:
        return count(number)
    exponent, unit = next(
        ((power, unit) for power, unit in ((9, "G"), (6, "M")) if number >= 10**power), (3, "k")
    )
    return f"{float(f'{number / 10**exponent:.3g}'):g}\N{NO-BREAK SPACE}{unit}"


def two_digits(value: float) -> str:
    """The size of a difference in two digits: "2.4e-07", "0.013", "36", and "0" for exactly none."""
    if value == 0:
        return "0"
    if 0.001 <= abs(value) < 100:
        return f"{value:.2g}"
    return f"{value:.1e}" if math.isfinite(value) else str(value)


def times(whole: int, part: int) -> str:
    """How the part compares to the whole: "0.90 ×"."""
    return f"{part / whole:.2f} ×" if whole else "none"


def memory_in_words(size: int) -> str:
    """Bytes in the unit that reads best: "3.4 GB"."""
    amount, units = size / 1e6, iter(("MB", "GB", "TB"))
    unit = next(units)
    while amount >= 1000 and unit != "TB":
        amount, unit = amount / 1000, next(units)
    return f"{amount:,.1f} {unit}"


def traffic_in_words(size: int) -> str:
    """Bytes that a run moves, which may be few: "640 B", "12.3 kB", "3.4 MB"."""
    if size < 1000:
        return f"{size} B"
    return f"{size / 1e3:.1f} kB" if size < 999_950 else memory_in_words(size)


def time_in_words(seconds: float) -> str:
    """A rough time: "under a second", "about 12 s", "about 3 min", "about 5 h"."""
    if seconds < 1:
        return "under a second"
    if seconds < 90:
        return f"about {seconds:.0f} s"
    if seconds < 90 * 60:
        return f"about {seconds / 60:.0f} min"
    return f"about {seconds / 3600:.0f} h"


def estimate_in_words(estimate: Estimate) -> str:
    """Time and memory of a run: "about 12 s and 3.4 GB of memory"."""
    return f"{time_in_words(estimate.seconds)} and {memory_in_words(estimate.bytes)} of memory"
