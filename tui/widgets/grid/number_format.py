"""A weight as text: in a cell of a few columns, and in full for one line."""

from __future__ import annotations

from math import isfinite, isnan


def cell_text(value: float, width: int) -> str:
    """The value in exactly `width` >= 4 columns.

    Cells of more than 4 columns end in a blank one, which parts a number from its neighbour; in 4 columns its
    sign does, and the zero before the point is left out. "0" is exact zero and nothing else is, so that a
    padded tap differs from a small one: that reads "+0.00". A number that would be wider than its cell loses
    decimals, then takes an exponent, then reads "+###" as in a spreadsheet.

    Widths 8, 6 and 4:  "+0.1034 "  "+0.10 "  "+.10".
    """
    room = width - 1 if width > 4 else width
    if value == 0 or isnan(value):
        return ("0" if value == 0 else "nan").center(min(room, width - 1)).ljust(width)
    return _signed(value, room).ljust(width)


def _signed(value: float, room: int) -> str:
    """The most exact writing of a value other than zero and NaN that fits in `room` columns."""
    if not isfinite(value):
        return f"{value:+}"
    for decimals in range(room - 2, -1, -1):
        text = f"{value:+.{decimals}f}"
        if room < 5:
            text = text.replace("+0.", "+.").replace("-0.", "-.")
        if len(text) <= room:
            return text
    for decimals in range(max(room - 5, 0), -1, -1):
        mantissa, _, exponent = f"{value:+.{decimals}e}".partition("e")
        text = f"{mantissa}e{int(exponent)}"
        if len(text) <= room:
            return text
    return f"{value:+.0e}"[0] + "#" * (room - 1)


def precise(value: float) -> str:
    """The value in about five digits, for a line of text: "+0.1034", "+1.03e-05"; "+1", "0" where whole."""
    if value == 0:
        return "0"
    if not isfinite(value):
        return "nan" if isnan(value) else f"{value:+}"
    if value == int(value) and abs(value) < 9999.5:
        return f"{value:+.0f}"
    if 0.001 <= abs(value) < 1:
        return f"{value:+.4f}"
    if 1 <= abs(value) < 9999.5:
        return f"{value:+#.5g}"
    return f"{value:+.2e}"
