"""Equation: kernels with signs between them, a row for each kernel that comes out, and one cursor for all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import var
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.fusion.tap import Tap
from tui.terminal.nearest_colours import depth_of
from tui.terminal.plain_characters import lacks_half_blocks
from tui.widgets.equation.cell import Cell
from tui.widgets.equation.fitting import lay_out
from tui.widgets.equation.layout import Layout, Shape
from tui.widgets.equation.painter import Cursor, EquationPainter
from tui.widgets.equation.term import Named, Term
from tui.widgets.grid.geometry import GridGeometry
from tui.widgets.grid.heat_grid import WALK
from tui.widgets.grid.palette import Look, Palette
from tui.widgets.grid.zoom import Zoom


class Equation(ScrollView, can_focus=True):
    """Weights (out_channels, in_channels/groups, kH, kW) as terms of an equation, the last its result.

    Each row shows one kernel of each: "kxk + 1×1 = fused  out 0, in 0". All are drawn in cells of one size
    and on one scale of colours, and scroll together. Keys and the mouse ask for the cursor to move, which
    stands in the last term; in the others it marks where that tap came from.
    """

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"equation--label", "equation--label-here"}
    DEFAULT_CSS = """
    Equation {
        scrollbar-size: 1 1; overflow-x: hidden; background: $background;
        & > .equation--label { color: $text-muted; }
        & > .equation--label-here { color: $text; text-style: bold; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = WALK

    cursor: var[Tap] = var(Tap(0, 0, 0, 0))
    """The tap of the last term that is looked at."""
    cell: var[Cell | None] = var[Cell | None](None)
    """The size of all taps; None for the one that suits the room."""
    pending: var[Callable[[Tap], bool] | None] = var[Callable[[Tap], bool] | None](None)
    """Which taps of the last term are not shown yet; None where all are."""

    @dataclass
    class CursorMoved(Message):
        """A key or a click asks for the cursor to stand at `tap`."""

        equation: Equation
        tap: Tap

    _terms: tuple[Term, ...] = ()
    _named = Named.KERNELS
    _scale = 1.0
    _wraps = True
    _space = Size()
    _layout_now: Layout | None = None
    _painter: EquationPainter | None = None

    def on_mount(self) -> None:
        """Follow the theme."""
        self.app.theme_changed_signal.subscribe(self, lambda _: self.refresh())

    def show(
        self, terms: tuple[Term, ...], named: Named, scale: float, tap: Tap, *, wraps: bool = True
    ) -> None:
        """Show these terms, the cursor at a tap of the last one; `scale` is the |value| of full colour.

        They are laid out in the room that is claimed for them, or else in what the layout gives.
        """
        self._terms, self._named, self._scale, self._wraps = terms, named, scale, wraps
        self.set_reactive(Equation.pending, None)
        self.set_reactive(Equation.cursor, tap)
        self._space = Size()
        self.call_after_refresh(self.on_resize)

    def forget(self) -> None:
        """Let go of the terms."""
        self._terms = ()
        self._take(None, Size())

    def claim(self, room: Size, air: int = 0) -> int:
        """Lay it out in a room that it may have; return the rows that it fills, whole kernels only.

        `air`: blank rows below them that the owner will leave, if the room has them.
        """
        layout = self._layout_in(room)
        if layout is None:
            return 0
        rows = min(layout.whole_bands(room.height) + air, room.height)
        self._take(layout, Size(room.width, rows))
        return rows

    @property
    def terms(self) -> tuple[Term, ...]:
        """What is shown."""
        return self._terms

    @property
    def cell_in_effect(self) -> Cell | None:
        """The size of the taps, given or found; None before anything is shown."""
        return self._layout_now.cell if self._layout_now else None

    @property
    def layout_in_effect(self) -> Layout | None:
        """Where all stands; None before anything is shown."""
        return self._layout_now

    def _layout_in(self, room: Size) -> Layout | None:
        return lay_out(self._shape(), room, self.cell) if self._terms and room else None

    def _shape(self) -> Shape:
        last = self._terms[-1].source.shape
        words = self._named.label(last[0] - 1, last[1] - 1, last)
        palette = self._palette
        halves = GridGeometry(last, Zoom.HALF, signs=palette.signs).halves
        return Shape(
            taps=tuple((term.source.shape[2], term.source.shape[3]) for term in self._terms),
            titles=tuple(len(term.title) for term in self._terms),
            signs=tuple(len(term.sign) + 2 if term.sign else 0 for term in self._terms),
            rows=(last[0], last[1]),
            label=tuple(map(len, words)),
            before=self._named is Named.CHANNELS,
            halves=halves,
            wraps=self._wraps,
        )

    @property
    def _palette(self) -> Palette:
        app = self.app
        return Palette.of(
            dark=app.current_theme.dark,
            monochrome=app.no_color,
            depth=depth_of(app),
            signs=lacks_half_blocks(app),
        )

    def _take(self, layout: Layout | None, room: Size) -> None:
        self._layout_now, self._space, self._painter = layout, room, None
        # Textual would decide on the scroll bar by what was shown before.
        self.show_vertical_scrollbar = scrolls = layout is not None and layout.height > room.height
        height = layout.height if layout else 0
        if layout and scrolls:  # the last row can stand where the others do
            height += max(0, room.height - layout.whole_bands(room.height))
        self.virtual_size = Size(room.width, height)
        self.refresh()
        # How far it can be scrolled is known only after the layout.
        self.call_after_refresh(self._reveal)

    def on_resize(self) -> None:
        """Lay it out in another room than it had claimed."""
        if self.content_size != self._space:
            self._take(self._layout_in(self.content_size), self.content_size)

    def watch_cell(self) -> None:
        """Take another size."""
        self._take(self._layout_in(self._space), self._space)

    @property
    def _window(self) -> Region:
        """The visible part of the rows below the header."""
        header = self._layout_now.header if self._layout_now else 0
        width, height = self.scrollable_content_region.size
        return Region(0, self.scroll_offset.y, width, max(0, height - header))

    def render_lines(self, crop: Region) -> list[Strip]:
        """The lines of a region, in the styles of now."""
        if not self.is_attached:
            return [Strip.blank(crop.width)] * crop.height
        if self.content_size != self._space:  # the first frame of a new size comes before its Resize
            self._layout_now, self._painter = self._layout_in(self.content_size), None
        palette = self._palette
        look = Look(
            palette,
            self.rich_style,
            self.get_component_rich_style("equation--label"),
            self.get_component_rich_style("equation--label-here"),
        )
        if self._layout_now is None:
            self._painter = None
        elif self._painter is None or self._painter.look != look:
            self._painter = EquationPainter(
                self._terms, self._named, self._layout_now, look, self._scale, signs=palette.signs
            )
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """The titles, or a row below them."""
        width, layout = self.scrollable_content_region.width, self._layout_now
        if self._painter is None or layout is None:
            return Strip.blank(width, self.rich_style)
        if y < layout.header:
            return self._painter.header().crop(0, width)
        row = y - layout.header + self._window.y
        if row >= layout.bands * layout.pitch:
            return Strip.blank(width, self.rich_style)
        return self._painter.line(row, Cursor(self.cursor, self.pending)).crop(0, width)

    def watch_cursor(self, old: Tap, new: Tap) -> None:
        """Mark it, and where it came from; where kernels are in sight in part, in all of them."""
        layout = self._layout_now
        if layout is None or layout.taps != layout.shape.taps:
            self.refresh()
        else:
            for tap in {old[:2]: old, new[:2]: new}.values():
                top = layout.header + layout.band_of(tap.out, tap.in_)[0] * layout.pitch - self._window.y
                self.refresh(Region(0, top, layout.width, layout.band))
        self._reveal()

    def watch_pending(self) -> None:
        """Show what is there now."""
        self.refresh()

    def _reveal(self) -> None:
        """Scroll by whole rows of the equation as little as needed to see that of the cursor."""
        layout, window = self._layout_now, self._window
        if layout is None or not window.height:
            return
        band, _ = layout.band_of(self.cursor.out, self.cursor.in_)
        top = band * layout.pitch
        first = window.y // layout.pitch * layout.pitch
        if layout.band > window.height:  # the result stands in its last line
            top += max(0, layout.line_tops[-1] - layout.broken)
            height = min(layout.line_heights[-1] + layout.broken, window.height)
            first = min(max(first, top + height - window.height), top)
        else:
            whole = max(1, (window.height + layout.pitch - layout.band) // layout.pitch)
            if top < first:
                first = top
            elif top + layout.band > first + window.height:
                first = (band - whole + 1) * layout.pitch
        if first != window.y:
            self.scroll_to(y=first, animate=False)
        elif self.show_vertical_scrollbar:
            self.vertical_scrollbar.position = first  # Textual does not tell it while it is hidden

    def action_step(self, across: int, down: int) -> None:
        """Ask for the cursor to move by taps, through the kernels as they stand on the screen."""
        if self._layout_now is None:
            return
        rows, columns = self._terms[-1].source.shape[2:]
        tap, layout = self.cursor, self._layout_now
        kx, ky = tap.kx + across, tap.ky + down
        band, place = layout.band_of(tap.out, tap.in_)
        if not 0 <= kx < columns:
            place, kx = place + across, kx % columns
        if not 0 <= ky < rows:
            band, ky = band + down, ky % rows
        kernel = layout.kernel_at(band, place) if 0 <= place < layout.across and band >= 0 else None
        if kernel is not None:
            self._ask(Tap(*kernel, ky, kx))

    def action_page(self, down: int) -> None:
        """Ask for the cursor to move by channels."""
        self._ask(self.cursor._replace(**{self._channel: getattr(self.cursor, self._channel) + down}))

    @property
    def _channel(self) -> str:
        return "in_" if self._named is Named.MAPS else "out"

    def action_first(self) -> None:
        """Ask for the cursor to stand at the first tap."""
        self._ask(Tap(0, 0, 0, 0))

    def action_last(self) -> None:
        """Ask for the cursor to stand at the last tap."""
        if self._terms:
            self._ask(Tap(*(size - 1 for size in self._terms[-1].source.shape)))

    def _ask(self, tap: Tap) -> None:
        if self._terms:
            tap = tap.clamped(self._terms[-1].source.shape)
            if tap != self.cursor:
                self.post_message(self.CursorMoved(self, tap))

    def on_click(self, event: events.Click) -> None:
        """Ask for the cursor to stand where the mouse is, in the last term or in one of its size."""
        left, top, _, _ = self.scrollable_content_region
        tap = self.tap_at(event.pointer_screen_x - left, event.pointer_screen_y - top)
        if tap is not None:
            self._ask(tap)

    def tap_at(self, x: float, y: float) -> Tap | None:
        """The tap at a place of the widget, in the last term or in one of its size; None elsewhere."""
        layout = self._layout_now
        if layout is None or y < layout.header:
            return None
        band, row = divmod(y - layout.header + self._window.y, layout.pitch)
        place, column = divmod(x, layout.across_pitch) if layout.across > 1 else (0, x)
        kernel = layout.kernel_at(int(band), int(place)) if place < layout.across else None
        if kernel is None:
            return None
        found = layout.place_at(column, row)
        if found is None:
            return None
        term, ky, kx = found
        if layout.shape.taps[term] != layout.shape.taps[-1] or layout.taps[term] != layout.shape.taps[term]:
            return None
        return Tap(*kernel, ky, kx)
