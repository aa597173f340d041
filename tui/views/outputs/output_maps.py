"""The four maps of the outputs' view: what is in them, and how they share the room and scroll together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.geometry import Size

from tui.views.outputs.map_layout import columns_for, rows_of
from tui.views.outputs.map_panel import MapPanel
from tui.views.shared.units import unit_of
from tui.widgets.grid.geometry import HEADER, legible
from tui.widgets.grid.heat_grid import HeatGrid
from tui.widgets.grid.labels import Labels
from tui.widgets.grid.number_format import precise
from tui.widgets.grid.zoom import Zoom

if TYPE_CHECKING:
    from torch import Tensor

    from tui.analysis.numerics.pixel import Pixel
    from tui.analysis.outputs.channel_maps import ChannelMaps


LEAST_ROWS = 4
"""Rows of a map that are worth its frame."""


class OutputMaps(Container):
    """Input, unfused output, fused output, and difference or share of the budget, each a MapPanel."""

    DEFAULT_CSS = """
    OutputMaps {
        layout: grid; grid-size: 2; grid-rows: 1fr; height: 1fr;
        &.-columns-4 { grid-size: 4; }
        &.-single { grid-size: 1; }
    }
    .-narrow OutputMaps, .-low OutputMaps {
        & MapPanel { border: none; border-top: solid $border-blurred; border-bottom: blank; }
        & MapPanel.-difference { border: none; border-top: solid $foreground 60%; border-bottom: blank; }
        & MapPanel:focus-within { border: none; border-top: solid $primary; border-bottom: blank; }
    }
    """
    SCOPED_CSS = False

    zoom: Zoom | None = None
    """The level that was chosen for all maps."""
    one: bool = False
    """Whether a person wants to see one map only."""

    def compose(self) -> ComposeResult:
        """The panels."""
        yield MapPanel(id="map-input")
        yield MapPanel(id="map-unfused")
        yield MapPanel(id="map-fused")
        yield MapPanel(id="map-difference").add_class("-difference")

    @property
    def panels(self) -> list[MapPanel]:
        """In that order."""
        return list(self.query(MapPanel))

    @property
    def source(self) -> HeatGrid:
        """The map of the input."""
        return self.panels[0].grid

    @property
    def outputs(self) -> list[HeatGrid]:
        """The three maps of the output, the difference last."""
        return [panel.grid for panel in self.panels[1:]]

    def show(self, maps: ChannelMaps, pixel: Pixel, in_channel: int, *, batch: bool, as_share: bool) -> None:
        """Put the maps of the pixel's channel into the grids, each pair on one colour scale."""
        # torch is here as soon as there are maps; the first paint has to do without it.
        from tui.analysis.outputs.channel_maps import peak

        source, unfused, fused, difference = self.panels
        of = f" {pixel.batch}" if batch else ""
        largest = peak(maps.input)
        source.show(maps.input, largest or 1.0, f"input{of} in {in_channel}", _caption(maps.input, largest))
        largest = peak(maps.unfused, maps.fused)
        caption = _caption(maps.unfused, largest)
        unfused.show(maps.unfused, largest or 1.0, f"unfused out {pixel.channel}", caption)
        fused.show(maps.fused, largest or 1.0, f"fused out {pixel.channel}", caption)
        if as_share:
            caption = "not judged" if maps.share is None else "±1 is the budget"
            difference.show(maps.share, 1.0, "share of budget", caption)
        else:
            self._show_difference(difference, maps.difference, peak(maps.difference))

    def _show_difference(self, panel: MapPanel, difference: Tensor, largest: float | None) -> None:
        """The difference in units of a power of ten, for its own digits would not fit into a cell."""
        if largest:
            unit = unit_of(largest)
            scale = largest / unit.size
            caption = ", ".join(filter(None, (unit.words, f"±{scale:.2g}")))
            panel.show(difference / unit.size, scale, "difference", caption)
        else:
            all_finite = bool(difference.isfinite().all())
            caption = "not finite" if largest is None else "no difference" if all_finite else "0 where finite"
            panel.show(difference, 1.0, "difference", caption)

    def set_zoom(self, zoom: Zoom | None) -> None:
        """Show all maps at that level, or each at the one that fits."""
        self.zoom = zoom
        for panel in self.panels:
            panel.grid.zoom = zoom

    @property
    def panel_in_focus(self) -> MapPanel:
        """The map in focus, else the difference."""
        panels, focused = self.panels, self.screen.focused
        return next((panel for panel in panels if panel.grid is focused), panels[-1])

    def _show_one(self, single: bool) -> None:
        """Show the map in focus alone, or all."""
        self.set_class(single, "-single")
        shown = self.panel_in_focus
        for panel in self.panels:
            panel.display = not single or panel is shown

    def focus_next(self, step: int) -> bool:
        """Show the next map, where only one is shown; returns whether it is so."""
        if not self.has_class("-single"):
            return False
        panels, here = self.panels, self.panels.index(self.panel_in_focus)
        chosen = panels[(here + step) % len(panels)]
        chosen.display = True
        self.screen.set_focus(chosen.grid)
        self._show_one(True)
        return True

    def share_out(self, room: Size, *, framed: bool) -> int:
        """Place as many maps side by side as show most of them; returns the rows that this takes.

        All panels get the same size, for maps that scroll together have to show the same part. Where there
        are no rows for that, the map in focus is shown alone. `room`: the columns and rows for all maps.
        `framed`: whether a panel has a border at its sides.
        """
        frame = Size(2 * framed, 2)
        shapes = [panel.grid.source.shape for panel in self.panels if panel.grid.source is not None]
        if len(shapes) < len(self.panels) - 1:
            return room.height
        signs, height, width = self.source.signs, room.height, room.width
        columns = columns_for([shapes[0], *[shapes[1]] * 3], room, frame, signs=signs)
        self.set_class(columns == 4, "-columns-4")
        single = self.one or height // (4 // columns) < frame.height + HEADER + LEAST_ROWS
        self._show_one(single)
        rows, columns = (1, 1) if single else (4 // columns, columns)
        self.styles.max_width = width // columns * columns
        inner = Size(width // columns, height // rows) - frame
        alone = single and not self.one
        if self.zoom is None:
            for panel, shape in zip(self.panels, shapes, strict=False):
                panel.grid.zoom = legible(shape, inner.width, labels=Labels.PIXELS) if alone else None
        if alone:
            return height
        return rows * (min(rows_of(shapes, inner, self.zoom, signs=signs), inner.height) + frame.height)

    @on(HeatGrid.Scrolled)
    def _scroll_along(self, event: HeatGrid.Scrolled) -> None:
        event.stop()
        leader = next((panel.grid for panel in self.panels if panel.grid.mouse_hover), None)
        self.align(leader if event.grid is leader else None)

    def align(self, leader: HeatGrid | None = None) -> None:
        """Show the same part of all maps of the same size; that of the input, which shows all that is lit."""
        grids = [self.source, *self.outputs]
        if leader is None:
            of_input = self.source.virtual_size == self.outputs[-1].virtual_size
            leader = self.source if of_input and self.source.display else self.outputs[-1]
        for grid in grids:
            alike = grid.virtual_size == leader.virtual_size and grid.window.size == leader.window.size
            if grid is not leader and alike and grid.scroll_offset != leader.scroll_offset:
                grid.scroll_to(*leader.scroll_offset, animate=False)


def _caption(image: Tensor, largest: float | None) -> str:
    height, width = image.shape[2:]
    scale = "not finite" if largest is None else f"±{precise(largest).lstrip('+')}"
    return f"{height}×{width}, {scale}"
