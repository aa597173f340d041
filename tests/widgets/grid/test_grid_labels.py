from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from textual.geometry import Region

from tui.widgets.grid.geometry import GridGeometry
from tui.widgets.grid.grid_labels import header_labels, label_row, row_label
from tui.widgets.grid.zoom import Zoom

SHAPES = st.tuples(*[st.integers(1, 300)] * 2, *[st.integers(1, 7)] * 2)
GEOMETRIES = st.builds(GridGeometry, SHAPES, st.sampled_from(Zoom), st.booleans(), st.booleans())
WINDOWS = st.builds(
    Region, st.integers(0, 500), st.integers(0, 500), st.integers(10, 120), st.integers(1, 40)
)


def whole(geometry: GridGeometry) -> Region:
    return Region(0, 0, *geometry.body)


@given(GEOMETRIES, WINDOWS, st.integers(0, 299))
def test_labels_are_whole_and_apart(geometry: GridGeometry, window: Region, here: int) -> None:
    labels = header_labels(geometry, window, here)
    assert all(label.start >= 0 and label.stop <= window.width for label in labels)
    assert all(left.stop < right.start for left, right in pairwise(labels))


@given(GEOMETRIES, WINDOWS, st.data())
def test_the_cursors_column_is_always_named(
    geometry: GridGeometry, window: Region, data: st.DataObject
) -> None:
    tiles = geometry.tiles(window.x, window.right)
    if tiles:
        here = data.draw(st.sampled_from(tiles))
        current = [label for label in header_labels(geometry, window, here) if label.here]
        assert [label.text.removeprefix("in ") for label in current] == [str(here)]


@given(GEOMETRIES, st.data())
def test_a_label_stands_over_its_own_tile(geometry: GridGeometry, data: st.DataObject) -> None:
    here = data.draw(st.integers(0, geometry.shape[1] - 1))
    for label in header_labels(geometry, whole(geometry), here):
        left = int(label.text.removeprefix("in ")) * geometry.pitch.width
        # At the right end the cursor's label may have to begin before its tile.
        assert left <= label.start or label.here
        assert left < label.stop
        assert label.start < left + geometry.tile.width


def test_words_give_way_to_numbers_and_numbers_to_every_nth() -> None:
    def texts(in_channels: int, zoom: Zoom) -> list[str]:
        geometry = GridGeometry((1, in_channels, 3, 3), zoom)
        return [label.text for label in header_labels(geometry, whole(geometry), 0)]

    assert texts(3, Zoom.NUMBER_6) == ["in 0", "in 1", "in 2"]
    assert texts(200, Zoom.PAIR)[-1] == "in 199"
    assert texts(1200, Zoom.PAIR)[-1] == "1199"
    assert texts(4, Zoom.HALF) == ["0", "1", "2", "3"]
    assert texts(20, Zoom.NORM) == ["0", "8", "16"]


def test_the_cursor_in_a_row_of_every_nth_pushes_its_neighbour_away() -> None:
    geometry = GridGeometry((1, 32, 3, 3), Zoom.NORM)
    labels = header_labels(geometry, whole(geometry), 9)
    assert [(label.start, label.text, label.here) for label in labels] == [
        (0, "0", False),
        (9, "9", True),
        (16, "16", False),
        (24, "24", False),
    ]


@given(GEOMETRIES, WINDOWS, st.integers(0, 299))
def test_every_output_channel_in_sight_is_named_once(
    geometry: GridGeometry, window: Region, here: int
) -> None:
    rows = range(window.y, min(window.bottom, geometry.body.height))
    labels = [label for row in rows if (label := row_label(geometry, window, row, here)) is not None]
    names = [label.out for label in labels if not label.is_bias]
    assert len(names) == len(set(names))
    tile_rows = -(-geometry.tile.height // 2)
    tops = {out: out * geometry.pitch.height // 2 for out in range(geometry.shape[0])}
    visible = [out for out, top in tops.items() if top < window.bottom and top + tile_rows > window.y]
    if geometry.zoom.has_wide_gutter:
        assert names == visible
    elif here in visible:
        assert here in names


@given(GEOMETRIES)
def test_every_bias_stands_below_its_name(geometry: GridGeometry) -> None:
    window = whole(geometry)
    found = []
    for row in range(geometry.body.height):
        label = row_label(geometry, window, row, 0)
        if label is not None and label.is_bias:
            found.append(label.out)
            assert label_row(geometry, window, label.out) == row - 1
    assert found == (list(range(geometry.shape[0])) if geometry.shows_bias else [])


def test_a_name_stays_in_sight_as_long_as_its_tile() -> None:
    geometry = GridGeometry((2, 1, 7, 7), Zoom.NUMBER_4)
    assert label_row(geometry, Region(0, 0, 50, 20), 0) == 3
    assert label_row(geometry, Region(0, 5, 50, 20), 0) == 5
    assert label_row(geometry, Region(0, 0, 50, 10), 1) == 9
