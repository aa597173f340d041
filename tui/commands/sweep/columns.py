"""Columns of numbers side by side, and below each other where the screen is too narrow for all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from tui.commands.tables import row, table

_PADDING = 1
_GAP = _PADDING + 1  # and the rule's own column


@dataclass(frozen=True, slots=True)
class Column:
    """A heading, and a cell for each line; None in a line that has no numbers."""

    heading: str
    cells: Sequence[str | Text | None]

    @property
    def width(self) -> int:
        """Columns of the screen that it takes, with the gap behind it."""
        texts = (str(each) for each in self.cells if each is not None)
        return max(map(cell_len, (self.heading, *texts))) + _GAP


def tables_of(names: Sequence[Column], numbers: Sequence[Column], width: int) -> Iterator[Table]:
    """As few tables as fit into `width`, one below the other, with `names` first in each of them.

    No cell is cut, since half of a number is another number. A line without numbers stands in the first only.
    """
    room = width - sum(each.width for each in names)
    for number, part in enumerate(_parts(numbers, room)):
        yield _table(names, part, whole=number == 0)


def _parts(columns: Sequence[Column], room: int) -> list[list[Column]]:
    """Them in their order, each part as many as there is room for, and one at least."""
    parts: list[list[Column]] = [[]]
    left = room
    for column in columns:
        if parts[-1] and column.width > left:
            parts.append([])
            left = room
        parts[-1].append(column)
        left -= column.width
    return parts


def _table(names: Sequence[Column], numbers: Sequence[Column], *, whole: bool) -> Table:
    made = table(*(each.heading for each in (*names, *numbers)))
    made.padding = (0, _PADDING, 0, 0)  # closer than elsewhere: there are many columns
    for column in made.columns:
        column.justify = "right"
    for column in made.columns[len(names) :]:
        column.no_wrap = True
    for place in range(len(names[0].cells)):
        cells = [each.cells[place] for each in numbers]
        if whole or any(each is not None for each in cells):
            row(made, *(each.cells[place] or "" for each in names), *(each or "" for each in cells))
    return made
