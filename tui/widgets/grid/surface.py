"""A 4-D convolution weight as a grid of coloured cells, as far as it is painted and scrolled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import var
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.fusion.tap import Tap
from tui.terminal.colour_depth import ColourDepth
from tui.terminal.nearest_colours import depth_of
from tui.terminal.plain_characters import lacks_half_blocks
from tui.widgets.grid.geometry import HEADER, GridGeometry, fit, revealed
from tui.widgets.grid.labels import Labels
from tui.widgets.grid.lit import Lit
from tui.widgets.grid.painter import GridPainter, Marks
from tui.widgets.grid.palette import Look, Palette
from tui.widgets.grid.weight_source import WeightSource
from tui.widgets.grid.zoom import Zoom


class GridSurface(ScrollView):
    """A weight (out_channels, in_channels/groups, kH, kW): a tile for each kernel, a cell for each tap.

    With Labels.PIXELS it is a map (1, 1, H, W), its rows and columns numbered. Attributes are set from
    outside and the widget sets none but `depth` and `whole_cells`. Only visible taps are ever read.

    Colour tells sign and size, and glyphs what it cannot tell. Where there are digits, a value beyond the
    scale is underlined. At PAIR it is "▴" or "▾", an infinity "+∞" or "-∞", and NaN a cross; at HALF a cell
    with an infinity or a NaN among its two weights is "∞" or a cross. At NORM a kernel has the colour of the
    root mean square of its taps. What is lit is greener and bold, and where cells end in a blank it stands in
    brackets; at NORM it is not shown.

    With `monochrome` the colours are greys by |value|. PAIR and HALF then write "+", "-", and "·" for exact
    zero, and so HALF shows one weight a row instead of two. NORM writes "░▒▓█" by size, one kernel a row.
    With a `depth` of 16 colours, and with `whole_cells`, the same is written, in colours.
    """

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"heat-grid--label", "heat-grid--label-here"}
    DEFAULT_CSS = """
    GridSurface {
        scrollbar-size: 1 1;
        & > .heat-grid--label { color: $text-muted; }
        & > .heat-grid--label-here { color: $text; text-style: bold; }
    }
    """

    source: var[WeightSource | None] = var[WeightSource | None](None)
    """The weight to show; None shows nothing."""
    bias: var[Sequence[float] | None] = var[Sequence[float] | None](None)
    """(out_channels,) numbers, written under the labels of the output channels; None for no bias."""
    cursor: var[Tap] = var(Tap(0, 0, 0, 0))
    """The tap in inverse; one outside the weight shows at the nearest tap of it."""
    hover: var[Tap | None] = var[Tap | None](None)
    """The tap that is lit up a little, as under the mouse."""
    lit: var[Lit | None] = var[Lit | None](None)
    """The taps that are marked as belonging together."""
    labels: var[Labels] = var(Labels.CHANNELS)
    """What header and gutter name."""
    zoom: var[Zoom | None] = var[Zoom | None](None)
    """The level to show; None for the nearest one at which the whole weight is visible."""
    scale: var[float] = var(1.0)
    """The |value| that has full colour."""
    dark: var[bool] = var(True)
    """Whether zero is dark, for dark themes, or light."""
    monochrome: var[bool] = var(False)
    """Whether signs are glyphs because there is no colour to tell them."""
    depth: var[ColourDepth] = var(ColourDepth.FULL)
    """How many colours the terminal has; with 16 signs are glyphs too."""
    whole_cells: var[bool] = var(False)
    """Whether no cell shows two weights, because the terminal has no "▀"; signs are glyphs then too."""

    @dataclass
    class Scrolled(Message):
        """The grid shows another part of the weight. Of several in a row only the last is handled."""

        grid: GridSurface

        def can_replace(self, message: Message) -> bool:
            """An older one of the same grid."""
            return isinstance(message, GridSurface.Scrolled) and message.grid is self.grid

    class Resized(Message):
        """The grid has another size, and another zoom level may fit. Of several in a row one is handled."""

        def can_replace(self, message: Message) -> bool:
            """An older one, of whatever grid."""
            return isinstance(message, GridSurface.Resized)

    _space = Size()
    _laid_out: tuple[GridGeometry | None, Size] | None = None
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

    @property
    def signs(self) -> bool:
        """Whether signs are glyphs, which takes a whole row for each weight."""
        return self._palette.signs

    @property
    def _palette(self) -> Palette:
        return Palette.of(
            dark=self.dark, monochrome=self.monochrome, depth=self.depth, signs=self.whole_cells
        )

    def _zoom_for(self, space: Size) -> Zoom:
        return self.zoom or self._fit(space)

    def _fit(self, space: Size) -> Zoom:
        if self.source is None:
            return Zoom.NORM
        has_bias, shape = self.bias is not None, self.source.shape
        return fit(shape, *space, has_bias=has_bias, signs=self._palette.signs, labels=self.labels)

    def _geometry_for(self, space: Size) -> GridGeometry | None:
        """The layout in a space of this size, None without a source."""
        if self.source is None:
            return None
        zoom, has_bias = self._zoom_for(space), self.bias is not None
        return GridGeometry(self.source.shape, zoom, has_bias, self._palette.signs, self.labels)

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """The columns of the whole grid, at the level that fits the container."""
        geometry = self._geometry_for(container - self.styles.gutter.totals)
        return geometry.size.width if geometry else 0

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """The rows of the whole grid, at the level that fits the width and the container's height."""
        geometry = self._geometry_for(Size(width, container.height - self.styles.gutter.height))
        return geometry.size.height if geometry else 0

    def on_mount(self) -> None:
        """Take the colours and the characters that the terminal has."""
        self.depth, self.whole_cells = depth_of(self.app), lacks_half_blocks(self.app)

    def watch_has_focus(self, _: bool) -> None:
        """Style nothing anew: what is seen of the focus is the cursor, and the frame around."""

    def on_resize(self) -> None:
        """Fit the weight to the new size, and tell. When it comes into sight again, there is none."""
        space = self.content_size
        if self._laid_out != (self._geometry_for(space), space):
            self._lay_out()
            self.post_message(self.Resized())

    def _measure(self) -> None:
        """Lay the cells out in the space that there is now."""
        self._space = self.content_size
        self._geometry = self._geometry_for(self._space)
        self._painter = None

    def _lay_out(self) -> None:
        """Take a new weight, bias, zoom or size into account; what takes the room it had is only painted."""
        self._measure()
        before, self._laid_out = self._laid_out, (self._geometry, self._space)
        whole = self._geometry.size if self._geometry else Size()
        fits = whole.width <= self._space.width and whole.height <= self._space.height
        unscrolled = fits and not (self.show_horizontal_scrollbar or self.show_vertical_scrollbar)
        if (self._laid_out == before or unscrolled) and not self.styles.auto_dimensions:
            self.set_reactive(GridSurface.virtual_size, whole)
            self.refresh()
        else:
            self.virtual_size = whole
            if fits:
                # Textual has decided on scroll bars for the level before a resize, and does not look again.
                self.show_horizontal_scrollbar = self.show_vertical_scrollbar = False
            self.refresh(layout=True)
        # The scroll bars, and with them the room for the cursor, are known only after the layout.
        self.call_after_refresh(self._reveal_cursor)

    def _repaint(self) -> None:
        self._painter = None
        self.refresh()

    watch_source = watch_bias = watch_zoom = watch_monochrome = watch_depth = watch_whole_cells = (
        watch_labels
    ) = _lay_out
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
            self._palette,
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
        hover = self._shown(self.hover) if self.hover else None
        return Marks(self._shown(self.cursor), hover, self.lit)

    def _shown(self, tap: Tap) -> Tap:
        return tap.clamped(self.source.shape) if self.source else tap

    def watch_cursor(self, old: Tap, new: Tap) -> None:
        """Repaint the two cells and the labels that change; scroll if the new cell is out of sight."""
        before, after = self._shown(old), self._shown(new)
        self._refresh_taps(before, after)
        if self._geometry is not None:
            gutter = self._geometry.gutter
            of_map = self.labels is Labels.PIXELS
            if before.in_ != after.in_ or (of_map and before.kx != after.kx):
                self.refresh(Region(0, 0, self.content_size.width, HEADER))
            if before.out != after.out or (of_map and before.ky != after.ky):
                self.refresh(Region(0, HEADER, gutter, self.content_size.height))
        self._reveal_cursor()

    def watch_hover(self, old: Tap | None, new: Tap | None) -> None:
        """Repaint the two cells."""
        self._refresh_taps(*(self._shown(tap) for tap in (old, new) if tap is not None))

    def watch_lit(self) -> None:
        """Repaint the cells, and show them if they are around the cursor."""
        self.refresh()
        self._reveal_cursor()

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
        cell = self._with_lit(cell, window.size)
        x = revealed(cell.column_span, tile.column_span, window.column_span)
        y = revealed(cell.line_span, tile.line_span, window.line_span)
        if (x, y) != window.offset:
            self.scroll_to(x, y, animate=False)

    def _with_lit(self, cell: Region, room: Size) -> Region:
        """The cell of a map together with what is lit, if there is room for both."""
        lit = self.lit
        if (
            self._geometry is None
            or self.labels is not Labels.PIXELS
            or not (lit and lit.rows and lit.columns)
        ):
            return cell
        corners = (Tap(0, 0, lit.rows[end], lit.columns[end]) for end in (0, -1))
        both = Region.from_union([cell, *map(self._geometry.region, corners)])
        return both if both.width <= room.width and both.height <= room.height else cell
