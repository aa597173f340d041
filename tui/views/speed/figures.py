"""Times, rates and ratios as people read them, in three digits."""

from __future__ import annotations

from math import isfinite

from tui.analysis.speed.timing import Spread

_TIMES = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
_BYTES = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"))
_SPACE = "\N{NO-BREAK SPACE}"


def three_digits(value: float) -> str:
    """The number in three digits, a tiny one in two: "5.2e-04", "0.0123", "1.34", "61.2", "1234"."""
    if not isfinite(value):
        return str(value)
    if abs(value) >= 999.5:
        return f"{value:.0f}"
    return f"{value:#.3g}".rstrip(".") if abs(value) >= 0.001 else f"{value:.1e}"


def duration(seconds: float, like: float | None = None) -> str:
    """Of a run: "12.3 µs", "1.25 ms", "2.41 s"; in the unit in which `like` is told."""
    size, unit = _unit_of(seconds if like is None else like)
    return f"{three_digits(seconds / size)}{_SPACE}{unit}"


def quartiles(spread: Spread, like: float) -> str:
    """Of times, in the unit in which `like` is told: "1.22 to 1.31 ms"."""
    size, unit = _unit_of(like)
    return f"{three_digits(spread.low / size)} to {three_digits(spread.high / size)}{_SPACE}{unit}"


def ratio(value: float) -> str:
    """How many times: "1.34 ×"."""
    return f"{three_digits(value)}{_SPACE}×"


def between(spread: Spread) -> str:
    """The quartiles of a ratio: "(1.31 to 1.38)"."""
    return f"({three_digits(spread.low)} to {three_digits(spread.high)})"


def bytes_moved(number: int) -> str:
    """Of a run: "640 B", "12.3 kB", "3.40 MB"."""
    size, unit = next(((size, unit) for size, unit in _BYTES if number >= size), (1.0, "B"))
    return f"{number if size == 1.0 else three_digits(number / size)}{_SPACE}{unit}"


def _unit_of(seconds: float) -> tuple[float, str]:
    return next(((size, unit) for size, unit in _TIMES if seconds >= size * 0.9995), _TIMES[-1])
