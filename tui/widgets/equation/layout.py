"""Where each kernel of an equation stands, in cells of one size: pure arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from functools import cached_property

from tui.widgets.equation.cell import CELLS, Cell

HEADER = 1
"""The row of titles."""
BESIDE = 2
"""Columns between the kernels and the name of their row."""
Taps = tuple[int, int]


class Label(Enum):
    """Where the name of a row stands."""

    BEHIND = auto()
    """In one line behind it: "out 0, in 0"."""
    STACKED = auto()
    """In two lines behind it."""
    ABOVE = auto()
    """In a row of its own."""
    BEFORE = auto()
    """Before it."""


@dataclass(frozen=True)
class Shape:
    """What of an equation decides on its layout.

    Attributes:
        taps: the rows and columns of taps of each term.
        titles, signs: the columns that those of each term take; a sign's include the blanks around it.
        rows: (out_channels, in_channels) of the last term: an equation for each.
        label: columns and rows of the widest name of a row.
        before: whether the names stand before the rows, with no gap between these.
        halves: half rows that a tap takes at HALF.
        wraps: whether a row may be broken into several lines.
    """

    taps: tuple[Taps, ...]
    titles: tuple[int, ...]
    signs: tuple[int, ...]
    rows: tuple[int, int]
    label: tuple[int, ...]
    before: bool = False
    halves: int = 1
    wraps: bool = True


@dataclass(frozen=True)
class Layout:
    """An equation laid out in cells of one size.

    Each row of it, a *band*, is one kernel of each term, broken into `lines` of terms. A term alone needs no
    band for itself: then `across` kernels of an output channel stand side by side.
    """

    shape: Shape
    cell: Cell
    width: int
    lines: tuple[tuple[int, ...], ...]
    label: Label
    most: Taps
    across: int = 1

    @cached_property
    def taps(self) -> tuple[Taps, ...]:
        """The rows and columns of taps that are in sight of each term."""
        return tuple(
            (min(rows, self.most[0]), min(columns, self.most[1])) for rows, columns in self.shape.taps
        )

    @cached_property
    def widths(self) -> tuple[int, ...]:
        """The columns that each term takes, its title included."""
        return tuple(
            max(taps[1] * self.cell.columns, title)
            for taps, title in zip(self.taps, self.shape.titles, strict=True)
        )

    def height_of(self, term: int) -> int:
        """The rows that a kernel of a term takes."""
        return tap_rows(self.taps[term][0], self.cell, self.shape.halves)

    @property
    def broken(self) -> bool:
        """Whether a band has several lines, with titles of their own."""
        return len(self.lines) > 1

    @property
    def header(self) -> int:
        """The rows above the bands, which do not scroll."""
        return 0 if self.broken else HEADER

    @cached_property
    def line_heights(self) -> tuple[int, ...]:
        """The rows of each line of a band, without its titles."""
        heights = [max(map(self.height_of, line)) for line in self.lines]
        if self.label is Label.STACKED:
            heights[-1] = max(heights[-1], len(self.shape.label))
        return tuple(heights)

    @cached_property
    def line_tops(self) -> tuple[int, ...]:
        """The row of a band in which the kernels of each line begin."""
        tops, row = [], int(self.label is Label.ABOVE)
        for height in self.line_heights:
            row += self.broken
            tops.append(row)
            row += height
        return tuple(tops)

    @property
    def band(self) -> int:
        """The rows of a band."""
        return self.line_tops[-1] + self.line_heights[-1]

    @property
    def pitch(self) -> int:
        """The rows from a band to the next."""
        return self.band + (0 if self.shape.before and not self.broken else 1)

    @property
    def bands_of_channel(self) -> int:
        """How many bands an output channel takes."""
        return -(-self.shape.rows[1] // self.across)

    @property
    def bands(self) -> int:
        """How many bands there are."""
        return self.shape.rows[0] * self.bands_of_channel

    @property
    def height(self) -> int:
        """The rows of the whole equation."""
        return self.header + self.bands * self.pitch - (self.pitch - self.band)

    @cached_property
    def indent(self) -> int:
        """The columns before the first term of each line: its sign, or the names of the rows."""
        signs = max(self.shape.signs[line[0]] for line in self.lines)
        return signs + (max(self.shape.label) + BESIDE if self.label is Label.BEFORE else 0)

    @cached_property
    def lefts(self) -> tuple[int, ...]:
        """The column in which each term begins."""
        found = [0] * len(self.shape.taps)
        for line in self.lines:
            column = self.indent
            for place, term in enumerate(line):
                column += self.shape.signs[term] if place else 0
                found[term] = column
                column += self.widths[term]
        return tuple(found)

    @cached_property
    def line_width(self) -> int:
        """The columns of a band, or of a kernel with its name where several stand side by side."""
        widths = [self.lefts[line[-1]] + self.widths[line[-1]] for line in self.lines]
        if self.label in (Label.BEHIND, Label.STACKED):
            widths[-1] += self.beside + self.label_width
        if self.label is Label.ABOVE:
            widths.append(self.label_width)
        return max(widths)

    @property
    def beside(self) -> int:
        """The columns between the last term and the name of its row."""
        return BESIDE - 1 if self.label is Label.STACKED else BESIDE

    @property
    def label_width(self) -> int:
        """The columns of the name of a row, as it stands there."""
        words = self.shape.label
        if self.label is Label.STACKED or self.label is Label.BEFORE:
            return max(words)
        return sum(words) + 2 * (len(words) - 1)

    @property
    def across_pitch(self) -> int:
        """The columns from a kernel to the one beside it, where several stand side by side."""
        return self.line_width + BESIDE

    def band_of(self, out: int, in_: int) -> tuple[int, int]:
        """The band of a kernel of the last term, and its place across it."""
        return out * self.bands_of_channel + in_ // self.across, in_ % self.across

    def kernel_at(self, band: int, place: int) -> tuple[int, int] | None:
        """The kernel at a place of a band; None where there is none."""
        out, rest = divmod(band, self.bands_of_channel)
        in_ = rest * self.across + place
        return (out, in_) if out < self.shape.rows[0] and in_ < self.shape.rows[1] else None

    def place_at(self, x: float, y: float) -> tuple[int, int, int] | None:
        """The term at a place of a band, and the row and column of taps in sight of it; None for none."""
        for line, top, height in zip(self.lines, self.line_tops, self.line_heights, strict=True):
            for term in line:
                rows, columns = self.taps[term]
                left = self.lefts[term] + (self.widths[term] - columns * self.cell.columns) // 2
                kx = int((x - left) // self.cell.columns)
                inside = y - top - (height - self.height_of(term)) // 2
                ky = int(inside * rows // self.height_of(term))
                if 0 <= kx < columns and 0 <= ky < rows:
                    return term, ky, kx
        return None

    def in_sight(self, height: int) -> int:
        """How many kernels of the last term are whole in that height."""
        return (self.whole_bands(height) - self.header + self.pitch - self.band) // self.pitch * self.across

    def whole_bands(self, height: int) -> int:
        """The rows up to the end of the last band that is whole in that height; one band at least."""
        fitting = max(1, (height - self.header + self.pitch - self.band) // self.pitch)
        return self.header + min(fitting, self.bands) * self.pitch - (self.pitch - self.band)


def tap_rows(taps: int, cell: Cell, halves: int) -> int:
    """The rows that a column of taps takes; `halves`: the half rows of a tap at HALF."""
    return -(-taps * halves // 2) if cell.zoom is CELLS[-1].zoom else taps * cell.rows
