"""The layout of an equation: what fits stands whole, side by side, in the largest cells; nothing overlaps."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.geometry import Size

from tui.widgets.equation.cell import CELLS
from tui.widgets.equation.fitting import lay_out
from tui.widgets.equation.layout import Label, Layout, Shape, Taps
from tui.widgets.grid.zoom import Zoom


def equation(taps: list[Taps], rows: tuple[int, int] = (2, 2), **more: bool) -> Shape:
    """As many terms of those taps, with "+" between them."""
    signs = (0, *[3] * (len(taps) - 1))
    label = (
        (len(f"out {rows[0] - 1}"),)
        if more.get("before")
        else (len(f"out {rows[0] - 1}"), len(f"in {rows[1] - 1}"))
    )
    return Shape(tuple(taps), (5,) * len(taps), signs, rows, label, **more)


SUM = equation([(3, 3)] * 4)


@pytest.mark.parametrize(
    ("room", "columns", "label"),
    [
        (Size(78, 16), 5, Label.STACKED),
        (Size(65, 16), 4, Label.STACKED),
        (Size(58, 21), 4, Label.ABOVE),
        (Size(105, 20), 8, Label.ABOVE),
        (Size(145, 28), 10, Label.BEHIND),
        (Size(200, 60), 12, Label.BEHIND),
    ],
)
def test_a_sum_stands_in_one_line_in_the_largest_cells_that_fit(
    room: Size, columns: int, label: Label
) -> None:
    layout = lay_out(SUM, room)
    assert (layout.cell.columns, layout.label, layout.broken) == (columns, label, False)
    assert layout.height <= room.height


def test_a_sum_that_is_too_wide_is_broken_into_lines_of_whole_kernels() -> None:
    layout = lay_out(SUM, Size(40, 40))
    assert layout.lines == ((0, 1), (2, 3))
    assert layout.cell.zoom.has_numbers
    assert layout.taps == SUM.taps


def test_where_not_all_fits_only_whole_kernels_are_in_sight() -> None:
    layout = lay_out(SUM, Size(78, 11))
    assert layout.whole_bands(11) == layout.header + 2 * layout.band + 1 == 8
    assert layout.whole_bands(1000) == layout.height


def test_numbers_are_scrolled_in_the_cells_that_show_most_of_them() -> None:
    layout = lay_out(equation([(5, 5)] * 2, (8, 8)), Size(65, 12))
    assert layout.in_sight(12) == 2
    assert layout.cell.columns == 5


def test_kernels_too_large_for_numbers_are_colours_and_then_parts() -> None:
    assert lay_out(equation([(7, 7)] * 4), Size(70, 9)).cell.zoom is Zoom.PAIR
    layout = lay_out(equation([(31, 31)] * 4), Size(66, 17))
    assert layout.cell.zoom is Zoom.HALF
    assert not layout.broken
    assert len(set(layout.taps)) == 1
    assert layout.taps[0] < (31, 31)
    assert layout.band <= 16


def test_a_kernel_alone_has_others_of_its_channel_beside_it() -> None:
    layout = lay_out(equation([(3, 3)], (4, 6)), Size(60, 40))
    assert layout.across > 1
    kernels = [
        layout.kernel_at(band, place) for band in range(layout.bands) for place in range(layout.across)
    ]
    there = [kernel for kernel in kernels if kernel is not None]
    assert there == [(out, in_) for out in range(4) for in_ in range(6)]
    assert all(layout.kernel_at(*layout.band_of(*kernel)) == kernel for kernel in there)


def test_a_column_sum_has_its_names_in_front_and_no_gaps() -> None:
    layout = lay_out(equation([(1, 1)] * 4, (3, 1), before=True), Size(200, 50))
    assert (layout.label, layout.height, layout.cell.columns) == (Label.BEFORE, 4, 8)


def test_maps_stay_side_by_side() -> None:
    layout = lay_out(equation([(56, 56)] * 3, (1, 2), wraps=False), Size(66, 12))
    assert not layout.broken
    assert layout.line_width <= 66


shapes = st.builds(
    lambda sizes, rows: equation(sizes, rows),
    st.lists(st.tuples(st.integers(1, 31), st.integers(1, 31)), min_size=1, max_size=9),
    st.tuples(st.integers(1, 70), st.integers(1, 70)),
)
rooms = st.builds(Size, st.integers(30, 220), st.integers(3, 60))


@given(shapes, rooms, st.none() | st.sampled_from(CELLS))
def test_terms_stand_in_order_apart_and_inside_the_width(shape: Shape, room: Size, cell: object) -> None:
    layout = lay_out(shape, room, cell)  # type: ignore[arg-type]
    assert [term for line in layout.lines for term in line] == list(range(len(shape.taps)))
    for line in layout.lines:
        ends = [layout.lefts[term] + layout.widths[term] for term in line]
        for end, term in zip(ends, line[1:], strict=False):
            assert end + shape.signs[term] <= layout.lefts[term]
        assert ends[-1] <= room.width or layout.taps[line[0]][1] <= 3
    tops = [*layout.line_tops, layout.band]
    for top, height, following in zip(layout.line_tops, layout.line_heights, tops[1:], strict=True):
        assert top + height + layout.broken * (following != layout.band) <= following
    assert _finds_every_tap(layout)


def _finds_every_tap(layout: Layout) -> bool:
    """A place in the middle of a cell is that cell's."""
    for line, top, height in zip(layout.lines, layout.line_tops, layout.line_heights, strict=True):
        for term in line:
            rows, columns = layout.taps[term]
            left = layout.lefts[term] + (layout.widths[term] - columns * layout.cell.columns) // 2
            above = top + (height - layout.height_of(term)) // 2
            for ky, kx in ((0, 0), (rows - 1, columns - 1)):
                x = left + (kx + 0.5) * layout.cell.columns
                y = above + (ky + 0.5) * layout.height_of(term) / rows
                if layout.place_at(x, y) != (term, ky, kx):
                    return False
    return True
