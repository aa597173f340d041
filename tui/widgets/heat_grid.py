"""HeatGrid: a grid of coloured cells, with one cursor that keys and mouse move."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from tui.widgets.grid_geometry import HEADER
from tui.widgets.grid_surface import GridSurface
from tui.widgets.labels import Labels
from tui.widgets.tap import Tap


def _binding(keys: str, action: str, name: str, tooltip: str) -> Binding:
    return Binding(keys, action, tooltip, show=False, id=f"heat-grid.{name}", tooltip=tooltip)


class HeatGrid(GridSurface, can_focus=True):
    """A weight as a grid, and the keys and the mouse with which to walk through its taps.

    It posts CursorMoved and Hovered, and the owner moves the cursor of all the grids that are looked at
    together.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        _binding("left,h", "step(-1, 0)", "left", "One tap to the left"),
        _binding("right,l", "step(1, 0)", "right", "One tap to the right"),
        _binding("up,k", "step(0, -1)", "up", "One tap up"),
        _binding("down,j", "step(0, 1)", "down", "One tap down"),
        _binding("pageup", "page(-1)", "page-up", "One output channel up"),
        _binding("pagedown", "page(1)", "page-down", "One output channel down"),
        _binding("home", "first", "first", "To the first tap"),
        _binding("end", "last", "last", "To the last tap"),
    ]

    class CursorMoved(Message):
        """A key or a click in `grid` asks for the cursor to stand at `tap`."""

        def __init__(self, grid: HeatGrid, tap: Tap) -> None:
            super().__init__()
            self.grid = grid
            self.tap = tap

    class Hovered(Message):
        """The mouse is over `tap`, or over none any more. Of several in a row only the last is handled."""

        def __init__(self, grid: HeatGrid, tap: Tap | None) -> None:
            super().__init__()
            self.grid = grid
            self.tap = tap

        def can_replace(self, message: Message) -> bool:
            """A mouse moves faster than panels are painted: what it has left behind need not be shown."""
            return isinstance(message, HeatGrid.Hovered)

    _pointed: Tap | None = None
    _space = Size()
    _geometry: GridGeometry | None = None
    _painter: GridPainter | None = None

    @property
    def zoom_in_effect(self) -> Zoom:
        """The level that is shown: `zoom`, or the one that fits."""
        return self._geometry.zoom if self._geometry else self._zoom_for(self.content_size)

    @property
    def fitting_zoom(self) -> Zoom:
        """The level that fits, whatever is shown."""
        return self._fit(self.content_size)

    @property
    def window(self) -> Region:
        """The visible part of the body, in its own columns and rows."""
        gutter = self._geometry.gutter if self._geometry else 0
        width, height = self.scrollable_content_region.size
        return Region(*self.scroll_offset, max(0, width - gutter), max(0, height - HEADER))

    def _zoom_for(self, space: Size) -> Zoom:
        return self.zoom or self._fit(space)

    def _fit(self, space: Size) -> Zoom:
        if self.source is None:
            return Zoom.NORM
        return fit(self.source.shape, *space, has_bias=self.bias is not None, signs=self.monochrome)

    def _geometry_for(self, space: Size) -> GridGeometry | None:
        """The layout in a space of this size, None without a source."""
        if self.source is None:
            return None
        return GridGeometry(self.source.shape, self._zoom_for(space), self.bias is not None, self.monochrome)

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """The columns of the whole grid, at the level that fits the container."""
        geometry = self._geometry_for(container - self.styles.gutter.totals)
        return geometry.size.width if geometry else 0

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """The rows of the whole grid, at the level that fits the width and the container's height."""
        geometry = self._geometry_for(Size(width, container.height - self.styles.gutter.height))
        return geometry.size.height if geometry else 0

    def on_resize(self) -> None:
        """Fit the weight to the new size."""
        self._lay_out()

    def _measure(self) -> None:
        """Lay the cells out in the space that there is now."""
        self._space = self.content_size
        self._geometry = self._geometry_for(self._space)
        self._painter = None

    def _lay_out(self) -> None:
        """Take a new shape, bias, zoom or size into account."""
        self._measure()
        self.virtual_size = whole = self._geometry.size if self._geometry else Size()
        if whole.width <= self._space.width and whole.height <= self._space.height:
            # Textual has decided on scroll bars for the zoom level before a resize, and does not look again.
            self.show_horizontal_scrollbar = self.show_vertical_scrollbar = False
        self.refresh(layout=True)
        # The scroll bars, and with them the room for the cursor, are known only after the layout.
        self.call_after_refresh(self._reveal_cursor)

    def _repaint(self) -> None:
        self._painter = None
        self.refresh()

    watch_source = watch_bias = watch_zoom = watch_monochrome = _lay_out
    watch_scale = watch_dark = _repaint

    def watch_scroll_x(self, old_value: float, new_value: float) -> None:
        """Show another part, and tell."""
        super().watch_scroll_x(old_value, new_value)
        self.post_message(self.Scrolled(self))

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Show another part, and tell."""
        super().watch_scroll_y(old_value, new_value)
        self.post_message(self.Scrolled(self))

    def render_lines(self, crop: Region) -> list[Strip]:
        """The lines of a region, in the styles of now: a theme or a pane's focus may have changed them."""
        if not self.is_attached:  # taken off the screen, and asked for a last frame when its styles are gone
            return [Strip.blank(crop.width)] * crop.height
        # The first frame of a new size comes before its Resize, and would flash up at the old zoom level.
        if self.content_size != self._space:
            self._measure()
        look = Look(
            Palette.of(dark=self.dark, monochrome=self.monochrome),
            self.rich_style,
            self.get_component_rich_style("heat-grid--label"),
            self.get_component_rich_style("heat-grid--label-here"),
        )
        if self.source is None or self._geometry is None:
            self._painter = None
        elif self._painter is None or self._painter.look != look:
            self._painter = GridPainter(self.source, self._geometry, look, self.scale, self.bias)
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """The header, or a row of the body beside its gutter."""
        window = self.window
        if self._painter is None or y >= HEADER + window.height:
            return Strip.blank(self.content_size.width, self.rich_style)
        if y < HEADER:
            return self._painter.header(window, self._marks)
        return self._painter.line(y - HEADER + window.y, window, self._marks)

    @property
    def _marks(self) -> Marks:
        return Marks(self._shown(self.cursor), self._shown(self.hover) if self.hover else None)

    def _shown(self, tap: Tap) -> Tap:
        return tap.clamped(self.source.shape) if self.source else tap

    def watch_cursor(self, old: Tap, new: Tap) -> None:
        """Repaint the two cells and the labels that change; scroll if the new cell is out of sight."""
        before, after = self._shown(old), self._shown(new)
        self._refresh_taps(before, after)
        if self._geometry is not None:
            gutter = self._geometry.gutter
            if before.in_ != after.in_:
                self.refresh(Region(0, 0, self.content_size.width, HEADER))
            if before.out != after.out:
                self.refresh(Region(0, HEADER, gutter, self.content_size.height))
        self._reveal_cursor()

    def watch_hover(self, old: Tap | None, new: Tap | None) -> None:
        """Repaint the two cells."""
        self._refresh_taps(*(self._shown(tap) for tap in (old, new) if tap is not None))

    def _refresh_taps(self, *taps: Tap) -> None:
        """Repaint the cells of some taps, as far as they are in sight."""
        if self._geometry is None:
            return
        window = self.window
        for tap in taps:
            cells = self._geometry.region(tap).intersection(window)
            if cells:
                self.refresh(cells.translate((self._geometry.gutter - window.x, HEADER - window.y)))

    def _reveal_cursor(self) -> None:
        """Scroll as little as needed to see the cursor, and then all of its kernel if that fits."""
        window, cursor = self.window, self._shown(self.cursor)
        # Before the first layout nothing is in sight, and afterwards this is called again.
        if self._geometry is None or not window:
            return
        cell, tile = self._geometry.region(cursor), self._geometry.tile_region(cursor)
        x = revealed(cell.column_span, tile.column_span, window.column_span)
        y = revealed(cell.line_span, tile.line_span, window.line_span)
        if (x, y) != window.offset:
            self.scroll_to(x, y, animate=False)

    def action_step(self, across: int, down: int) -> None:
        """Ask for the cursor to move by pixels of the zoom level: taps, and at NORM kernels."""
        if self._geometry is not None:
            self._ask(self._geometry.moved(self._shown(self.cursor), across, down))

    def action_page(self, down: int) -> None:
        """Ask for the cursor to move by output channels, in a map by as many rows as are in sight."""
        cursor = self._shown(self.cursor)
        if self.labels is Labels.PIXELS and self._geometry is not None:
            rows = self.window.height * 2 // self._geometry.halves
            self._ask(self._shown(cursor._replace(ky=cursor.ky + down * rows)))
        else:
            self._ask(self._shown(cursor._replace(out=cursor.out + down)))

    def action_first(self) -> None:
        """Ask for the cursor to stand at the first tap."""
        self._ask(Tap(0, 0, 0, 0))

    def action_last(self) -> None:
        """Ask for the cursor to stand at the last tap."""
        if self.source is not None:
            self._ask(Tap(*(size - 1 for size in self.source.shape)))

    def _ask(self, tap: Tap) -> None:
        if self.source is not None and tap != self.cursor:
            self.post_message(self.CursorMoved(self, tap))

    def _tap_under(self, event: events.MouseEvent) -> Tap | None:
        """The tap under the mouse; None beside the tiles, and on labels and scroll bars."""
        window = self.window
        if self._geometry is None:
            return None
        left, top, _, _ = self.scrollable_content_region
        x = event.pointer_screen_x - left - self._geometry.gutter
        y = event.pointer_screen_y - top - HEADER
        if not (0 <= x < window.width and 0 <= y < window.height):
            return None
        return self._geometry.tap_at(x + window.x, y + window.y)

    def on_click(self, event: events.Click) -> None:
        """Ask for the cursor to stand where the mouse is."""
        tap = self._tap_under(event)
        if tap is not None:
            self._ask(tap)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Tell which tap the mouse is over."""
        self._point(self._tap_under(event))

    def on_leave(self) -> None:
        """Tell that the mouse is over no tap any more."""
        self._point(None)

    def _point(self, tap: Tap | None) -> None:
        if tap != self._pointed:
            self._pointed = tap
            self.post_message(self.Hovered(self, tap))
