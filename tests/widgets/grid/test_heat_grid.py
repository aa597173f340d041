from __future__ import annotations

from typing import Any, Self

import pytest
import torch
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.geometry import Region, Size
from textual.pilot import Pilot
from textual.strip import Strip

from tests.driver import press
from tests.settle import settle
from tests.widgets.grid.grid_app import (
    GridApp,
    cells_of,
    counted,
    geometry_of,
    is_in_sight,
    lit,
    screen_lines,
)
from tui.fusion.tap import Tap
from tui.widgets.grid.heat_grid import HeatGrid
from tui.widgets.grid.palette import Palette
from tui.widgets.grid.weight_source import WeightSource
from tui.widgets.grid.zoom import Zoom


class CountingWeight:
    """A weight that is stored nowhere and remembers how much of it was read."""

    def __init__(self, *shape: int) -> None:
        self.shape = shape
        self.reads: list[tuple[int, range, int | None]] = []
        """(out, the in channels, ky or None for all) of each slice."""

    def __getitem__(self, index: Any) -> torch.Tensor:
        out, in_, *rest = index
        channels = range(*in_.indices(self.shape[1]))
        self.reads.append((out, channels, rest[0] if rest else None))
        return torch.full((len(channels), *(self.shape[3:] if rest else self.shape[2:])), 0.5)

    @property
    def taps_read(self) -> int:
        height, width = self.shape[2:]
        return sum(
            len(channels) * width * (1 if ky is not None else height) for _, channels, ky in self.reads
        )


async def test_it_draws_the_weight_with_labels_and_bias() -> None:
    app = GridApp(counted(2, 2, 3, 3) / 64, bias=[0.125, -0.5])
    async with app.run_test(size=(50, 8)):
        assert [line.rstrip() for line in screen_lines(app)[:4]] == [
            "             in 0               in 1",
            "        0   +0.02 +0.03  +0.14 +0.16 +0.17",
            "out 0 +0.05 +0.06 +0.08  +0.19 +0.20 +0.22",
            "+0.12 +0.09 +0.11 +0.12  +0.23 +0.25 +0.27",
        ]


@pytest.mark.parametrize(
    ("size", "zoom"),
    [((60, 8), Zoom.NUMBER_8), ((50, 8), Zoom.NUMBER_6), ((38, 8), Zoom.NUMBER_5), ((20, 8), Zoom.PAIR)],
)
async def test_without_a_zoom_the_whole_weight_is_visible(size: tuple[int, int], zoom: Zoom) -> None:
    app = GridApp(counted(2, 2, 3, 3), bias=[0.0, 0.0])
    async with app.run_test(size=size):
        assert app.grid.zoom_in_effect is zoom
        assert app.grid.max_scroll_x == app.grid.max_scroll_y == 0
        assert all(is_in_sight(app, tap) for tap in (Tap(0, 0, 0, 0), Tap(1, 1, 2, 2)))


async def test_it_fits_anew_when_its_size_or_its_weight_changes() -> None:
    app = GridApp(counted(2, 2, 3, 3))
    levels = []
    async with app.run_test(size=(60, 8)) as pilot:
        levels.append(app.grid.zoom_in_effect)
        await pilot.resize_terminal(38, 8)
        levels.append(app.grid.zoom_in_effect)
        app.grid.source = WeightSource.of(counted(16, 16, 3, 3))
        await settle(pilot)
        levels.append(app.grid.zoom_in_effect)
    assert levels == [Zoom.NUMBER_8, Zoom.NUMBER_5, Zoom.NORM]


class RememberingGrid(HeatGrid):
    """Remembers at which levels it was painted."""

    def __init__(self) -> None:
        super().__init__()
        self.painted: list[Zoom] = []

    def render_lines(self, crop: Region) -> list[Strip]:
        """Note the level."""
        lines = super().render_lines(crop)
        self.painted.append(self.zoom_in_effect)
        return lines


async def test_no_frame_is_painted_at_a_level_that_does_not_fit() -> None:
    grid = RememberingGrid()
    app = GridApp(counted(2, 2, 3, 3), grid=grid)
    async with app.run_test(size=(60, 8)) as pilot:
        await settle(pilot)
        assert set(grid.painted) == {Zoom.NUMBER_8}
        grid.painted.clear()
        await pilot.resize_terminal(38, 8)
        await settle(pilot)
        assert set(grid.painted) == {Zoom.NUMBER_5}


async def test_a_zoom_that_is_set_is_kept() -> None:
    app = GridApp(counted(8, 8, 3, 3), zoom=Zoom.NUMBER_6)
    async with app.run_test(size=(60, 8)) as pilot:
        await pilot.resize_terminal(38, 8)
        assert app.grid.zoom_in_effect is Zoom.NUMBER_6
        assert app.grid.virtual_size == Size(6 + 8 * 19 - 1, 1 + 8 * 4 - 1)


async def test_it_takes_the_size_that_it_needs_where_it_may() -> None:
    class Auto(GridApp):
        CSS = "HeatGrid { width: auto; height: auto; border: round white; }"

        def compose(self) -> ComposeResult:
            yield Vertical(self.grid)

    app = Auto(counted(2, 2, 3, 3))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert app.grid.zoom_in_effect is Zoom.NUMBER_10
        assert app.grid.outer_size == Size(8 + 61 + 2, 14 + 2)


