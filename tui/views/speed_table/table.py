"""SpeedTable: all blocks of a file or of a module, the one that gains least first, and their totals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.reactive import var
from textual.widgets import Static

from tui.analysis.speed.outcomes import Found, LeftOut, Timed, totals_of, worst_first
from tui.analysis.speed.to_time import WHOLE
from tui.fusion.quoting import printable
from tui.running.speed_table_state import SpeedTableState
from tui.views.shared.styles import MUTED
from tui.views.speed_table.block_words import (
    NARROW_HEAD,
    NOT_TIMED,
    TO_COME,
    WIDE_HEAD,
    row_of,
    row_of_left_out,
    row_to_come,
    totals_in_numbers,
    whole_in_numbers,
    words_on,
    words_on_left_out,
    words_on_missing,
)
from tui.views.speed_table.form import STOP
from tui.widgets.foot_key import FootKey
from tui.widgets.help_line import HelpLine
from tui.widgets.rows.row import Row, cut
from tui.widgets.rows.row_list import GAP, MOST_OF_NAME, RowList

WIDE = 100
"""Columns from which on quartiles, and what arithmetic says, have room."""
SIGN = 2
"""Columns of a row's sign."""
AROUND = 3
"""Columns of a row that are no zone's: the pointer, and the right edge."""


@dataclass(frozen=True)
class Missing:
    """A block of which nothing is known, and why not."""

    place: int
    title: str
    words: str


Entry: TypeAlias = Timed | LeftOut | Missing


class SpeedTable(Vertical):
    """Shows a SpeedTableState; posts Moved and Chosen with a block's place."""

    DEFAULT_CSS = """
    SpeedTable {
        width: 1fr; height: 1fr;
        & #speed-table-head, & #speed-table-totals { padding: 0 1; text-wrap: nowrap; height: auto; }
        & #speed-table-totals { border-top: solid $border-blurred; }
        & RowList { height: 1fr; }
    }
    """
    HELP_LINES: ClassVar[tuple[HelpLine, ...]] = (
        HelpLine("enter", "the block under the cursor on the bench; escape comes back"),
        HelpLine("~", "noisy: the quartiles of a side lie more than a fifth of its median apart"),
        HelpLine("=", "no difference shows: the quartiles of the gain lie on both sides of 1"),
        HelpLine("△", "left out, with the reason"),
    )
    FOOT_KEYS: ClassVar[tuple[FootKey, ...]] = (
        STOP,
        FootKey("open the block", ("rows.choose",)),
        FootKey("fields", ("speed-table.form",)),
        FootKey("time again", ("speed-table.run",)),
    )

    state: var[SpeedTableState | None] = var[SpeedTableState | None](None)
    """How far it is."""

    @dataclass
    class Moved(Message):
        """Another block is under the cursor, or more is known of it."""

    @dataclass
    class Chosen(Message):
        """The user wants this block."""

        place: int

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._entries: tuple[Entry, ...] = ()

    def compose(self) -> ComposeResult:
        """The heading, the rows, the totals."""
        yield Static("", id="speed-table-head", markup=False)
        yield RowList(id="speed-table-rows")
        yield Static("", id="speed-table-totals", markup=False)

    @property
    def rows(self) -> RowList:
        """The list."""
        return self.query_one(RowList)

    @property
    def entry(self) -> Entry | None:
        """What is under the cursor."""
        return self._entries[self.rows.cursor] if self._entries else None

    def focus_content(self) -> None:
        """Take the focus."""
        self.rows.focus()

    def detail(self, *, narrow: bool) -> Content:
        """All that is known of what is under the cursor."""
        match self.entry:
            case Timed() as timed:
                return words_on(timed, narrow=narrow)
            case LeftOut() as left_out:
                return words_on_left_out(left_out)
            case Missing() as missing:
                return words_on_missing(missing.title, missing.words)
        return Content()

    def watch_state(self, before: SpeedTableState | None, state: SpeedTableState | None) -> None:
        """Show what is there; the cursor stays on its block, but for the first: there the worst is wanted."""
        if state is None or not self.is_mounted:
            return
        same = before is not None and before.found is state.found
        here = self.entry if same and self.rows.cursor else None
        self._entries = tuple(_entries(state))
        places = [each.place for each in self._entries]
        self._show(places.index(here.place) if here is not None else 0)

    def on_resize(self) -> None:
        """Let the numbers fill the room, and stand under their heading."""
        self._show(self.rows.cursor)

    def _show(self, cursor: int) -> None:
        wide, longest = self.size.width >= WIDE, self._longest
        self.rows.show(
            lambda place: _row(self._entries[place], wide=wide),
            len(self._entries),
            longest=longest,
            cursor=cursor,
        )
        head = self._line("block", WIDE_HEAD if wide else NARROW_HEAD)
        self.query_one("#speed-table-head", Static).update(Content.styled(head, f"bold {MUTED}"))
        totals = Content("\n").join(Content.styled(each, "bold") for each in self._totals())
        self.query_one("#speed-table-totals", Static).update(totals)
        self.query_one("#speed-table-totals").display = bool(totals.plain)

    @property
    def _longest(self) -> int:
        names = [each.title for each in self._entries]
        return max((cell_len(printable(each)) for each in (*names, WHOLE)), default=0) + SIGN

    def _totals(self) -> Iterator[str]:
        """One run of each block, and the whole, as far as they are timed."""
        found = Found() if self.state is None else self.state.found
        totals = totals_of(found.timed.values())
        if totals is not None:
            of = "all" if totals.blocks == found.planned.blocks else f"{totals.blocks} of"
            yield self._line(f"{of} {found.planned.blocks} blocks", totals_in_numbers(totals))
        for each in found.timed.values():
            if each.is_whole:
                yield self._line(each.title, whole_in_numbers(each))
        for left in found.left_out:
            if left.place > found.planned.blocks:
                yield self._line(left.title, f"left out: {printable(left.why)}")

    def _line(self, name: str, numbers: str) -> str:
        """The numbers where those of a row stand."""
        room = max(1, min(self._longest, int((self.size.width - AROUND) * MOST_OF_NAME)) - SIGN)
        return f" {' ' * SIGN}{cut(name, room):<{room + GAP}}{numbers}"

    @on(RowList.Moved)
    def _moved(self, event: RowList.Moved) -> None:
        event.stop()
        self.post_message(self.Moved())

    @on(RowList.Chosen)
    def _chosen(self, event: RowList.Chosen) -> None:
        event.stop()
        self.post_message(self.Chosen(self._entries[event.place].place))


def _entries(state: SpeedTableState) -> Iterator[Entry]:
    """What is timed to its end, the worst first; what is being timed; left out; to come. No whole model."""
    found = state.found
    blocks = [each for each in found.timed.values() if not each.is_whole]
    yield from worst_first(each for each in blocks if each.report.is_done)
    yield from (each for each in blocks if not each.report.is_done)
    left_out = [each for each in found.left_out if each.place <= found.planned.blocks]
    yield from left_out
    known = {each.place for each in blocks} | {each.place for each in left_out}
    words = TO_COME if state.is_running else NOT_TIMED
    for place, title in enumerate(state.to_time.titles, 1):
        if place not in known:
            yield Missing(place, title, words)


def _row(entry: Entry, *, wide: bool) -> Row:
    match entry:
        case Timed():
            return row_of(entry, wide=wide)
        case LeftOut():
            return row_of_left_out(entry)
    return row_to_come(entry.title, entry.words)
