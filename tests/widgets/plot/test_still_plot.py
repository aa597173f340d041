"""A plot that is looked at takes neither the keys nor the wheel of what it stands in."""

from __future__ import annotations

import pytest
from textual.app import App, ComposeResult
from textual.containers import VerticalScroll
from textual.events import MouseScrollDown
from textual.widgets import Static
from textual_hires_canvas import Canvas

from tests.settle import settle
from tui.widgets.plot.still_plot import StillPlot


class Line(StillPlot):
    """A line from corner to corner."""

    drawn = 0

    def draw(self) -> None:
        self.drawn += 1
        self.clear()
        self.plot([0, 1], [0, 1], line_style=self.app.theme_variables["primary"])


class Scrolled(App[None]):
    CSS = "Line { height: 12; } Static { height: 30; }"

    def compose(self) -> ComposeResult:
        with VerticalScroll():
            yield Line()
            yield Static("below")


def painted(app: App[None]) -> set[str]:
    canvas = app.query_one("#plot", Canvas)
    return {char for line in range(canvas.size.height) for char in canvas.render_line(line).text}


async def test_the_wheel_over_it_scrolls_what_is_around_it() -> None:
    app = Scrolled()
    async with app.run_test(size=(60, 20)) as pilot:
        scroll, plot = app.query_one(VerticalScroll), app.query_one(Line)
        before = plot._x_min, plot._x_max
        await pilot._post_mouse_events([MouseScrollDown], Canvas, offset=(20, 5))
        await settle(pilot)
        assert scroll.scroll_target_y > 0
        assert (plot._x_min, plot._x_max) == before


async def test_it_takes_no_focus_and_is_drawn_at_once_and_in_each_theme() -> None:
    app = Scrolled()
    async with app.run_test(size=(60, 20)) as pilot:
        await settle(pilot)
        plot = app.query_one(Line)
        assert plot.drawn == 1
        assert "█" in painted(app)
        await pilot.press("tab", "tab")
        assert app.focused is app.query_one(VerticalScroll)
        app.theme = "textual-light"
        await settle(pilot)
        assert plot.drawn == 2


async def test_it_grows_where_colours_are_filtered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = Scrolled()
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.resize_terminal(90, 30)
        app.query_one(Line).styles.height = 20
        await settle(pilot)
        assert "█" in painted(app)