@pytest.mark.parametrize("zoom", Zoom)
async def test_an_empty_grid_is_blank(zoom: Zoom) -> None:
    app = GridApp(counted(2, 2, 3, 3), zoom=zoom)
    async with app.run_test(size=(50, 8)) as pilot:
        app.grid.source = None
        await press(pilot, "right", "pagedown", "end")
        await pilot.click(HeatGrid, offset=(20, 3))
        assert not "".join(screen_lines(app)).strip()
        assert app.moves == []


class SpiedGrid(HeatGrid):
    """Remembers what it was told to repaint."""

    def __init__(self) -> None:
        super().__init__()
        self.dirty: list[Region] = []

    def refresh(self, *regions: Region, **options: Any) -> Self:
        """Note the regions; without any it is the whole grid."""
        self.dirty.extend(regions or [self.size.region])
        return super().refresh(*regions, **options)


@pytest.mark.parametrize(("start", "toward"), [(Tap(0, 0, 0, 0), 1), (Tap(5, 6, 0, 0), -1)])
async def test_a_step_repaints_two_cells_and_the_labels_that_change(start: Tap, toward: int) -> None:
    grid = SpiedGrid()
    app = GridApp(counted(9, 9, 3, 3), grid=grid, zoom=Zoom.NUMBER_6, cursor=start)
    async with app.run_test(size=(50, 9)) as pilot:
        await settle(pilot)

        def cell(tap: Tap) -> Region:
            return Region.from_union([Region(place.x, place.y, 1, 1) for place in cells_of(app, tap)])

        right, below = start._replace(kx=1), start._replace(ky=1)
        grid.dirty.clear()
        grid.cursor = right
        assert grid.dirty == [cell(start), cell(right)]
        grid.dirty.clear()
        grid.hover = below
        assert grid.dirty == [cell(below)]
        grid.dirty.clear()
        grid.cursor = start._replace(in_=start.in_ + toward)
        assert grid.dirty[2:] == [Region(0, 0, 50, 1)]
        grid.dirty.clear()
        grid.cursor = start._replace(in_=start.in_ + toward, out=start.out + toward)
        assert grid.dirty[2:] == [Region(0, 1, 6, 9)]


async def walk(pilot: Pilot[None]) -> None:
    await press(pilot, "right", "down", "pagedown", "end", "up", "left")


@pytest.mark.parametrize("zoom", [*Zoom, None])
async def test_only_what_is_visible_is_read(zoom: Zoom | None) -> None:
    small, large = CountingWeight(64, 64, 7, 7), CountingWeight(512, 512, 7, 7)
    for weight in (small, large):
        app = GridApp(weight, zoom=zoom)
        async with app.run_test(size=(60, 20)) as pilot:
            weight.reads.clear()
            app.grid.refresh()
            await settle(pilot)
            check_a_frame(app, weight)
            await walk(pilot)
    assert large.taps_read == small.taps_read


def check_a_frame(app: GridApp, weight: CountingWeight) -> None:
    """A frame reads each visible row of pixels, and of it the kernels that reach into the window.

    Once, but for high cells, for each of their rows.
    """
    geometry, window = geometry_of(app), app.grid.window
    rows = {geometry.pixel_row(half) for half in range(2 * window.y, 2 * window.bottom)} - {None}
    tiles = geometry.tiles(window.x, window.right)
    assert len(tiles) <= window.width // geometry.pitch.width + 2
    whole_kernels = geometry.zoom is Zoom.NORM
    expected = sorted((row.out, None if whole_kernels else row.ky) for row in rows if row)
    read = [(out, ky) for out, _, ky in weight.reads]
    assert sorted(read if geometry.zoom.rows == 1 else set(read)) == expected
    assert {channels for _, channels, _ in weight.reads} == {tiles}


async def test_a_step_reads_no_more_than_the_rows_it_repaints() -> None:
    weight = CountingWeight(512, 512, 7, 7)
    app = GridApp(weight, zoom=Zoom.PAIR, cursor=Tap(0, 0, 3, 3))
    async with app.run_test(size=(60, 20)) as pilot:
        await settle(pilot)
        weight.reads.clear()
        await press(pilot, "down")
        assert [(out, ky) for out, _, ky in weight.reads] == [(0, 3), (0, 4)]


async def test_it_follows_theme_and_terminal() -> None:
    app = GridApp(counted(1, 1, 3, 3), zoom=Zoom.PAIR, scale=4.0)
    async with app.run_test(size=(30, 6)) as pilot:
        assert lit(app, 8, Palette.dark())
        app.grid.dark = False
        await settle(pilot)
        assert lit(app, 8, Palette.light())
        app.grid.monochrome = True
        await settle(pilot)
        assert screen_lines(app)[1][6:12] == "· + + "
        app.grid.scale = 1.5
        await settle(pilot)
        assert screen_lines(app)[1][6:12] == "· + ▴ "
        app.grid.styles.background = "#abcdef"
        await settle(pilot)
        gap = app.grid.render_lines(Region(0, 0, 30, 6))[5]
        assert {
            str(segment.style.bgcolor.name) for segment in gap if segment.style and segment.style.bgcolor
        } == {"#abcdef"}


def test_a_grid_without_an_app_can_be_made_and_set() -> None:
    grid = HeatGrid()
    grid.source = WeightSource.of(counted(2, 2, 3, 3))
    grid.cursor, grid.hover, grid.zoom = Tap(1, 1, 1, 1), Tap(0, 0, 0, 0), Zoom.PAIR
    assert grid.zoom_in_effect is Zoom.PAIR
