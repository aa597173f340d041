"""Which size of a cell, and how many lines a row, suit an equation and a room: pure arithmetic."""

from __future__ import annotations

from collections.abc import Iterator

from textual.geometry import Size

from tui.widgets.equation.cell import CELLS, Cell
from tui.widgets.equation.layout import BESIDE, HEADER, Label, Layout, Shape, Taps

LEAST_TAPS = 3
"""Rows and columns of a kernel that are shown at least, however little room there is."""


def lay_out(shape: Shape, room: Size, cell: Cell | None = None) -> Layout:
    """The layout with the largest cells that suit the room; with a cell given, in that one.

    In this order: the whole equation in numbers, each row in one line; numbers that are scrolled, in the
    cells that show most of them; numbers, rows broken into lines; colours; and part of each kernel.
    """
    if cell is not None:
        return _first(_in_one_line(shape, room, cell, whole=False, tall=True)) or _broken(shape, room, cell)
    grow = not shape.before  # a column of numbers is read down: it stays close together
    numbers = [each for each in CELLS if each.zoom.has_numbers and (grow or each.rows == 1)]
    colours = [each for each in CELLS if not each.zoom.has_numbers]
    tries = (
        *(_in_one_line(shape, room, each, whole=True) for each in numbers),
        _most_in_sight(shape, room, [each for each in numbers if each.rows == 1]),
        _fewest_lines(shape, room, [each for each in numbers if each.rows == 1]),
        *(_in_one_line(shape, room, each, whole=False) for each in colours),
        _fewest_lines(shape, room, colours),
    )
    return next((found for each in tries if (found := _first(each))), None) or _cut(shape, room, CELLS[-1])


def _first(layouts: Iterator[Layout]) -> Layout | None:
    return next(layouts, None)


def _labels(shape: Shape) -> tuple[Label, ...]:
    if shape.before:
        return (Label.BEFORE,)
    if len(shape.taps) == 1:
        return (Label.ABOVE,)
    return (Label.BEHIND, Label.STACKED, Label.ABOVE) if len(shape.label) > 1 else (Label.BEHIND, Label.ABOVE)


def _in_one_line(
    shape: Shape, room: Size, cell: Cell, *, whole: bool, tall: bool = False
) -> Iterator[Layout]:
    """Layouts in that cell that fit, a band in each line; `whole` with all bands, `tall` in any height."""
    line = (tuple(range(len(shape.taps))),)
    for label in _labels(shape):
        found = Layout(shape, cell, room.width, line, label, _all_taps(shape))
        if len(shape.taps) == 1:
            across = max(1, min(shape.rows[1], (room.width - 1 + BESIDE) // found.across_pitch))
            found = Layout(shape, cell, room.width, line, label, _all_taps(shape), across)
        bar = found.height > room.height
        if found.line_width > room.width - bar or (whole and bar):
            continue
        if tall or found.header + found.band <= room.height:
            yield found


def _most_in_sight(shape: Shape, room: Size, cells: list[Cell]) -> Iterator[Layout]:
    """The layout with a band in each line that has most kernels in sight, in the largest cells that do."""
    found = (_first(_in_one_line(shape, room, cell, whole=False)) for cell in cells)
    yield from sorted(filter(None, found), key=lambda each: -each.in_sight(room.height))[:1]


def _all_taps(shape: Shape) -> Taps:
    return max(taps[0] for taps in shape.taps), max(taps[1] for taps in shape.taps)


def _fewest_lines(shape: Shape, room: Size, cells: list[Cell]) -> Iterator[Layout]:
    """The layout with the fewest lines a band that fits, of those the one with the largest cells."""
    if not shape.wraps or len(shape.taps) == 1:
        return
    found = [_broken(shape, room, cell) for cell in cells]
    fitting = [each for each in found if each.band <= room.height and each.line_width < room.width]
    yield from sorted(fitting, key=lambda each: len(each.lines))[:1]


def _broken(shape: Shape, room: Size, cell: Cell) -> Layout:
    """The rows broken into as many lines as it takes; a term that is too wide for a line is cut."""
    indent = max(shape.signs)
    label = Label.BEFORE if shape.before else Label.ABOVE
    before = max(shape.label) + BESIDE if shape.before else 0
    widest = max(LEAST_TAPS, (room.width - 1 - indent - before) // cell.columns)
    most = (_all_taps(shape)[0], widest)
    lines: list[list[int]] = [[]]
    column = before + indent
    for term, (taps, title, sign) in enumerate(zip(shape.taps, shape.titles, shape.signs, strict=True)):
        width = max(min(taps[1], widest) * cell.columns, title)
        if lines[-1] and column + sign + width > room.width - 1:
            lines.append([])
            column = before + indent
        column += width + (sign if lines[-1] else 0)
        lines[-1].append(term)
    return Layout(shape, cell, room.width, tuple(map(tuple, lines)), label, most)


def _cut(shape: Shape, room: Size, cell: Cell) -> Layout:
    """Part of each kernel, all terms in one line."""
    label = Label.BEFORE if shape.before else Label.ABOVE
    line = (tuple(range(len(shape.taps))),)
    signs = sum(shape.signs) + (max(shape.label) + BESIDE if shape.before else 0)
    largest = [taps for taps in shape.taps if taps[1] > LEAST_TAPS] or list(shape.taps)
    others = sum(taps[1] for taps in shape.taps if taps not in largest) * cell.columns
    columns = max(LEAST_TAPS, (room.width - 1 - signs - others) // (len(largest) * cell.columns))
    rows = max(LEAST_TAPS, (room.height - HEADER - (label is Label.ABOVE)) * 2 // shape.halves)
    found = Layout(shape, cell, room.width, line, label, (rows, columns))
    return found if found.line_width <= room.width else _broken(shape, room, cell)
