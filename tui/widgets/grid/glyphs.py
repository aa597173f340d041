"""A weight as one glyph, for cells too small for digits: what its colour cannot tell."""

from __future__ import annotations

from math import isinf, isnan

SHADES = " ░▒▓█"
"""From nothing to full, for norms where there is no colour."""


def glyph(value: float, scale: float, *, signs: bool = False) -> str:
    """The mark of a NaN, an infinity or a value beyond the scale; with `signs` the sign of any other.

    A cross is NaN; "▴" and "▾" lie beyond the scale; "·" is exact zero; a blank is a value that colour tells.
    """
    if isnan(value):
        return "×"
    if isinf(value):
        return "∞"
    if abs(value) > scale:
        return "▴" if value > 0 else "▾"
    if not signs:
        return " "
    return "+" if value > 0 else "-" if value < 0 else "·"


def shade(value: float, scale: float) -> str:
    """A block as dense as a value >= 0 is large against the scale; "·" for exact zero."""
    if value == 0 or not value <= scale:
        return "·" if value == 0 else "×" if isnan(value) else SHADES[-1]
    return SHADES[max(1, round(value / scale * (len(SHADES) - 1)))]
