"""HeatMap: a table of numbers in coloured cells, each number written in its cell, and a cursor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.reactive import var
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.theme import Theme

from tui.terminal.nearest_colours import depth_of
from tui.widgets.foot_key import FootKey
from tui.widgets.grid.palette import CURSOR, LEVELS, Palette

WIDEST, HIGHEST = 18, 5
"""Columns and rows that a cell grows to."""
APART = 2
"""Columns between the names of the rows and the cells."""


@dataclass(frozen=True, slots=True)
class HeatCell:
    """One cell.

    Attributes:
        text: its number, as it is written.
        part: from -1 to 1: how far the number lies below or above what is neutral; None for no number.
    """

    text: str
    part: float | None = None


@dataclass(frozen=True, slots=True)
class HeatTable:
    """All cells, row by row, and the names of rows and columns."""

    rows: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    cells: tuple[tuple[HeatCell, ...], ...] = ()


class HeatMap(ScrollView, can_focus=True):
    """Shows `table`; posts Moved and Chosen. Colour repeats what the numbers say, and tells nothing alone."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"heat-map--name", "heat-map--name-here", "heat-map--none"}
    DEFAULT_CSS = """
    HeatMap {
        scrollbar-size: 1 1;
        & > .heat-map--name { color: $text-muted; }
        & > .heat-map--name-here { color: $text; text-style: bold; }
        & > .heat-map--none { color: $text-muted; }
    }
    """
    FOOT_KEYS: ClassVar[tuple[FootKey, ...]] = ()
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "step(-1, 0)", "To the left", show=False, id="heat-map.left"),
        Binding("right,l", "step(1, 0)", "To the right", show=False, id="heat-map.right"),
        Binding("up,k", "step(0, -1)", "Up", show=False, id="heat-map.up"),
        Binding("down,j", "step(0, 1)", "Down", show=False, id="heat-map.down"),
        Binding("home", "go(0, 0)", "To the first cell", show=False, id="heat-map.first"),
        Binding("end", "go(-1, -1)", "To the last cell", show=False, id="heat-map.last"),
        Binding("enter", "choose", "Choose", show=False, id="heat-map.choose"),
    ]

    table: var[HeatTable] = var(HeatTable)
    """What is shown."""
    cursor: var[tuple[int, int]] = var((0, 0))
    """(row, column) of the cell that is looked at."""

    @dataclass
    class Moved(Message):
        """The user wants the cursor at this (row, column)."""

        place: tuple[int, int]

    class Chosen(Message):
        """The user wants what is under the cursor."""

    _palette: Palette = Palette.dark()

    def on_mount(self) -> None:
        """Follow the theme, and the colours that there are."""
        self._follow(self.app.current_theme)
        self.app.theme_changed_signal.subscribe(self, self._follow)

    def _follow(self, theme: Theme) -> None:
        self._palette = Palette.of(dark=theme.dark, monochrome=self.app.no_color, depth=depth_of(self.app))
        self.refresh()

    @property
    def _gutter(self) -> int:
        return max(map(cell_len, self.table.rows), default=0) + APART

    @property
    def _cell_width(self) -> int:
        texts = [cell.text for row in self.table.cells for cell in row]
        least = max(map(cell_len, [*self.table.columns, *texts]), default=1) + 2
        room = (self.size.width - self._gutter) // max(1, len(self.table.columns))
        return max(least, min(room, WIDEST))

    @property
    def _cell_height(self) -> int:
        """Rows of a cell: what there is room for, so that the map fills the screen."""
        rows = max(1, len(self.table.rows))
        return max(1, min(HIGHEST, (self.size.height - 1) // rows))

    def watch_table(self) -> None:
        """Show it."""
        self._measure()

    def on_resize(self) -> None:
        """Cells may be higher."""
        self._measure()

    def _measure(self) -> None:
        across = self._gutter + self._cell_width * len(self.table.columns)
        self.virtual_size = Size(across, 1 + self._cell_height * len(self.table.rows))
        self.refresh()
        self.call_after_refresh(self._reveal)

    def watch_cursor(self) -> None:
        """Show it."""
        self.refresh()
        self._reveal()

    def _reveal(self) -> None:
        row, column = self.cursor
        left, top = column * self._cell_width, row * self._cell_height
        room_x = max(1, self.scrollable_content_region.width - self._gutter)
        room_y = max(1, self.scrollable_content_region.height - 1)
        x, y = self.scroll_offset
        x = min(max(x, left + self._cell_width - room_x), left)
        y = min(max(y, top + self._cell_height - room_y), top)
        if (x, y) != self.scroll_offset:
            self.scroll_to(x, y, animate=False)

    def action_step(self, across: int, down: int) -> None:
        """Ask for the next cell in that direction."""
        self._ask(self.cursor[0] + down, self.cursor[1] + across)

    def action_go(self, row: int, column: int) -> None:
        """Ask for a cell; -1 is the last."""
        last = len(self.table.rows) - 1, len(self.table.columns) - 1
        self._ask(*(each if each >= 0 else end for each, end in zip((row, column), last, strict=True)))

    def action_choose(self) -> None:
        """Choose the cell under the cursor."""
        self.post_message(self.Chosen())

    def _ask(self, row: int, column: int) -> None:
        rows, columns = len(self.table.rows), len(self.table.columns)
        place = max(0, min(row, rows - 1)), max(0, min(column, columns - 1))
        if rows and columns and place != self.cursor:
            self.post_message(self.Moved(place))

    def on_click(self, event: events.Click) -> None:
        """Go to the cell under the mouse; a second click chooses it."""
        offset = event.get_content_offset_capture(self)
        row = (offset.y - 1 + self.scroll_offset.y) // self._cell_height
        column = (offset.x - self._gutter + self.scroll_offset.x) // self._cell_width
        inside = 0 <= row < len(self.table.rows) and 0 <= column < len(self.table.columns)
        if not inside or offset.y < 1 or offset.x < self._gutter:
            return
        event.stop()
        if (row, column) == self.cursor and event.chain > 1:
            self.action_choose()
        self._ask(row, column)

    def render_line(self, y: int) -> Strip:
        """The names of the columns, or a line of a row of cells."""
        ground, width = self.rich_style, self.size.width
        line = y - 1 + self.scroll_offset.y
        row, inner = divmod(line, self._cell_height)
        if y > 0 and row >= len(self.table.rows):
            return Strip.blank(width, ground)
        if y == 0:
            name, parts = "", [self._column(place) for place in range(len(self.table.columns))]
        else:
            is_middle = inner == (self._cell_height - 1) // 2
            name = self.table.rows[row] if is_middle else ""
            parts = [self._cell(row, column, is_middle) for column in range(len(self.table.columns))]
        gutter = Segment(
            name.rjust(self._gutter - APART) + " " * APART, ground + self._name_style(row == self.cursor[0])
        )
        cells = Strip(parts).crop(self.scroll_offset.x, self.scroll_offset.x + width - self._gutter)
        return Strip([gutter, *cells]).adjust_cell_length(width, ground)

    def _name_style(self, here: bool) -> Style:
        style = self.get_component_rich_style(f"heat-map--name{'-here' if here else ''}")
        return Style(color=style.color, bold=style.bold)

    def _column(self, place: int) -> Segment:
        style = self.rich_style + self._name_style(place == self.cursor[1])
        return Segment(self.table.columns[place].center(self._cell_width), style)

    def _cell(self, row: int, column: int, is_middle: bool) -> Segment:
        cell = self.table.cells[row][column]
        text = (cell.text if is_middle else "").center(self._cell_width)
        if (row, column) == self.cursor:
            return Segment(text, self._palette.style(CURSOR))
        if cell.part is None:
            none = self.get_component_rich_style("heat-map--none")
            return Segment(text, self.rich_style + Style(color=none.color))
        level = round(max(-1.0, min(cell.part, 1.0)) * LEVELS)
        return Segment(text, self._palette.style(level))
