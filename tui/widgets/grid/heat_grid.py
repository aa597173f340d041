"""HeatGrid: a grid of coloured cells, with one cursor that keys and mouse move."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.theme import Theme

from tui.fusion.tap import Tap
from tui.widgets.grid.geometry import HEADER
from tui.widgets.grid.labels import Labels
from tui.widgets.grid.surface import GridSurface
from tui.widgets.help_line import HelpLine


def _binding(keys: str, action: str, name: str, tooltip: str) -> Binding:
    return Binding(keys, action, tooltip, show=False, id=f"heat-grid.{name}", tooltip=tooltip)


WALK: list[BindingType] = [
    _binding("left,h", "step(-1, 0)", "left", "One tap to the left"),
    _binding("right,l", "step(1, 0)", "right", "One tap to the right"),
    _binding("up,k", "step(0, -1)", "up", "One tap up"),
    _binding("down,j", "step(0, 1)", "down", "One tap down"),
    _binding("pageup", "page(-1)", "page-up", "One output channel up"),
    _binding("pagedown", "page(1)", "page-down", "One output channel down"),
    _binding("home", "first", "first", "To the first tap"),
    _binding("end", "last", "last", "To the last tap"),
]
"""The keys that walk through the taps, in whatever shows them."""


class HeatGrid(GridSurface, can_focus=True):
    """A weight as a grid, and the keys and the mouse with which to walk through its taps.

    It posts CursorMoved and Hovered, and the owner moves the cursor of all the grids that are looked at
    together.
    """

    HELP_LINES: ClassVar[tuple[HelpLine, ...]] = (
        HelpLine(
            "arrows, h j k l",
            "move the cursor, in all grids at once; page up and down by an output channel",
            tuple(
                f"heat-grid.{name}"
                for name in ("left", "right", "up", "down", "page-up", "page-down", "first", "last")
            ),
        ),
        HelpLine("tab", "from grid to grid; mouse: hover reads a number, a click puts the cursor there"),
    )
    BINDINGS: ClassVar[list[BindingType]] = WALK

    @dataclass
    class CursorMoved(Message):
        """A key or a click in `grid` asks for the cursor to stand at `tap`."""

        grid: HeatGrid
        tap: Tap

    @dataclass
    class Hovered(Message):
        """The mouse is over `tap`, or over none any more. Of several in a row only the last is handled."""

        grid: HeatGrid
        tap: Tap | None

        def can_replace(self, message: Message) -> bool:
            """A mouse moves faster than panels are painted: what it has left behind need not be shown."""
            return isinstance(message, HeatGrid.Hovered)

    _pointed: Tap | None = None

    def on_mount(self) -> None:
        """Follow the brightness of the theme, and NO_COLOR."""
        self.monochrome = self.app.no_color
        self._follow(self.app.current_theme)
        self.app.theme_changed_signal.subscribe(self, self._follow)

    def _follow(self, theme: Theme) -> None:
        self.dark = theme.dark

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
