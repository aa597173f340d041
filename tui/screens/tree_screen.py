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
from tui.screens.keys_shown import keys_here, place_of, shown
from tui.screens.place_screen import PlaceScreen
from tui.views.checkpoint.search_line import SearchLine
from tui.views.shared.tree_view import TreeView
from tui.widgets.foot import GAP, Foot
from tui.widgets.foot_key import FootKey
from tui.widgets.help_line import HelpLine


class TreeScreen(PlaceScreen):
    """Has a SearchLine and a Foot beside its tree; asks the app for a block of it on the bench.

    Attributes:
        EVERYWHERE: what the foot tells of in every place of the screen, the most useful last.
        WAY_BACK: what the bench calls the way back to it.
        HEADING: that of the help under which the screen's keys are told.
    """

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
    EVERYWHERE: ClassVar[tuple[FootKey, ...]] = ()
    WAY_BACK: ClassVar[str] = ""
    HEADING: ClassVar[str] = ""
    SPEED_LINE: ClassVar[HelpLine] = HelpLine(
        "s",
        "time all blocks as they are and fused, in one table: the one that gains least first",
        ("tree.speed",),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
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

    def show_tree(self) -> None:
        """Have the tree in sight, and the focus in it."""
        self.outline.focus_content()

    def on_mount(self) -> None:
        """Tell the keys of wherever the focus goes."""
        self.bindings_updated_signal.subscribe(self, self._tell_keys)

    def _tell_keys(self, _: object = None) -> None:
        active = self.active_bindings
        foot = self.query_one(Foot)
        foot.everywhere = shown(self.EVERYWHERE, active)
        if self.app.app_focus or not foot.here:
            foot.here, foot.separator = keys_here(place_of(self.focused, self.outline), active), GAP

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
        yield from commands_of(self)
        yield from commands_of(self.outline)

    @staticmethod
    def help_sections() -> dict[str, tuple[HelpLine, ...]]:
        """What the help says of the keys, by heading."""
        raise NotImplementedError

    def help_heading(self) -> str:
        """The heading of the help under which the keys of the place in focus are told."""
        return self.HEADING

    def welcomed(self) -> None:
        """Nobody has to be welcomed here."""
