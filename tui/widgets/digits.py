"""Numbers to their last bit: decimals under each other, or hexadecimal, the digits that differ marked."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, isfinite, log10

from textual.content import Content

from tui.fusion.specs.block_spec import Dtype

_HEX_DIGITS = {Dtype.FLOAT64: 13, Dtype.FLOAT32: 6, Dtype.FLOAT16: 3, Dtype.BFLOAT16: 2}
"""Digits behind the point that hold all bits of the dtype."""


_MORE_DECIMALS = 4
"""At most so many more than the largest of several values needs; much smaller ones then lose digits."""


def all_digits(values: Sequence[float], dtype: Dtype, *, hexadecimal: bool = False) -> list[str]:
    """The values with one number of decimals, as many as tell each from its neighbours in the dtype.

    float32: "+0.123456791"; hexadecimal, as C's %a has it: "+0x1.f9add4p-4".
    """
    if hexadecimal:
        return [_hexadecimal(value, _HEX_DIGITS[dtype]) for value in values]
    digits = dtype.digits
    exponents = [floor(log10(abs(value))) for value in values if value and isfinite(value)]
    largest = max(exponents, default=0)
    if not -4 <= largest < digits:
        return [_plain(value, f"+.{digits - 1}e") for value in values]
    smallest = max(min(exponents, default=0), largest - _MORE_DECIMALS)
    return [_plain(value, f"+.{max(0, digits - 1 - smallest)}f") for value in values]


def _plain(value: float, form: str) -> str:
    return f"{value:{form}}" if isfinite(value) else f"{value:+}"


def _hexadecimal(value: float, digits: int) -> str:
    if not isfinite(value):
        return f"{value:+}"
    text = value.hex()
    sign, text = ("-", text[1:]) if text.startswith("-") else ("+", text)
    mantissa, _, exponent = text.partition("p")
    whole, _, behind = mantissa.partition(".")
    return f"{sign}{whole}.{behind.ljust(digits, '0')[:digits]}p{exponent}"


def against(text: str, other: str, style: str) -> Content:
    """The text, in that style from where it differs from the other on."""
    same = next(
        (place for place, pair in enumerate(zip(text, other, strict=False)) if pair[0] != pair[1]), None
    )
    if same is None:
        same = min(len(text), len(other))
    return Content.assemble(text[:same], (text[same:], style))
