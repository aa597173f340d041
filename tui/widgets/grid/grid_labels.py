"""Which channel, row or column is named where: the labels in the header and in the gutter of a grid."""

from __future__ import annotations

from typing import NamedTuple

from textual.geometry import Region

from tui.fusion.tap import Tap
from tui.widgets.grid.geometry import GridGeometry

AIR = 3
"""The least number of blanks between the plain numbers of a header."""


class Label(NamedTuple):
    """A text in the header, at a column counted from the window's left; `here`: the cursor is below it."""

    start: int
    text: str
    here: bool

    @property
    def stop(self) -> int:
        """The column after the text."""
        return self.start + len(self.text)


class RowLabel(NamedTuple):
    """What a row of the gutter holds: the name of an output channel or its bias."""

    out: int
    is_bias: bool


def _step(room: int, need: int) -> int:
    """Every how many channels there is room for `need` cells, at `room` cells a channel.

    A power of two, as the numbers of channels mostly are.
    """
    step = 1
    while step * room < need:
        step *= 2
    return step


def has_words(geometry: GridGeometry) -> bool:
    """Whether every label of the header has room for "in" before its number."""
    return geometry.tile.width >= len(f"in {geometry.shape[1] - 1}")


def header_labels(geometry: GridGeometry, window: Region, here: int) -> list[Label]:
    """The labels of the input channels in a window: "in 0", or a plain number where that is too wide.

    Where even numbers are too wide for a tile, they stand at every second, fourth, ... one. A label stays in
    sight as long as its tile does. That of the cursor is always there, and its neighbours make room.
    """
    prefix = "in " if has_words(geometry) else ""
    widest = len(f"{prefix}{geometry.shape[1] - 1}")
    step = 1 if geometry.pitch.width > widest else _step(geometry.pitch.width, widest + AIR)
    labels = []
    for in_ in geometry.tiles(window.x, window.right):
        if in_ % step == 0 or in_ == here:
            label = _placed(geometry, window, f"{prefix}{in_}", in_, in_ == here)
            if label is not None:
                labels.append(label)
    return _without_overlap(labels)


def column_labels(geometry: GridGeometry, window: Region, cursor: Tap) -> list[Label]:
    """The numbers of a map's columns in a window: all, or every second, fourth, ...; always the cursor's."""
    size, last = geometry.zoom.columns, geometry.shape[3] - 1
    widest = len(str(last))
    step = 1 if size > widest else _step(size, widest + AIR)
    labels = []
    for column in range(window.x // size, min(-(-window.right // size), last + 1)):
        if column % step == 0 or column == cursor.kx:
            # A number in a cell of its own ends, like the digits below it, before the cell's last blank.
            text = str(column)
            start = column * size - window.x + (max(0, size - len(text)) // 2 if size > 2 else 0)
            if column == cursor.kx:
                start = max(0, min(start, window.width - len(text)))
            if start >= 0 and start + len(text) <= window.width:
                labels.append(Label(start, text, column == cursor.kx))
    return _without_overlap(labels)


def row_number(geometry: GridGeometry, row: int, cursor: Tap) -> int | None:
    """The row of a map whose number stands beside a row of the body; None where there is no room for one."""
    shown = 2 * row // geometry.halves, (2 * row + 1) // geometry.halves
    step = 1 if geometry.halves >= 2 else 4
    if row % geometry.zoom.rows != geometry.zoom.number_row:
        return None
    named = [ky for ky in shown if ky < geometry.shape[2] and (ky % step == 0 or ky == cursor.ky)]
    return None if not named else cursor.ky if cursor.ky in named else named[0]


def _placed(geometry: GridGeometry, window: Region, text: str, in_: int, here: bool) -> Label | None:
    """A label above the middle of its tile; beside it as far as the window asks; None if it would be cut."""
    start = in_ * geometry.pitch.width - window.x
    stop = start + max(geometry.tile.width, len(text))
    left, right = (0, window.width) if here else (max(start, 0), min(stop, window.width))
    if right - left < len(text):
        return None
    middle = start + max(0, geometry.tile.width - len(text)) // 2
    return Label(max(left, min(middle, right - len(text))), text, here)


def _without_overlap(labels: list[Label]) -> list[Label]:
    """Without the neighbours that are in the way of the cursor's label."""
    current = next((label for label in labels if label.here), None)
    return [label for label in labels if current is None or label is current or _apart(label, current)]


def _apart(first: Label, second: Label) -> bool:
    return first.stop < second.start or second.stop < first.start


def label_row(geometry: GridGeometry, window: Region, out: int) -> int:
    """The row beside which an output channel is named: as near to its middle as the window shows."""
    top = out * geometry.pitch.height // 2
    bottom = top + -(-geometry.tile.height // 2)
    first, last = max(top, window.y), min(bottom, window.bottom) - 1
    return min(max(top + geometry.label_row, first), last)


def row_label(geometry: GridGeometry, window: Region, row: int, here: int) -> RowLabel | None:
    """What stands in the gutter beside a row of the body."""
    step = _step(geometry.pitch.height, 4)
    first, last = 2 * row // geometry.pitch.height, (2 * row + 1) // geometry.pitch.height
    outs = range(first, min(last + 1, geometry.shape[0]))
    named = [
        out for out in outs if label_row(geometry, window, out) == row and (out % step == 0 or out == here)
    ]
    if named:
        return RowLabel(here if here in named else named[0], is_bias=False)
    if geometry.shows_bias and outs and label_row(geometry, window, outs[0]) + 1 == row:
        return RowLabel(outs[0], is_bias=True)
    return None
