"""ItemsView: a list of things found out about a checkpoint, under a few lines of summary."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from tui.checkpoints.found import FoundBlock
from tui.widgets.help_line import HelpLine
from tui.widgets.rows.row import Row
from tui.widgets.rows.row_list import RowList

AROUND_NAME = 4
"""Columns of pointer, sign and air beside a name."""


class Item(NamedTuple):
    """One line, and what is said of it beside the list.

    Attributes:
        row: the line.
        detail: what the pane says of it; takes whether there are few rows, and long ones.
        block: the block that it is about; None where it is about none.
    """

    row: Row
    detail: Callable[[bool], Content]
    block: FoundBlock | None = None


class ItemsView(Vertical):
    """Shows items; posts Moved and Chosen."""

    TITLE: ClassVar[str] = ""
    HELP_LINES: ClassVar[tuple[HelpLine, ...]] = ()
    SCOPED_CSS = False
    DEFAULT_CSS = """
    ItemsView {
        width: 1fr; height: 1fr;
        & .items-head { height: auto; padding: 0 1 0 2; margin: 0 0 1 0; }
        & RowList { height: 1fr; }
    }
    .-low ItemsView .items-head { margin: 0; }
    .-low.-narrow ItemsView .items-head { max-height: 5; }
    """

    @dataclass
    class Moved(Message):
        """The cursor is on another item."""

        view: ItemsView
        item: Item

    @dataclass
    class Chosen(Message):
        """The user wants to see more of this one."""

        view: ItemsView
        item: Item

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._items: Sequence[Item] = ()

    def compose(self) -> ComposeResult:
        """The summary over the rows."""
        yield Static("", classes="items-head", markup=False)
        yield RowList()

    @property
    def rows(self) -> RowList:
        """The list."""
        return self.query_one(RowList)

    @property
    def item(self) -> Item | None:
        """What is under the cursor."""
        return self._items[self.rows.cursor] if self._items else None

    def focus_content(self) -> None:
        """Take the focus."""
        self.rows.focus()

    def say(self, summary: Content) -> None:
        """Put this over the list; a view that is just being taken down has no place for it any more."""
        for head in self.query(".items-head").results(Static):
            head.update(summary)

    def show_items(self, items: Sequence[Item], *, cursor: int = 0) -> None:
        """Show these."""
        self._items = items
        longest = max((cell_len(item.row.name) + item.row.indent for item in items), default=0)
        row_at: Callable[[int], Row] = lambda place: self._items[place].row  # noqa: E731
        self.rows.show(row_at, len(items), longest=longest + AROUND_NAME, cursor=cursor)

    @on(RowList.Moved)
    def _moved(self, event: RowList.Moved) -> None:
        event.stop()
        if event.place < len(self._items):
            self.post_message(self.Moved(self, self._items[event.place]))

    @on(RowList.Chosen)
    def _chosen(self, event: RowList.Chosen) -> None:
        event.stop()
        self.post_message(self.Chosen(self, self._items[event.place]))
