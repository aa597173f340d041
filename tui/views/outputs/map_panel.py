"""One map of the outputs' view: a titled frame around a grid of pixels, its colour scale written under it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content

from tui.widgets.grid.heat_grid import HeatGrid
from tui.widgets.grid.labels import Labels
from tui.widgets.grid.weight_source import WeightSource

if TYPE_CHECKING:
    from torch import Tensor


class MapPanel(Vertical):
    """A map (1, 1, H, W) with its rows and columns numbered: by them one knows which part is in sight."""

    DEFAULT_CSS = """
    MapPanel {
        border: round $border-blurred;
        border-title-color: $text-muted;
        border-subtitle-color: $text-muted;
        border-subtitle-align: left;
        & HeatGrid { height: 1fr; width: 1fr; background: $background; scrollbar-size: 0 0; }
    }
    MapPanel.-difference { border: round $foreground 60%; border-title-color: $foreground; }
    MapPanel:focus-within {
        border: round $primary; border-title-style: bold; border-title-color: $foreground;
    }
    """

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.grid = HeatGrid()
        self.grid.labels = Labels.PIXELS

    def compose(self) -> ComposeResult:
        """The grid."""
        yield self.grid

    def show(self, image: Tensor | None, scale: float, title: str, caption: str) -> None:
        """Put a map into the grid, None for none; `scale` is the |value| that has full colour."""
        self.grid.source = None if image is None else WeightSource.of(image)
        self.grid.scale = scale
        self.border_title = Content(title)
        self.border_subtitle = Content(caption)
