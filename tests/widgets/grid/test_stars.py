"""A star stands in the cell of every number that has one, at every zoom level."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from rich.style import Style
from textual.geometry import Region

from tui.fusion.tap import Tap
from tui.widgets.grid.geometry import GridGeometry
from tui.widgets.grid.painter import GridPainter, Marks
from tui.widgets.grid.palette import Look, Palette
from tui.widgets.grid.weight_source import WeightSource
from tui.widgets.grid.zoom import Zoom

PLAIN = Style(color="#cccccc", bgcolor="#101214")
FIRST = Marks(Tap(0, 0, 0, 0))
WEIGHT = torch.tensor([[[[0.5, -0.25], [0.0, 1.5]]], [[[0.1, 0.2], [0.3, -0.4]]]], dtype=torch.float64)


@dataclass
class Stars:
    taps: frozenset[Tap] = frozenset()
    biases: frozenset[int] = frozenset()

    def row(self, out: int, ky: int, in_start: int, in_stop: int) -> list[list[bool]]:
        return [[Tap(out, in_, ky, kx) in self.taps for kx in range(2)] for in_ in range(in_start, in_stop)]

    def bias(self, out: int) -> bool:
        return out in self.biases


def texts(zoom: Zoom, stars: Stars, palette: Palette | None = None, marks: Marks = FIRST) -> list[str]:
    """The lines of the body, each without its label."""
    palette = palette or Palette.dark()
    geometry = GridGeometry((2, 1, 2, 2), zoom, True, palette.signs)
    source = WeightSource(WEIGHT, (2, 2), stars)
    grid = GridPainter(source, geometry, Look(palette, PLAIN, PLAIN, PLAIN), 1.0, [0.125, -0.5])
    window = Region(0, 0, *geometry.body)
    return [grid.line(y, window, marks).text[geometry.label_width :] for y in range(geometry.body.height)]


STARRED = Stars(frozenset({Tap(0, 0, 1, 0), Tap(1, 0, 0, 1)}), frozenset({1}))


@pytest.mark.parametrize(
    ("zoom", "lines"),
    [
        (
            Zoom.NUMBER_8,
            [" +0.5000 -0.2500", "    0   *+1.5000", "", " +0.1000 +0.2000*", "*+0.3000 -0.4000"],
        ),
        (Zoom.NUMBER_6, [" +0.50 -0.25 ", "   0  *+1.50 ", " " * 13, " +0.10 +0.20*", "*+0.30 -0.40 "]),
        (Zoom.NUMBER_4, [" +.50-.25", "  0 *+1.5", " " * 9, " +.10+.2*", "*+.30-.40"]),
        (Zoom.PAIR, ["     ", "  *▴ ", "     ", "    *", "*    "]),
    ],
)  # fmt: skip
def test_a_star_takes_the_last_column_of_its_cell(zoom: Zoom, lines: list[str]) -> None:
    assert [line.rstrip() for line in texts(zoom, STARRED)] == [line.rstrip() for line in lines]


def test_a_star_takes_a_whole_half_block_cell() -> None:
    assert texts(Zoom.HALF, Stars(frozenset({Tap(0, 0, 1, 1), Tap(1, 0, 0, 1)})))[0].strip() == "▀*"


def test_the_cursor_is_seen_before_a_star() -> None:
    stars = Stars(frozenset({Tap(0, 0, 1, 1)}))
    assert texts(Zoom.HALF, stars, marks=Marks(Tap(0, 0, 0, 1)))[0].strip() == "▀▀"


def test_a_kernel_of_one_pixel_has_the_star_of_any_of_its_taps() -> None:
    elsewhere = Marks(Tap(9, 0, 0, 0))
    assert "*" in texts(Zoom.NORM, Stars(frozenset({Tap(1, 0, 1, 1)})), marks=elsewhere)[0]
    assert "*" not in texts(Zoom.NORM, Stars())[0]
    without_colours = texts(Zoom.NORM, Stars(frozenset({Tap(1, 0, 1, 1)})), Palette.monochrome(dark=True))
    assert ["*" in line for line in without_colours] == [False, True]
