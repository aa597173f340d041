from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.geometry import Size

from tui.views.kernels.arrangement import Panels, inner_size
from tui.widgets.grid.geometry import GridGeometry
from tui.widgets.grid.zoom import Zoom

START = (2, 2, 3, 3)


@pytest.mark.parametrize(
    ("panels", "room", "columns", "framed", "zoom"),
    [
        (Panels(4, START), Size(93, 27), 2, True, Zoom.NUMBER_6),
        (Panels(4, START), Size(173, 41), 2, True, Zoom.NUMBER_10),
        (Panels(4, START), Size(273, 71), 2, True, Zoom.NUMBER_16),
        (Panels(4, START), Size(300, 10), 4, True, Zoom.NUMBER_8),
        # A fourth branch, or a 3 x 5 kernel, at 120 x 36: numbers, without frames.
        (Panels(5, START), Size(93, 27), 2, False, Zoom.NUMBER_6),
        (Panels(4, (2, 2, 3, 5)), Size(93, 27), 2, False, Zoom.NUMBER_4),
        (Panels(3, (64, 1, 31, 31)), Size(93, 27), 3, True, Zoom.HALF),
        (Panels(7, (64, 1, 13, 13), signs=True), Size(93, 25), 4, True, Zoom.HALF),
    ],
)
def test_numbers_come_first_then_size_then_one_row(
    panels: Panels, room: Size, columns: int, framed: bool, zoom: Zoom
) -> None:
    best = panels.arranged(room)
    assert best is not None
    assert (best.columns, best.framed, best.zoom) == (columns, framed, zoom)


def test_where_not_two_panels_have_room_there_is_no_arrangement() -> None:
    assert Panels(4, START).arranged(Size(40, 6), frames=False) is None


SHAPES = st.tuples(st.integers(1, 64), st.integers(1, 64), st.integers(1, 9), st.integers(1, 9))


@given(SHAPES, st.integers(1, 9), st.integers(20, 300), st.integers(5, 80), st.booleans())
def test_what_is_called_whole_fits_and_nothing_is_higher_than_the_room(
    shape: tuple[int, int, int, int], count: int, width: int, height: int, frames: bool
) -> None:
    best = Panels(count, shape).arranged(Size(width, height), frames=frames)
    if best is None:
        return
    assert best.height <= height
    rows = -(-count // best.columns)
    inner = inner_size(Size(width, height), best.columns, rows, framed=best.framed)
    size = GridGeometry(shape, best.zoom, has_bias=True).size
    assert best.whole == (size.width <= inner.width and size.height <= inner.height)
