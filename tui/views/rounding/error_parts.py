"""Where the difference in one dtype arises: three bars, and the numbers that add up at the worst element."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from tui.analysis.quantities import two_digits
from tui.analysis.side import WrongSide
from tui.analysis.verdict.reason import Reason
from tui.fusion.specs.block_spec import Dtype
from tui.views.shared.styles import MUTED
from tui.widgets.bar import bar

if TYPE_CHECKING:
    from tui.analysis.dtypes.dtype_table import DtypeRow
    from tui.analysis.verdict.error_split import ErrorPart, ErrorSplit, Nearer

_LABEL = 14
_NUMBER = 9
_BARS = 6, 24
"""The narrowest bar beside which the maximum has room, and the widest one."""

_NEARER = 58
"""Columns of the line about the nearer side, at most."""


def error_parts_text(row: DtypeRow, width: int) -> Content:
    """The parts of the difference in that dtype, in `width` columns, and two sentences that may wrap."""
    heading = f"Sources in {row.dtype}"
    if row.split is None:
        why = "no element is finite on both sides."
        if row.dtype is Dtype.FLOAT64:
            why = "float64 is what the others are measured by; nothing finer measures it."
        return Content.assemble((f"{heading}\n", "bold"), (why, MUTED))
    with_max = width >= _LABEL + _BARS[0] + 3 * _NUMBER
    names = ("max", "rms", "at worst") if with_max else ("rms", "at worst")
    room = min(_BARS[1], width - _LABEL - len(names) * _NUMBER)
    titles = "".join(f"{name:>{_NUMBER}}" for name in names)
    full = _LABEL + room + len(titles)
    lines = [
        Content.assemble((heading, "bold"), (titles.strip().rjust(full - len(heading)), MUTED)),
        *_part_lines(row.split, room, with_max=with_max),
        Content(_main_part(row.split, row)),
        _nearer_in_full(row.split.nearer, width),
    ]
    return Content("\n").join(lines)


def _part_lines(split: ErrorSplit, room: int, *, with_max: bool) -> list[Content]:
    """A line for each part, and their sum at the worst element; the unfused part counts negative."""
    parts = {"fused weight": split.weights, "fused run": split.fused, "− unfused run": split.unfused}
    signs = (1, 1, -1)
    largest = max(part.rms for part in parts.values())
    lines, difference = [], 0.0
    for (label, part), sign in zip(parts.items(), signs, strict=True):
        lines.append(_part_line(label, part, sign, largest, room, with_max=with_max))
        difference += sign * part.at_worst
    before = _LABEL + room + (2 if with_max else 1) * _NUMBER
    total = Content.assemble(
        (f"{'= difference':<{before}}", MUTED), (f"{_signed(difference):>{_NUMBER}}", "bold")
    )
    return [*lines, total]


def _part_line(
    label: str, part: ErrorPart, sign: int, largest: float, room: int, *, with_max: bool
) -> Content:
    numbers = [two_digits(part.max_abs)] if with_max else []
    numbers += [two_digits(part.rms), _signed(sign * part.at_worst)]
    return Content.assemble(
        (f"{label:<{_LABEL}}", MUTED),
        (bar(part.rms / largest if largest else 0, room), "$primary"),
        "".join(f"{number:>{_NUMBER}}" for number in numbers),
    )


def _signed(value: float) -> str:
    return "0" if value == 0 else f"{'+' if value > 0 else '-'}{two_digits(abs(value))}"


def _main_part(split: ErrorSplit, row: DtypeRow) -> str:
    """Which part makes more than half of the mean square of the three."""
    squares = [part.rms**2 for part in (split.weights, split.fused, split.unfused)]
    if not any(squares):
        return "Nothing was rounded on either side."
    if max(squares) < sum(squares) / 2:
        return "No part makes most of it."
    weight, branches = "rounding the fused weight.", "rounding in the branches."
    if row.verdict.reason is Reason.ALGEBRA:
        if row.verdict.side is not WrongSide.UNFUSED:
            weight = "a weight not the block's."
        if row.verdict.side is not WrongSide.FUSED:
            branches = "the branches run wrongly."
    places = (weight, "rounding in the fused run.", branches)
    return f"Most of it: {places[squares.index(max(squares))]}"


def _nearer_in_full(nearer: Nearer, width: int) -> Content:
    """nearer to float64: fused 22 %, unfused 61 %, alike 17 %; where there is no room, in two lines."""
    every = nearer.fused + nearer.unfused + nearer.equal
    parts = {"fused": nearer.fused, "unfused": nearer.unfused, "alike": nearer.equal}
    fused, unfused, alike = (f"{side} {100 * number / every:.0f} %" for side, number in parts.items())
    gap = " " if width >= _NEARER else "\n"
    return Content.assemble(("nearer to float64: ", MUTED), f"{fused},{gap}{unfused}, {alike}")
