"""A grid of a map: rows and columns numbered, and elements lit together."""

from __future__ import annotations

from math import inf, nan
from typing import Any, Self

import pytest
import torch
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip

from tests.widgets.grid.grid_app import GridApp, counted, screen_lines
from tui.fusion.tap import Tap
from tui.widgets.grid.geometry import GridGeometry
from tui.widgets.grid.heat_grid import HeatGrid
from tui.widgets.grid.labels import Labels
from tui.widgets.grid.lit import Lit
from tui.widgets.grid.painter import GridPainter, Marks
from tui.widgets.grid.palette import CURSOR, LEVELS, NAN, Look, Palette
from tui.widgets.grid.weight_source import WeightSource
from tui.widgets.grid.zoom import Zoom

GROUND = Style(color="#cccccc", bgcolor="#101214")
LABEL = Style(color="#808080", bgcolor="#101214")
LABEL_HERE = Style(color="#ffffff", bgcolor="#101214", bold=True)
DARK = Palette.dark()
FIRST = Tap(0, 0, 0, 0)


def painter(image: torch.Tensor, zoom: Zoom, *, palette: Palette = DARK, labels: Labels) -> GridPainter:
    geometry = GridGeometry((*image.shape,), zoom, signs=palette.signs, labels=labels)
    look = Look(palette, GROUND, LABEL, LABEL_HERE)
    return GridPainter(WeightSource.of(image), geometry, look, 1.0)


def lines(
    image: torch.Tensor,
    zoom: Zoom,
    *,
    lit: Lit | None = None,
    cursor: Tap = FIRST,
    window: Region | None = None,
    palette: Palette = DARK,
    labels: Labels = Labels.PIXELS,
) -> list[Strip]:
    grid = painter(image, zoom, palette=palette, labels=labels)
    window = window or Region(0, 0, *grid.geometry.body)
    marks = Marks(cursor, lit=lit)
    return [grid.header(window, marks), *(grid.line(y, window, marks) for y in window.line_range)]


def texts(drawn: list[Strip]) -> list[str]:
    return [line.text.rstrip() for line in drawn]


def quarter(height: int, width: int) -> torch.Tensor:
    return torch.full((1, 1, height, width), 0.25, dtype=torch.float64)


def test_rows_and_columns_are_numbered() -> None:
    assert texts(lines(counted(1, 1, 2, 3) / 8, Zoom.NUMBER_6)) == [
        "    0     1     2",
        "0   0   +0.12 +0.25",
        "1 +0.38 +0.50 +0.62",
    ]


def test_numbers_are_thinned_and_that_of_the_cursor_is_always_there() -> None:
    header, *rows = lines(quarter(12, 21), Zoom.HALF, cursor=Tap(0, 0, 5, 9))
    assert header.text.rstrip() == "   0        9      16"
    assert [row.text[:2] for row in rows] == [" 0", "  ", " 5", "  ", " 8", "  "]
    bold = [segment.text for segment in [*header, *rows[2]] if segment.style == LABEL_HERE]
    assert [text.strip() for text in bold] == ["9", "5"]


def test_numbers_follow_the_window() -> None:
    header, first, _ = lines(quarter(400, 400), Zoom.NUMBER_4, window=Region(4 * 300, 99, 12, 2))
    assert header.text == "    300 301 302 "
    assert first.text == " 99 +.25+.25+.25"


@pytest.mark.parametrize("start", range(6))
def test_a_wide_map_scrolls_column_by_column(start: int) -> None:
    image = torch.linspace(-1, 1, 200, dtype=torch.float64).reshape(1, 1, 1, 200)
    _, whole = lines(image, Zoom.NUMBER_6)
    _, part = lines(image, Zoom.NUMBER_6, window=Region(600 + start, 0, 60, 1))
    cells = "".join(segment.text for segment in whole)[2 + 600 + start :][:60]
    shown = part.text[2:]
    # Numbers that are cut are blank; all others stand where they stand in the whole.
    assert len(shown) == 60
    assert all(b in (a, " ") for a, b in zip(cells, shown, strict=True))
    assert len(shown.split()) >= 9


CROSS = Lit(range(1, 2), range(1, 3))


