"""A number as people type it."""

from __future__ import annotations

from fractions import Fraction
from math import isinf


def number_in(text: str) -> float | None:
    """The number that a text says: "-0.25", "1e-3", "1/9", "nan"; None for none, or too large a one."""
    try:
        number = float(Fraction(text.replace(" ", ""))) if "/" in text else float(text)
    except (ValueError, ZeroDivisionError, OverflowError):
        return None
    overflowed = isinf(number) and "inf" not in text.lower()
    return None if overflowed else number


def show_number(number: float) -> str:
    """The shortest text that `number_in` reads as this very number: "0.001", "1e-5"."""
    return repr(number).replace("e-0", "e-")
