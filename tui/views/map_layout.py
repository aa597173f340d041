"""How four maps share the room: two by two, or side by side, whichever shows more of them."""

from __future__ import annotations

from textual.geometry import Size

from tui.widgets.grid_geometry import HEADER, GridGeometry, fit
from tui.widgets.labels import Labels
from tui.widgets.zoom import Zoom

Shape = tuple[int, int, int, int]


def columns_for(shapes: list[Shape], room: Size, frame: Size, *, signs: bool) -> int:
    """2 or 4 panels side by side for the four maps (1, 1, H, W), in a room of this size.

    The nearer zoom level decides; at the same level, the number of pixels in sight; else 2. `frame` is what a
    panel takes beside its grid.
    """
    return min((2, 4), key=lambda columns: _loss(shapes, room, frame, columns, signs))


def _loss(shapes: list[Shape], room: Size, frame: Size, columns: int, signs: bool) -> tuple[int, int]:
    rows = len(shapes) // columns
    width, height = room.width // columns - frame.width, room.height // rows - frame.height
    levels = [fit(shape, width, height, signs=signs, labels=Labels.PIXELS) for shape in shapes]
    seen = [_seen(shape, zoom, width, height, signs) for shape, zoom in zip(shapes, levels, strict=True)]
    return sum(map(list(Zoom).index, levels)), -sum(seen)


def _seen(shape: Shape, zoom: Zoom, width: int, height: int, signs: bool) -> int:
    """How many pixels of a map are in sight."""
    geometry = GridGeometry(shape, zoom, signs=signs, labels=Labels.PIXELS)
    rows = (height - HEADER) * 2 // geometry.halves
    columns = (width - geometry.gutter) // zoom.columns
    return max(0, min(shape[2], rows)) * max(0, min(shape[3], columns))
