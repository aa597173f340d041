from __future__ import annotations

import pytest
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.geometry import Offset

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
from tui.widgets.grid.palette import CURSOR, HOVER, Palette
from tui.widgets.grid.zoom import Zoom


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (["right"], Tap(0, 0, 1, 2)),
        (["right", "right"], Tap(0, 1, 1, 0)),
        (["l", "l"], Tap(0, 1, 1, 0)),
        (["left"], Tap(0, 0, 1, 0)),
        (["h"], Tap(0, 0, 1, 0)),
        (["down", "down"], Tap(1, 0, 0, 1)),
        (["j"], Tap(0, 0, 2, 1)),
        (["up"], Tap(0, 0, 0, 1)),
        (["k"], Tap(0, 0, 0, 1)),
        (["pagedown"], Tap(1, 0, 1, 1)),
        (["pagedown", "pageup"], Tap(0, 0, 1, 1)),
        (["end"], Tap(1, 1, 2, 2)),
        (["end", "home"], Tap(0, 0, 0, 0)),
    ],
)
async def test_keys_walk_through_the_taps(keys: list[str], expected: Tap) -> None:
    app = GridApp(counted(2, 2, 3, 3), cursor=Tap(0, 0, 1, 1))
    async with app.run_test(size=(50, 8)) as pilot:
        app.grid.focus()
        await press(pilot, *keys)
        assert app.grid.cursor == expected
        assert lit(app, CURSOR, Palette.dark()) == cells_of(app, expected)


async def test_keys_at_norm_walk_through_the_kernels() -> None:
    app = GridApp(counted(4, 4, 3, 3), cursor=Tap(0, 0, 1, 2), zoom=Zoom.NORM)
    async with app.run_test(size=(50, 8)) as pilot:
        await press(pilot, "right", "down", "down")
        assert app.moves == [Tap(0, 1, 1, 2), Tap(1, 1, 1, 2), Tap(2, 1, 1, 2)]


async def test_the_owner_moves_the_cursor_not_the_grid() -> None:
    app = GridApp(counted(2, 2, 3, 3), follow=False)
    async with app.run_test(size=(50, 8)) as pilot:
        await press(pilot, "right")
        await pilot.hover(HeatGrid, offset=(20, 3))
        assert app.moves == [Tap(0, 0, 0, 1)]
        assert app.hovers
        assert (app.grid.cursor, app.grid.hover) == (Tap(0, 0, 0, 0), None)


async def test_nothing_is_asked_for_at_the_end() -> None:
    app = GridApp(counted(2, 2, 3, 3))
    async with app.run_test(size=(50, 8)) as pilot:
        await press(pilot, "left", "up", "pageup", "home")
        assert app.moves == []


async def test_a_cursor_outside_the_weight_shows_at_its_nearest_tap() -> None:
    app = GridApp(counted(2, 2, 3, 3), cursor=Tap(5, 5, 5, 5), hover=Tap(0, 0, 0, 9))
    async with app.run_test(size=(50, 8)) as pilot:
        assert lit(app, CURSOR, Palette.dark()) == cells_of(app, Tap(1, 1, 2, 2))
        assert lit(app, HOVER, Palette.dark()) == cells_of(app, Tap(0, 0, 0, 2))
        await press(pilot, "left")
        assert app.moves == [Tap(1, 1, 2, 1)]


@pytest.mark.parametrize("zoom", Zoom)
async def test_a_click_asks_for_the_tap_under_the_mouse(zoom: Zoom) -> None:
    app = GridApp(counted(3, 3, 3, 3), zoom=zoom)
    async with app.run_test(size=(160, 50)) as pilot:
        wanted = Tap(2, 1, 1, 1) if zoom is Zoom.NORM else Tap(1, 2, 2, 1)
        await pilot.click(HeatGrid, offset=max(cells_of(app, wanted)))
        assert app.moves == [wanted]


async def test_a_click_beside_the_tiles_asks_for_nothing() -> None:
    app = GridApp(counted(2, 2, 3, 3))
    async with app.run_test(size=(80, 24)) as pilot:
        for place in ((2, 2), (10, 0), (8 + 30, 2), (10, 7), (75, 20)):
            await pilot.click(HeatGrid, offset=place)
        assert app.moves == []


