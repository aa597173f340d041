"""RowList: rows of text under a cursor, of which only those in sight are ever made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import var
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.terminal.colour_depth import ColourDepth
from tui.terminal.nearest_colours import depth_of
from tui.widgets.rows.row import Row, Tone, cut

POINTER = "›"
"""Stands before the row under the cursor: without colours nothing else would tell it."""
MOST_OF_NAME = 0.45
"""Of the width, where something stands in the middle."""
GAP = 2
"""Columns between two zones."""


class RowList(ScrollView, can_focus=True):
    """Shows the rows that `row_at` makes; posts Moved and Chosen."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"rows--{tone}" for tone in Tone),
        "rows--cursor",
        "rows--bold-cursor",
        "rows--match",
    }
    DEFAULT_CSS = """
    RowList {
        scrollbar-size: 1 1; overflow-x: hidden; background: $background;
        & > .rows--plain { color: $foreground; }
        & > .rows--muted { color: $text-muted; }
        & > .rows--strong { color: $text-primary; text-style: bold; }
        & > .rows--good { color: $text-success; }
        & > .rows--warning { color: $text-warning; }
        & > .rows--bad { color: $text-error; text-style: bold; }
        & > .rows--cursor { background: $foreground 12%; }
        & > .rows--bold-cursor {
            background: $block-cursor-background; color: $foreground; text-style: bold;
        }
        & > .rows--match { text-style: bold underline; color: $text-accent; }
        &:focus > .rows--cursor { background: $primary 30%; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False, id="rows.up"),
        Binding("down,j", "move(1)", "Down", show=False, id="rows.down"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="rows.page-up"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="rows.page-down"),
        Binding("home", "go(0)", "First row", show=False, id="rows.first"),
        Binding("end", "go(-1)", "Last row", show=False, id="rows.last"),
        Binding("enter", "choose", "Choose", show=False, id="rows.choose"),
    ]

    cursor: var[int] = var(0)
    """The place of the row under the cursor."""
    match: var[str] = var("")
    """What is searched for: it stands out in every name."""

    @dataclass
    class Moved(Message):
        """The cursor is on another row, or the row under it is another one."""

        rows: RowList
        place: int

        def can_replace(self, message: Message) -> bool:
            """An older one of the same list."""
            return isinstance(message, RowList.Moved) and message.rows is self.rows

    @dataclass
    class Chosen(Message):
        """The user wants what is under the cursor."""

        rows: RowList
        place: int

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._row_at: Callable[[int], Row] = lambda _: Row("")
        self._count = 0
        self._longest = 0
        self._bold_cursor = False  # whether a shade behind the row cannot be told from others

    def on_mount(self) -> None:
        """See how many colours there are: with 16 a shade leaves the texts on it unreadable."""
        self._bold_cursor = depth_of(self.app) is ColourDepth.STANDARD

    @property
    def count(self) -> int:
        """How many rows there are."""
        return self._count

    def show(self, row_at: Callable[[int], Row], count: int, *, longest: int, cursor: int = 0) -> None:
        """Show these rows; `longest`: columns of the longest name with its indentation and sign."""
        self._row_at, self._count, self._longest = row_at, count, longest
        self.virtual_size = Size(0, count)
        self.set_reactive(RowList.cursor, max(0, min(cursor, count - 1)))
        self.refresh()
        self.refresh_bindings()
        self._reveal()
        self.call_after_refresh(self._reveal)
        self._tell()

    def _tell(self) -> None:
        if self._count:
            self.post_message(self.Moved(self, self.cursor))

    def validate_cursor(self, cursor: int) -> int:
        """Keep it among the rows."""
        return max(0, min(cursor, self._count - 1))

    def watch_cursor(self, old: int, new: int) -> None:
        """Repaint both rows, and tell."""
        for place in (old, new):
            self.refresh(Region(0, place - self.scroll_offset.y, self.size.width, 1))
        self._reveal()
        if old != new:
            self._tell()

    def watch_match(self) -> None:
        """Repaint the names."""
        self.refresh()

    def _reveal(self) -> None:
        room = self.scrollable_content_region.height
        top, cursor = self.scroll_offset.y, self.cursor
        if room and not top <= cursor < top + room:
            self.scroll_to(y=cursor if cursor < top else cursor - room + 1, animate=False, force=True)

    def on_resize(self) -> None:
        """Keep the cursor in sight."""
        self._reveal()

    def action_move(self, step: int) -> None:
        """Go up or down."""
        self.cursor += step

    def action_page(self, step: int) -> None:
        """Go by as many rows as are in sight."""
        self.cursor += step * max(1, self.scrollable_content_region.height - 1)

    def action_go(self, place: int) -> None:
        """Go to the first row, or to the last one (-1)."""
        self.cursor = place if place >= 0 else self._count - 1

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Where there is no row, none can be chosen."""
        return self._count > 0 if action == "choose" else super().check_action(action, parameters)

    def action_choose(self) -> None:
        """Choose the row under the cursor."""
        if self._count:
            self.post_message(self.Chosen(self, self.cursor))

    def on_click(self, event: events.Click) -> None:
        """Go to the row; a second click on it chooses it."""
        place = event.get_content_offset_capture(self).y + self.scroll_offset.y
        if place < self._count:
            event.stop()
            if event.chain > 1 and place == self.cursor:
                self.action_choose()
            self.cursor = place

    def render_line(self, y: int) -> Strip:
        """One row; a blank one below the last."""
        place, width = y + self.scroll_offset.y, self.size.width
        if place >= self._count or not width:
            return Strip.blank(width, self.rich_style)
        ground, here = self.rich_style, place == self.cursor
        if here and self._bold_cursor:
            bold = self.get_component_rich_style("rows--bold-cursor")
            over = Style(color=bold.color, bgcolor=bold.bgcolor)
            strip = self._painted(self._row_at(place), width, ground, here=True)
            return Strip(Segment.apply_style(strip, post_style=over), width)
        if here:
            ground += Style(bgcolor=self.get_component_rich_style("rows--cursor").bgcolor)
        return self._painted(self._row_at(place), width, ground, here=here)

    def _painted(self, row: Row, width: int, ground: Style, *, here: bool) -> Strip:
        room = width - 3
        right = cut(row.right, max(0, room - GAP))
        left = room - (cell_len(right) + GAP if right else 0)
        # What is long in one row may use what another one leaves.
        begin = min(self._longest, int(room * MOST_OF_NAME)) + GAP if row.middle else left + GAP
        name = cut(row.name, max(1, begin - GAP - row.indent - (2 if row.sign else 0)))
        segments = [
            self._text(f"{POINTER if here else ' '} ", Tone.STRONG, ground),
            Segment(" " * row.indent, ground),
        ]
        if row.sign:
            segments.append(self._text(f"{row.sign} ", row.sign_tone, ground))
        segments += self._lit(name, row.tone, ground)
        segments += self._up_to(begin + 2, segments, ground)
        if row.middle:
            segments.append(self._text(cut(row.middle, left - begin), row.middle_tone, ground))
        segments += self._up_to(width - 1 - cell_len(right), segments, ground)
        segments.append(self._text(right, row.right_tone, ground))
        return Strip(segments).adjust_cell_length(width, ground).simplify()

    def _up_to(self, column: int, segments: list[Segment], ground: Style) -> list[Segment]:
        missing = column - sum(segment.cell_length for segment in segments)
        return [Segment(" " * missing, ground)] if missing > 0 else []

    def _text(self, text: str, tone: Tone, ground: Style) -> Segment:
        style = self.get_component_rich_style(f"rows--{tone}")
        return Segment(text, ground + Style(color=style.color, bold=style.bold))

    def _lit(self, name: str, tone: Tone, ground: Style) -> list[Segment]:
        """The name, with what is searched for standing out."""
        place = name.lower().find(self.match.lower()) if self.match else -1
        if place < 0:
            return [self._text(name, tone, ground)]
        end = place + len(self.match)
        found = self.get_component_rich_style("rows--match")
        style = ground + Style(color=found.color, bold=True, underline=True)
        parts = [self._text(name[:place], tone, ground), Segment(name[place:end], style)]
        return [*parts, self._text(name[end:], tone, ground)]
