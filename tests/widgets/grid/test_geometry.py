from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from textual.geometry import Region, Size

from tui.fusion.specs.padding import centre
from tui.fusion.tap import Tap
from tui.widgets.grid.geometry import GridGeometry, PixelRow, fit
from tui.widgets.grid.labels import Labels
from tui.widgets.grid.zoom import Zoom

Shape = tuple[int, int, int, int]

SHAPES = st.tuples(st.integers(1, 12), st.integers(1, 12), st.integers(1, 7), st.integers(1, 7))
GEOMETRIES = st.builds(GridGeometry, SHAPES, st.sampled_from(Zoom), st.booleans(), st.booleans())


def taps_of(shape: Shape) -> st.SearchStrategy[Tap]:
    return st.builds(Tap, *(st.integers(0, size - 1) for size in shape))


GEOMETRIES_WITH_TAP = GEOMETRIES.flatmap(
    lambda geometry: st.tuples(st.just(geometry), taps_of(geometry.shape))
)


def shown_by_pixel_of(geometry: GridGeometry, tap: Tap) -> Tap:
    """The tap that stands for all that share its pixel."""
    if geometry.zoom is Zoom.NORM:
        return tap._replace(ky=centre(geometry.shape[2]), kx=centre(geometry.shape[3]))
    return tap


def halves_of(geometry: GridGeometry, tap: Tap) -> list[int]:
    """The half rows of the body that show a tap."""
    row, _ = geometry.pixel(tap)
    region = geometry.region(tap)
    return [half for half in range(2 * region.y, 2 * region.bottom) if geometry.pixel_row(half) == row]


@given(GEOMETRIES_WITH_TAP)
def test_from_a_tap_to_its_cells_and_back(case: tuple[GridGeometry, Tap]) -> None:
    geometry, tap = case
    region = geometry.region(tap)
    halves = halves_of(geometry, tap)
    assert len(halves) == geometry.halves
    for half in halves:
        for x in range(region.x, region.right):
            assert geometry.tap_at(x + 0.5, half / 2) == shown_by_pixel_of(geometry, tap)


@given(GEOMETRIES_WITH_TAP)
def test_cells_lie_in_their_tile_and_tiles_in_the_body(case: tuple[GridGeometry, Tap]) -> None:
    geometry, tap = case
    body = Region(0, 0, *geometry.body)
    assert geometry.tile_region(tap).contains_region(geometry.region(tap))
    assert body.contains_region(geometry.tile_region(tap))