async def test_places_are_right_inside_a_border_and_scrolled() -> None:
    class Framed(GridApp):
        CSS = "HeatGrid { border: round white; padding: 1 2; }"

    app = Framed(counted(9, 9, 3, 3), zoom=Zoom.NUMBER_4, cursor=Tap(8, 8, 2, 2))
    async with app.run_test(size=(50, 16)) as pilot:
        await settle(pilot)
        assert app.grid.scroll_offset == Offset(app.grid.max_scroll_x, app.grid.max_scroll_y)
        for wanted, corner in ((Tap(7, 7, 1, 0), min), (Tap(7, 7, 0, 2), max)):
            await pilot.click(HeatGrid, offset=corner(cells_of(app, wanted)) + Offset(3, 2))
            assert app.moves.pop() == wanted


async def test_the_mouse_is_followed_and_its_leaving_told() -> None:
    class Two(GridApp):
        CSS = "#above { height: 4; }"

        def compose(self) -> ComposeResult:
            yield Vertical(id="above")
            yield self.grid

    app = Two(counted(2, 2, 3, 3))
    async with app.run_test(size=(60, 14)) as pilot:
        over, beside = Tap(0, 1, 2, 0), (2, 1)
        await pilot.hover(HeatGrid, offset=min(cells_of(app, over)))
        assert lit(app, HOVER, Palette.dark()) == cells_of(app, over)
        await pilot.hover(HeatGrid, offset=min(cells_of(app, over)) + Offset(1, 0))
        await pilot.hover(HeatGrid, offset=beside)
        await pilot.hover(HeatGrid, offset=min(cells_of(app, over)))
        await pilot.hover("#above")
        assert app.hovers == [over, None, over, None]
        assert not lit(app, HOVER, Palette.dark())


def test_of_several_places_of_the_mouse_only_the_last_counts() -> None:
    grid = HeatGrid()
    first, last = HeatGrid.Hovered(grid, Tap(0, 0, 0, 0)), HeatGrid.Hovered(grid, None)
    assert first.can_replace(last)
    assert not first.can_replace(HeatGrid.CursorMoved(grid, Tap(0, 0, 0, 0)))


async def test_it_scrolls_only_as_far_as_the_cursor_needs() -> None:
    app = GridApp(counted(8, 8, 3, 3), zoom=Zoom.NUMBER_6)
    async with app.run_test(size=(50, 12)) as pilot:
        await press(pilot, *["right"] * 5)
        assert app.grid.scroll_offset == Offset(0, 0)
        await press(pilot, "right")
        assert app.grid.cursor == Tap(0, 2, 0, 0)
        # The whole of the new kernel is seen, at the window's right end.
        tile = geometry_of(app).tile_region(app.grid.cursor)
        assert (app.grid.window.right, app.grid.window.y) == (tile.right, 0)
        before = app.grid.scroll_offset
        await press(pilot, "left", "right", "right")
        assert app.grid.scroll_offset == before
        await press(pilot, "end")
        assert is_in_sight(app, Tap(7, 7, 2, 2))
        await press(pilot, "home")
        assert app.grid.scroll_offset == Offset(0, 0)


async def test_the_bias_below_a_kernel_one_row_high_is_seen_with_it() -> None:
    app = GridApp(counted(16, 2, 1, 1), zoom=Zoom.NUMBER_4, bias=[0.5] * 16)
    async with app.run_test(size=(30, 9)) as pilot:
        await press(pilot, "end")
        assert [line[:5].strip() for line in screen_lines(app)[-2:]] == ["15", "+.50"]


@pytest.mark.parametrize("zoom", Zoom)
async def test_the_cursor_stays_in_sight_through_a_change_of_zoom(zoom: Zoom) -> None:
    app = GridApp(counted(40, 40, 3, 3), cursor=Tap(33, 21, 1, 1), zoom=Zoom.NORM)
    async with app.run_test(size=(50, 12)) as pilot:
        app.grid.zoom = zoom
        await settle(pilot)
        assert is_in_sight(app, app.grid.cursor)
        app.grid.zoom = None
        await settle(pilot)
        assert is_in_sight(app, app.grid.cursor)


async def test_header_and_gutter_stay_when_the_rest_scrolls() -> None:
    app = GridApp(counted(9, 9, 3, 3), zoom=Zoom.NUMBER_4, cursor=Tap(8, 8, 2, 2))
    async with app.run_test(size=(40, 9)) as pilot:
        await settle(pilot)
        lines = screen_lines(app)
        assert lines[0].split() == ["out", "in", "6", "in", "7", "in", "8"]
        assert [line[:5].strip() for line in lines[1:8]] == ["", "7", "", "", "", "8", ""]


def test_every_binding_can_be_rebound_and_explains_itself() -> None:
    bindings = list(HeatGrid.BINDINGS)
    assert all(
        not isinstance(binding, tuple) and binding.id and binding.tooltip and not binding.show
        for binding in bindings
    )
