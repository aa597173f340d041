from __future__ import annotations

from collections.abc import Sequence
from math import inf, nan

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip

from tui.fusion.tap import Tap
from tui.widgets.grid.geometry import GridGeometry
from tui.widgets.grid.painter import GridPainter, Marks
from tui.widgets.grid.palette import CURSOR, HOVER, LEVELS, NAN, Look, Palette
from tui.widgets.grid.weight_source import WeightSource
from tui.widgets.grid.zoom import Zoom

GROUND = Style(color="#cccccc", bgcolor="#101214")
LABEL = Style(color="#808080", bgcolor="#101214")
LABEL_HERE = Style(color="#ffffff", bgcolor="#101214", bold=True)
FAR = Marks(Tap(0, 0, 0, 0))
DARK = Palette.dark()


def painter(
    weight: torch.Tensor,
    zoom: Zoom,
    *,
    palette: Palette = DARK,
    bias: Sequence[float] | None = None,
    frame: tuple[int, int] | None = None,
) -> GridPainter:
    source = WeightSource(weight, frame) if frame else WeightSource.of(weight)
    geometry = GridGeometry(source.shape, zoom, bias is not None, palette.signs)
    return GridPainter(source, geometry, Look(palette, GROUND, LABEL, LABEL_HERE), 1.0, bias)


def lines(grid: GridPainter, marks: Marks = FAR, window: Region | None = None) -> list[Strip]:
    window = Region(0, 0, *grid.geometry.body) if window is None else window
    return [grid.header(window, marks), *(grid.line(y, window, marks) for y in window.line_range)]


def texts(grid: GridPainter, marks: Marks = FAR, window: Region | None = None) -> list[str]:
    return [line.text for line in lines(grid, marks, window)]


def cells(line: Strip, gutter: int) -> list[tuple[str, Style | None]]:
    """Every column of a line right of the gutter: its glyph and its style."""
    columns = [(glyph, segment.style) for segment in line for glyph in segment.text]
    return columns[gutter:]


def styles(line: Strip, gutter: int) -> list[Style | None]:
    return [style for _, style in cells(line, gutter)]


def one_row(*values: float) -> torch.Tensor:
    """A weight of one kernel with one row of taps."""
    return torch.tensor(values, dtype=torch.float64).reshape(1, 1, 1, -1)


def test_the_drawing_at_six_columns() -> None:
    weight = torch.tensor([[[[0.5, -0.25], [0.0, 1.5]]], [[[0.0, 0.0], [0.0, -1e-9]]]], dtype=torch.float64)
    assert texts(painter(weight, Zoom.NUMBER_6, bias=[0.125, 0.0])) == [
        "          in 0    ",
        "out 0 +0.50 -0.25 ",
        "+0.12   0   +1.50 ",
        "                  ",
        "out 1   0     0   ",
        "  0     0   -0.00 ",
    ]


def test_the_drawing_at_four_columns_with_a_frame_of_zeros() -> None:
    weight = torch.tensor([[[[0.5]], [[-0.25]]]], dtype=torch.float64)
    assert texts(painter(weight, Zoom.NUMBER_4, frame=(3, 2))) == [
        " out   in 0     in 1  ",
        "      0   0    0   0  ",
        "   0 +.50 0   -.25 0  ",
        "      0   0    0   0  ",
    ]


