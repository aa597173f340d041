"""How four maps share the room: two by two, or side by side, whichever shows more of them."""

from __future__ import annotations

from textual.geometry import Size

from tui.fusion.specs.block_spec import BlockSpec
from tui.widgets.grid.geometry import HEADER, GridGeometry, fit
from tui.widgets.grid.labels import Labels
from tui.widgets.grid.zoom import Zoom

MANY_MORE = 1.2
FRAME = 2
"""Rows, and columns, of a panel's border."""
LINES = 2
"""Rows of text under maps on a wide screen."""

Shape = tuple[int, int, int, int]


def columns_for(shapes: list[Shape], room: Size, frame: Size, *, signs: bool) -> int:
    """2 or 4 panels side by side for the four maps (1, 1, H, W), in a room of this size.

    The nearer zoom levels decide; at the same levels it is 4 only where that shows many more pixels. `frame`
    is what a panel takes beside its grid.
    """
    (near_two, seen_by_two), (near_four, seen_by_four) = (
        _seen_by(shapes, room, frame, columns, signs) for columns in (2, 4)
    )
    if near_two != near_four:
        return 2 if near_two < near_four else 4
    return 4 if seen_by_four > MANY_MORE * seen_by_two else 2


def _seen_by(shapes: list[Shape], room: Size, frame: Size, columns: int, signs: bool) -> tuple[int, int]:
    """How far away the levels are that fit, and how many pixels they show."""
    rows = len(shapes) // columns
    width, height = room.width // columns - frame.width, room.height // rows - frame.height
    levels = [fit(shape, width, height, signs=signs, labels=Labels.PIXELS) for shape in shapes]
    seen = [_seen(shape, zoom, width, height, signs) for shape, zoom in zip(shapes, levels, strict=True)]
    return sum(map(list(Zoom).index, levels)), sum(seen)


def _seen(shape: Shape, zoom: Zoom, width: int, height: int, signs: bool) -> int:
    """How many pixels of a map are in sight."""
    geometry = GridGeometry(shape, zoom, signs=signs, labels=Labels.PIXELS)
    rows = (height - HEADER) * 2 // geometry.halves
    columns = (width - geometry.gutter) // zoom.columns
    return max(0, min(shape[2], rows)) * max(0, min(shape[3], columns))


def rows_of(shapes: list[Shape], inner: Size, zoom: Zoom | None, *, signs: bool) -> int:
    """The rows that the highest of the maps takes in its panel, at the level that fits, or is chosen."""
    levels = [zoom or fit(shape, *inner, signs=signs, labels=Labels.PIXELS) for shape in shapes]
    return max(
        GridGeometry(shape, level, signs=signs, labels=Labels.PIXELS).size.height
        for shape, level in zip(shapes, levels, strict=True)
    )


def rows_side_by_side(spec: BlockSpec, width: int) -> int | None:
    """The rows of four whole maps of numbers side by side, and of the lines under them; None without room."""
    _, _, *output = spec.output_nchw
    shapes = [(1, 1, *spec.input_shape), (1, 1, output[0], output[1])]
    levels = [zoom for zoom in Zoom if zoom.rows == 1 and zoom.has_numbers]
    for zoom in levels:
        sizes = [GridGeometry(shape, zoom, labels=Labels.PIXELS).size for shape in shapes]
        if max(size.width for size in sizes) <= width // 4 - FRAME:
            return max(size.height for size in sizes) + FRAME + LINES
    return None