@pytest.mark.parametrize(
    ("zoom", "drawn"),
    [
        (Zoom.NUMBER_8, "1 +0.2500[+0.2500 +0.2500]+0.2500"),
        (Zoom.NUMBER_6, "1 +0.25[+0.25 +0.25]+0.25"),
        (Zoom.NUMBER_4, "1 +.25+.25+.25+.25"),
        (Zoom.PAIR, "1  [   ]"),
    ],
)
def test_what_is_lit_is_bold_and_green_and_stands_in_brackets(zoom: Zoom, drawn: str) -> None:
    _, above, row, _ = lines(quarter(3, 4), zoom, lit=CROSS)
    assert row.text.rstrip() == drawn
    green = DARK.style(LEVELS // 4, lit=True)
    assert [segment.style == green for segment in row if segment.style not in (LABEL, GROUND)] == [
        False,
        True,
        True,
        False,
    ]
    assert not any(segment.style == green for segment in above)


def test_brackets_at_the_edges_and_around_single_elements() -> None:
    assert texts(lines(quarter(1, 3), Zoom.PAIR, lit=Lit(range(1), range(3))))[1] == "0[     ]"
    assert texts(lines(quarter(1, 5), Zoom.PAIR, lit=Lit(range(1), range(0, 5, 2))))[1] == "0[ ] [ ] [ ]"
    assert texts(lines(quarter(1, 5), Zoom.PAIR, lit=Lit(range(1), range(0))))[1].strip() == "0"


def test_in_half_blocks_each_half_is_lit_by_itself() -> None:
    image = quarter(4, 2)
    image[0, 0, 3, 0] = nan
    image[0, 0, 3, 1] = inf
    _, first, last = lines(image, Zoom.HALF, lit=Lit(range(1, 4, 2), range(2)), cursor=Tap(0, 0, 0, 0))
    plain, green = DARK.colours[LEVELS // 4].rich_color, DARK.lit_colours[LEVELS // 4].rich_color
    beside = list(first)[-1].style
    assert beside is not None
    assert (beside.color, beside.bgcolor) == (green, plain)
    assert list(first)[-1].text == "▄"
    assert [segment.text for segment in last][-2:] == ["×", "∞"]
    assert list(last)[-2].style == DARK.style(NAN, lit=True)


def test_in_half_blocks_the_cursor_stands_in_its_column_of_a_window() -> None:
    _, row = lines(quarter(2, 90), Zoom.HALF, cursor=Tap(0, 0, 0, 52), window=Region(50, 0, 9, 1))
    white = DARK.colours[CURSOR].rich_color
    shown = [segment.style for segment in row for _ in segment.text][2:]
    assert [bool(style and style.color == white) for style in shown].index(True) == 2


def test_without_colours_a_lit_sign_is_bold() -> None:
    palette = Palette.monochrome(dark=True)
    _, row = lines(quarter(1, 3), Zoom.HALF, lit=Lit(range(1), range(1, 2)), palette=palette)
    assert [bool(segment.style and segment.style.bold) for segment in list(row)[-2:]] == [True, False]


def test_only_one_kernel_of_a_weight_is_lit() -> None:
    weight = torch.full((2, 2, 2, 2), 0.25)
    lit = Lit(range(2), range(2), tile=(0, 1))
    drawn = texts(lines(weight, Zoom.PAIR, lit=lit, labels=Labels.CHANNELS))
    assert drawn == ["      in 0 in 1", "out 0     [   ]", "          [   ]", "", "out 1", ""]
    unlit = lines(weight, Zoom.NORM, labels=Labels.CHANNELS)
    assert lines(weight, Zoom.NORM, lit=lit, labels=Labels.CHANNELS) == unlit
    assert Tap(0, 1, 0, 0) in lit
    assert Tap(1, 1, 0, 0) not in lit


async def test_the_widget_numbers_moves_and_lights() -> None:
    app = GridApp(quarter(40, 8), labels=Labels.PIXELS, zoom=Zoom.PAIR)
    async with app.run_test(size=(30, 11)) as pilot:
        await pilot.press("right", "pagedown")
        assert app.moves == [Tap(0, 0, 0, 1), Tap(0, 0, 10, 1)]
        app.grid.lit = Lit(range(9, 12), range(2, 4))
        await pilot.pause()
        shown = [line.rstrip() for line in screen_lines(app)]
    # It has scrolled as far as to show all that is lit.
    assert [line for line in shown if "[" in line] == [" 9    [   ]", "10    [   ]", "11    [   ]"]


class SpiedGrid(HeatGrid):
    """Remembers what it was told to repaint."""

    def __init__(self) -> None:
        super().__init__()
        self.dirty: list[Region] = []

    def refresh(self, *regions: Region, **options: Any) -> Self:
        """Note the regions."""
        self.dirty.extend(regions)
        return super().refresh(*regions, **options)


async def test_a_step_repaints_the_numbers_that_it_makes_bold() -> None:
    grid = SpiedGrid()
    app = GridApp(quarter(4, 4), grid=grid, labels=Labels.PIXELS, zoom=Zoom.PAIR)
    async with app.run_test(size=(30, 11)) as pilot:
        for key, numbers in (("right", Region(0, 0, 30, 1)), ("down", Region(0, 1, 2, 11))):
            grid.dirty.clear()
            await pilot.press(key)
            assert numbers in grid.dirty