@given(GEOMETRIES, st.data())
def test_from_a_place_to_its_tap_and_back(geometry: GridGeometry, data: st.DataObject) -> None:
    x = data.draw(st.integers(-3, geometry.body.width + 3))
    half = data.draw(st.integers(-3, 2 * geometry.body.height + 3))
    tap = geometry.tap_at(x, half / 2)
    if tap is not None:
        assert geometry.region(tap).contains(x, half // 2)
        assert geometry.pixel_row(half) == geometry.pixel(tap)[0]
    elif (row := geometry.pixel_row(half)) is not None:
        kernels = [geometry.tile_region(Tap(row.out, in_, 0, 0)) for in_ in range(geometry.shape[1])]
        assert not any(kernel.x <= x < kernel.right for kernel in kernels)


@given(GEOMETRIES)
def test_the_last_tap_ends_the_body(geometry: GridGeometry) -> None:
    last = Tap(*(size - 1 for size in geometry.shape))
    region = geometry.region(last)
    bias_below = geometry.shows_bias and geometry.tile.height == 2
    assert Size(region.right, region.bottom + bias_below) == geometry.body
    assert geometry.size == Size(geometry.gutter + region.right, 1 + region.bottom + bias_below)


@given(GEOMETRIES, st.integers(-5, 400), st.integers(0, 200))
def test_the_tiles_of_a_span_are_those_it_touches(geometry: GridGeometry, start: int, width: int) -> None:
    def touches(in_: int) -> bool:
        left = in_ * geometry.pitch.width
        return left < start + width and left + geometry.pitch.width > start

    touched = [in_ for in_ in range(geometry.shape[1]) if touches(in_)]
    assert list(geometry.tiles(start, start + width)) == (touched if width else [])


@pytest.mark.parametrize("zoom", Zoom)
@pytest.mark.parametrize("shape", [(2, 3, 3, 2), (1, 1, 1, 1), (3, 1, 1, 5)])
def test_walking_right_and_down_passes_every_pixel(zoom: Zoom, shape: Shape) -> None:
    geometry = GridGeometry(shape, zoom)
    rows = [tap := Tap(0, 0, 0, 0)]
    while (below := geometry.moved(tap, 0, 1)) != tap:
        rows.append(tap := below)
    pixels = set()
    for tap in rows:
        pixels.add(geometry.pixel(tap))
        while (beside := geometry.moved(tap, 1, 0)) != tap:
            tap = beside
            pixels.add(geometry.pixel(tap))
    height, width = geometry.taps
    assert len(rows) == shape[0] * height
    assert len(pixels) == shape[0] * height * shape[1] * width


def test_a_step_goes_through_the_edges_of_tiles() -> None:
    geometry = GridGeometry((2, 2, 3, 3), Zoom.NUMBER_6)
    assert geometry.moved(Tap(0, 0, 1, 2), 1, 0) == Tap(0, 1, 1, 0)
    assert geometry.moved(Tap(0, 1, 1, 0), -1, 0) == Tap(0, 0, 1, 2)
    assert geometry.moved(Tap(0, 1, 2, 1), 0, 1) == Tap(1, 1, 0, 1)
    assert geometry.moved(Tap(1, 1, 0, 1), 0, -1) == Tap(0, 1, 2, 1)
    assert geometry.moved(Tap(0, 0, 0, 0), -1, -1) == Tap(0, 0, 0, 0)
    assert geometry.moved(Tap(1, 1, 2, 2), 1, 1) == Tap(1, 1, 2, 2)


def test_a_step_at_norm_goes_to_the_next_kernel_and_keeps_the_tap() -> None:
    geometry = GridGeometry((2, 2, 3, 3), Zoom.NORM)
    assert geometry.moved(Tap(0, 0, 1, 2), 1, 1) == Tap(1, 1, 1, 2)
    assert geometry.moved(Tap(1, 1, 1, 2), 1, 1) == Tap(1, 1, 1, 2)


@pytest.mark.parametrize(
    ("zoom", "columns", "rows"),
    [
        (Zoom.NUMBER_16, 8 + 2 * 48 + 1, 1 + 2 * 15 + 1),
        (Zoom.NUMBER_12, 8 + 2 * 36 + 1, 1 + 2 * 9 + 1),
        (Zoom.NUMBER_10, 8 + 2 * 30 + 1, 1 + 2 * 6 + 1),
        (Zoom.NUMBER_8, 6 + 2 * 24 + 1, 8),
        (Zoom.NUMBER_6, 6 + 2 * 18 + 1, 8),
        (Zoom.NUMBER_5, 5 + 2 * 15 + 1, 8),
        (Zoom.NUMBER_4, 5 + 2 * 12 + 1, 8),
        (Zoom.PAIR, 6 + 2 * 6 + 1, 8),
        (Zoom.HALF, 4 + 2 * 3 + 1, 1 + 4),
        (Zoom.NORM, 4 + 2, 1 + 1),
    ],
)
def test_the_size_of_the_smallest_block(zoom: Zoom, columns: int, rows: int) -> None:
    assert GridGeometry((2, 2, 3, 3), zoom, has_bias=True).size == Size(columns, rows)


@pytest.mark.parametrize(
    ("width", "height", "zoom"),
    [
        (105, 32, Zoom.NUMBER_16),
        (105, 31, Zoom.NUMBER_12),
        (70, 14, Zoom.NUMBER_10),
        (70, 13, Zoom.NUMBER_8),
        (60, 8, Zoom.NUMBER_8),
        (50, 8, Zoom.NUMBER_6),
        (38, 8, Zoom.NUMBER_5),
        (35, 8, Zoom.NUMBER_4),
        (38, 7, Zoom.HALF),
        (38, 5, Zoom.HALF),
        (34, 5, Zoom.HALF),
        (40, 20, Zoom.NUMBER_5),
        (10, 8, Zoom.HALF),
        (1, 1, Zoom.NORM),
    ],
)
def test_the_level_that_fits_the_smallest_block(width: int, height: int, zoom: Zoom) -> None:
    assert fit((2, 2, 3, 3), width, height, has_bias=True) is zoom


@given(SHAPES, st.integers(0, 200), st.integers(0, 100), st.booleans(), st.booleans())
@example((64, 1, 3, 3), 22, 20, True, False)
def test_fit_shows_all_or_scrolls_one_way_as_near_as_it_can(
    shape: Shape, width: int, height: int, has_bias: bool, signs: bool
) -> None:
    def bars(zoom: Zoom, of: Shape) -> int:
        size = GridGeometry(of, zoom, has_bias, signs).size
        across, down = size.width > width, size.height > height
        # A bar takes the last column, or row, and may so make the other one necessary.
        return (across or size.width > width - down) + (down or size.height > height - across)

    one_kernel = (1, 1, *shape[2:])
    levels = [zoom for zoom in Zoom if zoom is not Zoom.NORM and bars(zoom, one_kernel) == 0]
    # A high cell is for grids that are seen whole.
    levels = [zoom for zoom in levels if zoom.rows == 1 or bars(zoom, shape) == 0]
    nearest = min(levels, key=lambda zoom: bars(zoom, shape), default=Zoom.NORM)
    chosen = fit(shape, width, height, has_bias=has_bias, signs=signs)
    farthest = Zoom.HALF if shape[1] == 1 else Zoom.NORM
    expected = nearest if levels and bars(nearest, shape) < 2 else farthest
    if shape[1] == 1 and not expected.has_numbers:  # scrolled numbers before a strip of pixels
        numbers = [zoom for zoom in levels if zoom.has_numbers and bars(zoom, shape) < 2]
        expected = numbers[0] if numbers else expected
    assert chosen is expected


@pytest.mark.parametrize(
    ("size", "width", "height", "zoom"),
    [
        ((9, 9), 56, 10, Zoom.NUMBER_6),
        ((9, 9), 38, 10, Zoom.NUMBER_4),
        ((9, 9), 37, 10, Zoom.PAIR),
        ((9, 9), 39, 9, Zoom.HALF),
        ((9, 9), 39, 6, Zoom.HALF),
        ((224, 224), 46, 14, Zoom.HALF),
    ],
)
def test_the_level_that_fits_a_map(size: tuple[int, int], width: int, height: int, zoom: Zoom) -> None:
    assert fit((1, 1, *size), width, height, labels=Labels.PIXELS) is zoom


@given(st.integers(1, 300), st.integers(0, 900), st.integers(1, 60), st.sampled_from(Zoom))
def test_of_a_wide_map_only_the_columns_in_sight_are_drawn(
    size: int, start: int, width: int, zoom: Zoom
) -> None:
    geometry = GridGeometry((1, 1, 4, size), zoom, labels=Labels.PIXELS)
    tiles = geometry.tiles(start, start + width)
    if tiles:
        columns = geometry.columns(tiles, start, start + width)
        seen = {tap.kx for x in range(start, start + width) if (tap := geometry.tap_at(x, 0))}
        assert zoom is Zoom.NORM or seen <= set(columns)
        assert len(columns) <= width // zoom.columns + 2


def test_a_depthwise_kernel_is_read_in_numbers() -> None:
    assert fit((64, 1, 3, 3), 24, 20, has_bias=True) is Zoom.NUMBER_5


def test_a_depthwise_kernel_too_large_for_its_room_is_no_strip_of_norms() -> None:
    assert fit((64, 1, 31, 31), 44, 12) is Zoom.HALF
    assert fit((64, 2, 31, 31), 44, 12) is Zoom.NORM


def test_a_bias_takes_the_gap_below_kernels_one_row_high() -> None:
    without, with_bias = (GridGeometry((3, 2, 1, 1), Zoom.NUMBER_6, has_bias) for has_bias in (False, True))
    assert (without.body.height, with_bias.body.height) == (5, 6)
    assert GridGeometry((3, 2, 1, 1), Zoom.HALF, True).body.height == 3


def test_a_half_row_tells_the_two_weights_of_a_half_block_apart() -> None:
    geometry = GridGeometry((2, 1, 3, 1), Zoom.HALF)
    rows = [geometry.pixel_row(half) for half in range(9)]
    first = [PixelRow(0, 0), PixelRow(0, 1), PixelRow(0, 2), None]
    assert rows == [*first, PixelRow(1, 0), PixelRow(1, 1), PixelRow(1, 2), None, None]
    assert geometry.tap_at(0, 0.4) == Tap(0, 0, 0, 0)
    assert geometry.tap_at(0, 0.6) == Tap(0, 0, 1, 0)


def test_signs_need_whole_rows() -> None:
    assert GridGeometry((4, 4, 3, 3), Zoom.HALF, signs=True).body.height == 4 * 4 - 1
    assert GridGeometry((4, 4, 3, 3), Zoom.NORM, signs=True).body.height == 4
