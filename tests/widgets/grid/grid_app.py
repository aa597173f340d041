"""An app with one grid, and what a test asks of it."""

from __future__ import annotations

from typing import Any

import torch
from textual import on
from textual.app import App, ComposeResult
from textual.geometry import Offset, Region

from tui.fusion.tap import Tap
from tui.widgets.grid.geometry import HEADER, GridGeometry
from tui.widgets.grid.heat_grid import HeatGrid
from tui.widgets.grid.palette import Palette
from tui.widgets.grid.weight_source import WeightSource


class GridApp(App[None]):
    """One grid that follows its own messages, as an owner would make it do."""

    CSS = "HeatGrid { background: #101214; }"

    def __init__(
        self, weight: Any, *, follow: bool = True, grid: HeatGrid | None = None, **attributes: Any
    ) -> None:
        super().__init__()
        self.grid = grid or HeatGrid()
        self.grid.source = WeightSource.of(weight)
        for name, value in attributes.items():
            setattr(self.grid, name, value)
        self.follow = follow
        self.moves: list[Tap] = []
        self.hovers: list[Tap | None] = []

    def compose(self) -> ComposeResult:
        yield self.grid

    @on(HeatGrid.CursorMoved)
    def _move(self, event: HeatGrid.CursorMoved) -> None:
        self.moves.append(event.tap)
        if self.follow:
            self.grid.cursor = event.tap

    @on(HeatGrid.Hovered)
    def _hover(self, event: HeatGrid.Hovered) -> None:
        self.hovers.append(event.tap)
        if self.follow:
            self.grid.hover = event.tap


def counted(*shape: int) -> torch.Tensor:
    return torch.arange(torch.Size(shape).numel(), dtype=torch.float64).reshape(shape)


def screen_lines(app: GridApp) -> list[str]:
    """What the grid shows, row by row; painted as the compositor does it."""
    return [strip.text for strip in app.grid.render_lines(Region(0, 0, *app.grid.size))]


def lit(app: GridApp, level: int, palette: Palette) -> set[Offset]:
    """The cells of the grid in the style of a level."""
    style = palette.style(level)
    return {
        Offset(x, y)
        for y, strip in enumerate(app.grid.render_lines(Region(0, 0, *app.grid.size)))
        for x, found in enumerate(segment.style for segment in strip for _ in segment.text)
        if found is not None and (found.bgcolor, found.color) == (style.bgcolor, style.color)
    }


def cells_of(app: GridApp, tap: Tap) -> set[Offset]:
    """Where a tap stands in the widget."""
    grid, geometry = app.grid, geometry_of(app)
    region = geometry.region(tap).translate((geometry.gutter, HEADER)).translate(-grid.scroll_offset)
    return {Offset(x, y) for x in range(region.x, region.right) for y in range(region.y, region.bottom)}


def geometry_of(app: GridApp) -> GridGeometry:
    grid = app.grid
    assert grid.source is not None
    return GridGeometry(
        grid.source.shape, grid.zoom_in_effect, grid.bias is not None, grid.monochrome, grid.labels
    )


def is_in_sight(app: GridApp, tap: Tap) -> bool:
    return app.grid.window.contains_region(geometry_of(app).region(tap))