def test_the_drawing_in_high_cells() -> None:
    weight = torch.tensor([[[[0.5, -0.25]]], [[[0.0, 2.0]]]], dtype=torch.float64)
    grid = painter(weight, Zoom.NUMBER_10, bias=[0.125, 0.0])
    assert texts(grid) == [
        "                in 0        ",
        "out 0    +0.5000   -0.2500  ",
        "+0.1250                     ",
        "                            ",
        "out 1       0      +2.0000  ",
        "   0                        ",
    ]
    _, _, below, *_ = lines(grid)
    assert styles(below, 8)[10:20] == [DARK.style(-LEVELS // 4)] * 10


def test_only_the_number_is_underlined_and_no_blank_of_its_cell() -> None:
    for zoom, underlined in ((Zoom.NUMBER_6, "+2.00"), (Zoom.NUMBER_12, "+2.000000")):
        grid = painter(one_row(2.0), zoom)
        written = [
            "".join(segment.text for segment in line if segment.style and segment.style.underline)
            for line in lines(grid)
        ]
        assert [text for text in written if text] == [underlined]


def test_a_bias_takes_the_gap_between_kernels_one_row_high() -> None:
    weight = torch.tensor([0.5, -0.5], dtype=torch.float64).reshape(2, 1, 1, 1)
    assert texts(painter(weight, Zoom.NUMBER_6, bias=[1.0, -0.75])) == [
        "       in 0 ",
        "out 0 +0.50 ",
        "+1.00       ",
        "out 1 -0.50 ",
        "-0.75       ",
    ]


@pytest.mark.parametrize(
    ("in_channels", "zoom", "header"),
    [(2, Zoom.NUMBER_4, " out in 0 in 1"), (11, Zoom.NUMBER_4, "  in  0    1 "), (2, Zoom.HALF, " in 0 ")],
)
def test_the_corner_names_the_axis_where_the_labels_do_not(in_channels: int, zoom: Zoom, header: str) -> None:
    grid = painter(torch.zeros(1, in_channels, 1, 1), zoom)
    assert texts(grid)[0].startswith(header)


def test_half_blocks_hold_two_weights() -> None:
    grid = painter(torch.tensor([[[[1.0, -1.0], [-1.0, 1.0], [0.5, 0.0]]]]), Zoom.HALF)
    _, first, second = lines(grid)
    gutter = grid.geometry.gutter
    assert first.text[gutter:] == "▀▀"
    up, down = (DARK.colours[level].rich_color for level in (LEVELS, -LEVELS))
    # The cursor stands on the first weight.
    white = DARK.colours[CURSOR].rich_color
    assert styles(first, gutter) == [Style(color=white, bgcolor=down), Style(color=down, bgcolor=up)]
    assert second.text[gutter:] == "▀▀"
    half, zero = (DARK.colours[level].rich_color for level in (LEVELS // 2, 0))
    assert styles(second, gutter) == [GROUND + Style(color=half), GROUND + Style(color=zero)]


def test_a_norm_is_the_root_mean_square_of_a_kernel() -> None:
    weight = torch.zeros(2, 3, 2, 2)
    weight[0, 1] = 0.5  # four taps of 0.5: rms 0.5
    weight[1, 2, 0, 0] = -2.0  # one of -2 among four: rms 1
    grid = painter(weight, Zoom.NORM)
    _, line = lines(grid)
    zero, half, full = (DARK.colours[level].rich_color for level in (0, LEVELS // 2, LEVELS))
    assert styles(line, grid.geometry.gutter)[1:] == [
        Style(color=half, bgcolor=zero),
        Style(color=full, bgcolor=zero),
    ]
    assert line.text.endswith("▀▄")


def test_values_that_are_no_number_or_beyond_the_scale_are_marked_in_digits() -> None:
    row = one_row(0.0, nan, inf, -inf, 1.5, -1.5, 1.0)
    grid = painter(row, Zoom.NUMBER_6)
    _, line = lines(grid)
    assert line.text == "out 0 " + "  0    nan  +inf  -inf  +1.50 -1.50 +1.00 "
    found = styles(line, 6)[6::6]
    full = [DARK.style(level, over=True) for level in (LEVELS, -LEVELS, LEVELS, -LEVELS)]
    assert found == [DARK.style(NAN), *full, DARK.style(LEVELS)]
    assert all(style is not None and style.underline for style in found[1:5])


@pytest.mark.parametrize(
    ("zoom", "palette", "text"),
    [
        (Zoom.PAIR, DARK, "  × +∞-∞▴ ▾       "),
        (Zoom.PAIR, Palette.monochrome(dark=True), "· × +∞-∞▴ ▾ + - · "),
        (Zoom.HALF, DARK, "▀×∞∞▀▀▀▀▀"),
        (Zoom.HALF, Palette.monochrome(dark=True), "·×∞∞▴▾+-·"),
        (Zoom.HALF, Palette.monochrome(dark=False), "·×∞∞▴▾+-·"),
    ],
)
def test_marks_without_digits(zoom: Zoom, palette: Palette, text: str) -> None:
    grid = painter(one_row(0.0, nan, inf, -inf, 1.5, -1.5, 0.5, -0.5, 0.0), zoom, palette=palette)
    assert texts(grid)[1][grid.geometry.gutter :] == text


def test_a_half_block_shows_its_mark_whichever_half_has_it() -> None:
    grid = painter(torch.tensor([[[[0.0, nan, 0.0, 1.0, inf], [0.0, 0.0, nan, -inf, nan]]]]), Zoom.HALF)
    assert texts(grid)[1][grid.geometry.gutter :] == "▀××∞×"


def test_norms_without_colour_are_shades() -> None:
    weight = torch.tensor([0.0, 0.1, 0.5, 0.75, 1.0, -3.0, nan]).reshape(1, 7, 1, 1)
    grid = painter(weight, Zoom.NORM, palette=Palette.monochrome(dark=True))
    assert texts(grid)[1][grid.geometry.gutter :] == "·░▒▓██×"


@pytest.mark.parametrize("zoom", [Zoom.NUMBER_8, Zoom.NUMBER_6, Zoom.NUMBER_4, Zoom.PAIR])
def test_the_cursor_and_the_mouse_light_up_one_cell(zoom: Zoom) -> None:
    grid = painter(torch.full((2, 2, 3, 3), 0.5), zoom)
    cursor, hover = Tap(1, 0, 2, 1), Tap(0, 1, 0, 2)
    drawn = lines(grid, Marks(cursor, hover))[1:]
    for tap, level in ((cursor, CURSOR), (hover, HOVER)):
        region = grid.geometry.region(tap)
        lit = {
            (x, y)
            for y, line in enumerate(drawn)
            for x, style in enumerate(styles(line, grid.geometry.gutter))
            if style == DARK.style(level)
        }
        assert lit == {(x, region.y) for x in range(region.x, region.right)}


@pytest.mark.parametrize("zoom", [Zoom.HALF, Zoom.NORM])
def test_the_cursor_lights_up_one_half(zoom: Zoom) -> None:
    grid = painter(torch.full((2, 2, 3, 3), 0.5), zoom)
    cursor = Tap(1, 1, 1, 2)
    x, y = grid.geometry.region(cursor).offset
    plain, lit = (lines(grid, Marks(tap))[1 + y] for tap in (Tap(0, 0, 0, 0), cursor))
    changed = [
        column
        for column, (before, after) in enumerate(
            zip(styles(plain, grid.geometry.gutter), styles(lit, grid.geometry.gutter), strict=True)
        )
        if before != after
    ]
    assert x in changed
    style = styles(lit, grid.geometry.gutter)[x]
    assert style is not None
    assert cells(lit, grid.geometry.gutter)[x][0] == "▄"
    assert style.color == DARK.colours[CURSOR].rich_color
    assert style.bgcolor == DARK.colours[LEVELS // 2].rich_color


def test_of_two_halves_the_fainter_is_the_background() -> None:
    weight = torch.tensor([[0.25, 1.0], [-1.0, 0.5]]).reshape(1, 1, 2, 2)
    grid = painter(weight, Zoom.HALF)
    _, line = lines(grid, Marks(Tap(0, 0, 1, 0)))
    assert line.text.endswith("▄▀")
    faint, full = (DARK.colours[level].rich_color for level in (LEVELS // 2, LEVELS))
    assert styles(line, grid.geometry.gutter)[1] == Style(color=full, bgcolor=faint)


@pytest.mark.parametrize("zoom", [Zoom.NUMBER_6, Zoom.PAIR])
def test_exact_zero_has_the_fainter_ink(zoom: Zoom) -> None:
    grid = painter(one_row(1.0, 0.0, -0.0, 1e-9), zoom)
    found = styles(lines(grid)[1], grid.geometry.gutter)[zoom.columns :: zoom.columns]
    assert found == [DARK.zero, DARK.zero, DARK.style(0)]


def test_the_labels_of_the_cursor_stand_out() -> None:
    grid = painter(torch.zeros(2, 2, 3, 3), Zoom.NUMBER_4)
    here = [
        segment.text.strip()
        for line in lines(grid, Marks(Tap(1, 0, 0, 0)))
        for segment in line
        if segment.style == LABEL_HERE
    ]
    assert here == ["in 0", "1"]


def test_a_number_cut_by_the_window_is_left_out() -> None:
    grid = painter(one_row(0.125, -0.25, 0.5), Zoom.NUMBER_6)
    assert texts(grid, window=Region(2, 0, 10, 1))[1] == "out 0     -0.25 "
    assert texts(grid, window=Region(0, 0, 11, 1))[1] == "out 0 +0.12 -0.25"
    assert texts(grid, window=Region(0, 0, 10, 1))[1] == "out 0 +0.12     "
    _, line = lines(grid, Marks(Tap(0, 0, 0, 2)), Region(2, 0, 10, 1))
    assert styles(line, 6)[:4] == [DARK.style(2)] * 4


PALETTES = [
    Palette.of(dark=dark, monochrome=monochrome) for dark in (True, False) for monochrome in (False, True)
]


@settings(deadline=None)
@given(
    st.tuples(*[st.integers(1, 9)] * 2, *[st.integers(1, 5)] * 2),
    st.sampled_from(Zoom),
    st.sampled_from(PALETTES),
    st.booleans(),
    st.builds(Region, st.integers(0, 60), st.integers(0, 40), st.integers(0, 50), st.integers(0, 12)),
)
def test_every_line_fills_its_window_and_every_segment_has_a_background(
    shape: tuple[int, int, int, int], zoom: Zoom, palette: Palette, has_bias: bool, window: Region
) -> None:
    weight = torch.linspace(-1.5, 1.5, torch.Size(shape).numel()).reshape(shape)
    grid = painter(weight, zoom, palette=palette, bias=[0.5] * shape[0] if has_bias else None)
    whole = texts(grid)
    for y, line in enumerate(lines(grid, window=window)):
        assert line.cell_length == len(line.text) == grid.geometry.gutter + window.width
        assert all(is_styled(segment) for segment in line)
        row = window.y + y - 1
        if y and row < grid.geometry.body.height and not zoom.has_numbers:
            body = whole[1 + row][grid.geometry.gutter :]
            assert line.text[grid.geometry.gutter :].rstrip() == body[window.x : window.right].rstrip()


def is_styled(segment: Segment) -> bool:
    return segment.style is not None and segment.style.bgcolor is not None
