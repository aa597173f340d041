"""TreeScreen: a tree of blocks, a pane about the one under the cursor, a search, the keys at the foot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from textual import on
from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.message import Message

from tui.analysis.speed.to_time import ToTime
from tui.analysis.subject import Subject
from tui.screens.commands import commands_of
from tui.screens.place_screen import PlaceScreen
from tui.views.checkpoint.search_line import SearchLine
from tui.views.shared.tree_view import TreeView
from tui.widgets.help_line import HelpLine


class TreeScreen(PlaceScreen):
    """Has a SearchLine and a Foot beside its tree; asks the app for a block of it on the bench."""

    HORIZONTAL_BREAKPOINTS = [*PlaceScreen.HORIZONTAL_BREAKPOINTS, (160, "-wide")]  # noqa: RUF012  # as there
    DEFAULT_CSS = """
    TreeScreen {
        background: $background;
        & #totals { height: 1; padding: 0 2; margin: 1 0; text-wrap: nowrap; text-overflow: ellipsis; }
        & #tree-body { height: 1fr; }
        &.-narrow #tree-body { layout: vertical; }
        &.-low #totals { margin: 0; }
    }
    """
    SEARCH_LINE: ClassVar[HelpLine] = HelpLine(
        "/, escape",
        "search by name, family or class, while you type; back to the tree",
        ("tree.search", "tree.back"),
    )
    SPEED_LINE: ClassVar[HelpLine] = HelpLine(
        "s",
        "time all blocks as they are and fused, in one table: the one that gains least first",
        ("tree.speed",),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "slash",
            "search",
            "Search",
            show=False,
            key_display="/",
            id="tree.search",
            tooltip="A block or what else the tree shows, by its name, its family or its class",
        ),
        Binding("escape", "leave", "Back to the tree", show=False, id="tree.back"),
        Binding(
            "s",
            "speed",
            "Speed of all blocks",
            show=False,
            id="tree.speed",
            tooltip="Each timed as it is and fused, in one table with their totals",
        ),
    ]

    @dataclass
    class BlockChosen(Message):
        """The user wants this block of that screen on the bench."""

        subject: Subject
        tree: TreeScreen

    @dataclass
    class SpeedWanted(Message):
        """The user wants all blocks of that screen to be timed."""

        to_time: ToTime
        tree: TreeScreen

    def to_time(self) -> ToTime | None:
        """Its blocks, ready to be timed; None where that cannot be, which the user is told."""
        raise NotImplementedError

    def action_speed(self) -> None:
        """Ask for all blocks to be timed."""
        to_time = self.to_time()
        if to_time is not None:
            self.post_message(self.SpeedWanted(to_time, self))

    @property
    def outline(self) -> TreeView[Any, Any]:
        """The tree."""
        raise NotImplementedError

    @property
    def middle(self) -> TreeView[Any, Any]:
        """The tree."""
        return self.outline

    def show_tree(self) -> None:
        """Have the tree in sight, and the focus in it."""
        self.outline.focus_content()

    def action_search(self) -> None:
        """Ask what to search for."""
        self.outline.begin_search()
        self.query_one(SearchLine).open()

    @on(SearchLine.Typed)
    def _search_typed(self, event: SearchLine.Typed) -> None:
        event.stop()
        self.outline.search(event.text)

    @on(SearchLine.Done)
    def _search_done(self, event: SearchLine.Done) -> None:
        event.stop()
        self.outline.focus_content()

    @on(TreeView.Searched)
    def _searched(self, event: TreeView.Searched) -> None:
        event.stop()
        self.query_one(SearchLine).say(event.place, event.count)

    def action_leave(self) -> None:
        """Back to the tree: from the search, from the pane, from another view."""
        self.query_one(SearchLine).close()
        self.outline.end_search()
        self.show_tree()

    def commands(self) -> Iterator[SystemCommand]:
        """What the keys here do, for the palette."""
        yield from super().commands()
        yield from commands_of(self.outline)
