"""The screen of a checkpoint: a tree of what it holds, and beside it what is under the cursor."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult, SystemCommand
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.message import Message
from textual.reactive import Reactive, var
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input, Static

from tui.analysis.failure import in_words, sentence_of
from tui.analysis.progress import Doing, Failed
from tui.analysis.subject import Subject
from tui.background import iterate_in_thread
from tui.checkpoints.contents import Checkpoint
from tui.checkpoints.errors import FolderError
from tui.checkpoints.file_block import FileBlock
from tui.checkpoints.found import FoundBlock
from tui.checkpoints.listing import Listing
from tui.checkpoints.to_open import ToOpen
from tui.fusion.quoting import printable
from tui.fusion.refusal import Refusal
from tui.screens.checkpoint.reading import is_readable, problems_in, read_of
from tui.screens.commands import commands_of
from tui.screens.help_everywhere import HELP_EVERYWHERE
from tui.screens.keys_shown import keys_here, place_of, shown
from tui.views.checkpoint.detail_words import Read, words_on
from tui.views.checkpoint.outline_rows import Line
from tui.views.checkpoint.outline_view import OutlineView
from tui.views.checkpoint.totals import sizes_of, totals_of
from tui.widgets.foot import GAP, Foot
from tui.widgets.foot_key import FootKey
from tui.widgets.help_line import HelpLine
from tui.widgets.notice import Notice

EVERYWHERE: tuple[FootKey, ...] = (
    FootKey("presets", ("app.presets",)),
    FootKey("another file", ("app.open-file",)),
    FootKey("keys", ("app.help",)),
    FootKey("quit", ("app.quit",)),
)
"""What the foot tells of in every place here, the most useful last."""
REST = 0.08
"""Seconds that the cursor rests before what it is on is read."""
IN_A_FILE = "IN A CHECKPOINT"
"""A heading of the help."""


class CheckpointScreen(Screen[None]):
    """Opens a checkpoint and shows what it holds; asks the app for a block of it on the bench."""

    # mutable, as textual declares them
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-normal")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-low"), (30, "-high")]  # noqa: RUF012
    AUTO_FOCUS = ""
    DEFAULT_CSS = """
    CheckpointScreen {
        background: $background;
        & #file-head { dock: top; height: 1; background: $surface; padding: 0 1; }
        & #file-head Static { width: auto; height: 1; text-wrap: nowrap; }
        & #file-program { text-style: bold; padding: 0 2 0 1; }
        & #file-head #file-name {
            width: 1fr; text-overflow: ellipsis; color: $text-primary; text-style: bold;
        }
        & #totals { height: 1; padding: 0 2; margin: 1 0; text-wrap: nowrap; text-overflow: ellipsis; }
        & #file-body { height: 1fr; }
        & OutlineView { width: 1fr; height: 1fr; padding: 0 0 0 1; }
        & #detail { width: 44; height: 1fr; padding: 0 1 0 2; border-left: solid $border-blurred;
            scrollbar-size-vertical: 1; }
        & #detail:focus { border-left: solid $primary; background-tint: transparent; }
        & #detail-words { height: auto; }
        & #file-search { display: none; height: 1; padding: 0 2; background: $primary 15%; }
        & #file-search.-open { display: block; }
        & #file-search Static { width: auto; height: 1; }
        & #file-search Input { width: 1fr; background: transparent; }
        & #search-count { color: $text-muted; padding: 0 0 0 2; }
        &.-narrow #file-program { display: none; }
        &.-narrow #file-body { layout: vertical; }
        &.-narrow #detail {
            width: 100%; height: 9; border: none; border-top: solid $border-blurred; padding: 0 2;
        }
        &.-narrow #detail:focus { border: none; border-top: solid $primary; }
        &.-low #totals { margin: 0; }
    }
    """
    HELP_LINES: ClassVar[tuple[HelpLine, ...]] = (
        HelpLine(
            "/, escape",
            "search by name or family, from key to key; back to the tree",
            ("checkpoint.search", "checkpoint.tree"),
        ),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "slash",
            "search",
            "Search",
            show=False,
            key_display="/",
            id="checkpoint.search",
            tooltip="A tensor or a block by its name, or the blocks of a family",
        ),
        Binding("escape", "leave", "Back to the tree", show=False, id="checkpoint.tree"),
    ]

    # Textual's own paints the whole screen anew at each change of focus.
    focused: Reactive[Widget | None] = Reactive(None, repaint=False)

    listing: var[Listing | None] = var[Listing | None](None, init=False)
    """What the file holds; None before it is open."""

    @dataclass
    class BlockChosen(Message):
        """The user wants this block on the bench."""

        subject: Subject

    @dataclass
    class FolderGiven(Message):
        """A folder was to be opened: the user has to choose a file in it."""

        folder: Path

    def __init__(self, to_open: ToOpen) -> None:
        super().__init__()
        self.to_open = to_open
        self._read: dict[str, Read] = {}
        self._opened: set[Checkpoint] = set()  # also those before the present one: the bench may read them
        self._blocks: dict[tuple[str, float | None], FileBlock] = {}
        self.eps_of_family: dict[str, float] = {}
        self.eps_of_block: dict[str, float] = {}

    def compose(self) -> ComposeResult:
        """The file's name and totals, the tree with its pane, the line to search in, the keys."""
        with Horizontal(id="file-head"):
            yield Static("repfuse-tui", id="file-program", markup=False)
            yield Static(
                printable(self.to_open.path.name or str(self.to_open.path)), id="file-name", markup=False
            )
            yield Static("", id="file-sizes", markup=False)
        yield Static("", id="totals", markup=False)
        with Horizontal(id="file-body"):
            yield OutlineView(id="outline")
            with VerticalScroll(id="detail"):
                yield Static("", id="detail-words", markup=False)
        with Horizontal(id="file-search"):
            yield Static("/ ", markup=False)
            yield Input(compact=True, placeholder="part of a name, or a family", id="search-text")
            yield Static("", id="search-count", markup=False)
        yield Notice(id="notice")
        yield Foot(id="foot")

    @property
    def _file_name(self) -> str:
        path = self.to_open.path
        return printable(path.name or str(path))

    @property
    def outline(self) -> OutlineView:
        """The tree."""
        return self.query_one(OutlineView)

    def on_mount(self) -> None:
        """Open the file, once the screen is painted."""
        self.bindings_updated_signal.subscribe(self, self._tell_keys)
        self.outline.focus_content()
        self.call_after_refresh(self._open)

    def on_unmount(self) -> None:
        """Let all files go."""
        for checkpoint in self._opened:
            checkpoint.close()

    def _tell_keys(self, _: object = None) -> None:
        active = self.active_bindings
        foot = self.query_one(Foot)
        foot.everywhere = shown(EVERYWHERE, active)
        if self.app.app_focus or not foot.here:
            foot.here, foot.separator = keys_here(place_of(self.focused, self.outline), active), GAP

    @on(Foot.Pressed)
    async def _foot_pressed(self, event: Foot.Pressed) -> None:
        event.stop()
        bound = self.active_bindings.get(event.key)
        if bound is not None:
            await self.app.run_action(bound.binding.action, bound.node)

    @work(group="open", exclusive=True, exit_on_error=False, description="opening")
    async def _open(self) -> None:
        """Open the file and look for blocks; the names are there before their meaning is."""
        try:
            async for item in iterate_in_thread(partial(_listed, self.to_open)):
                if isinstance(item, Listing):
                    self._opened.add(item.checkpoint)
                    self.listing = item
                elif self.listing is None:
                    self.query_one("#totals", Static).update(f"{item.words} …")
        except FolderError as error:
            self._say_unopened(error)
            self.post_message(self.FolderGiven(self.to_open.path))
        except Exception as error:
            self._say_unopened(error)

    def _say_unopened(self, error: Exception) -> None:
        self.query_one("#totals", Static).update("")
        self.query_one(Notice).say(f"{_sentence(error)} o opens another file.", error=True)

    def open_other(self, to_open: ToOpen) -> None:
        """Open another file in the place of this one, which stays open for its blocks on the bench."""
        self.to_open = to_open
        self._read.clear()
        self._blocks.clear()
        self.eps_of_family.clear()
        self.eps_of_block.clear()
        self.query_one(Notice).text = ""
        self.query_one("#file-name", Static).update(self._file_name)
        self.query_one("#file-sizes", Static).update("")
        self.query_one("#detail-words", Static).update("")
        self.outline.clear()
        self.set_reactive(CheckpointScreen.listing, None)
        self._open()

    def watch_listing(self, listing: Listing | None) -> None:
        """Show it."""
        if listing is not None:
            self.query_one("#totals", Static).update(totals_of(listing))
            self.query_one("#file-sizes", Static).update(sizes_of(listing))
            self.outline.show_outline(listing.outline)

    @on(OutlineView.Moved)
    def _moved(self, event: OutlineView.Moved) -> None:
        event.stop()
        self._tell(event.line)
        self._look_at(event.line)

    def _tell(self, line: Line, read: Read = None) -> None:
        block = line.only_block
        eps = None if block is None else self._eps_of(block)
        read = read or self._read.get(_key(line))
        self.query_one("#detail-words", Static).update(
            words_on(line, read, eps, narrow=self.has_class("-narrow"))
        )

    @work(group="read", exclusive=True, exit_on_error=False, description="reading")
    async def _look_at(self, line: Line) -> None:
        """Read what is under the cursor, if it rests there; the next move cancels this worker."""
        listing = self.listing
        await asyncio.sleep(REST)
        if listing is None or _key(line) in self._read or not is_readable(line):
            return
        read: Read = Doing("reading")
        self._show_read(line, read)
        try:
            async for item in iterate_in_thread(partial(read_of, listing.checkpoint, line)):
                read = item
        except Exception as error:
            read = Failed(in_words(error))
        if not isinstance(read, Failed | Doing):  # what failed may be there again
            self._read[_key(line)] = read
        self._show_read(line, read)

    def _show_read(self, line: Line, read: Read) -> None:
        self.outline.show_problem(line.node.path, problems_in(read))
        if self.outline.line == line:
            self._tell(line, read)

    def _eps_of(self, block: FoundBlock) -> float | None:
        """What was chosen for its batch norms; None for its family's."""
        of_family = self.eps_of_family.get(block.family, self.to_open.eps)
        return self.eps_of_block.get(block.fused[0].name, of_family) if block.has_norm else None

    @on(OutlineView.BlockChosen)
    def _block_chosen(self, event: OutlineView.BlockChosen) -> None:
        event.stop()
        self.open_block(event.block)

    def open_block(self, block: FoundBlock) -> None:
        """Have the block on the bench, as it was left there if it was the last one."""
        if self.listing is None:
            return
        eps = self._eps_of(block)
        key = block.fused[0].name, eps
        try:
            if key not in self._blocks:
                self._blocks[key] = FileBlock(self.listing.checkpoint, block, eps)
        except Refusal as error:
            self.query_one(Notice).say(f"This block cannot be opened: {error}", error=True)
            return
        self.query_one(Notice).text = ""
        self.post_message(self.BlockChosen(Subject(self._blocks[key].spec, origin=self._blocks[key])))

    def action_search(self) -> None:
        """Ask what to search for."""
        self.query_one("#file-search").add_class("-open")
        self.outline.begin_search()
        field = self.query_one("#search-text", Input)
        field.value = ""
        field.focus()

    @on(Input.Changed, "#search-text")
    def _search_typed(self, event: Input.Changed) -> None:
        event.stop()
        self.outline.search(event.value)

    @on(Input.Submitted, "#search-text")
    def _search_done(self, event: Input.Submitted) -> None:
        event.stop()
        self.outline.focus_content()

    @on(OutlineView.Searched)
    def _searched(self, event: OutlineView.Searched) -> None:
        event.stop()
        searching = self.query_one("#search-text", Input).value
        words = f"{event.place} of {event.count}" if event.count else "nothing of that name"
        self.query_one("#search-count", Static).update(words if searching else "")

    def action_leave(self) -> None:
        """From the search back to the tree, and from there to what it showed before."""
        self.query_one("#file-search").remove_class("-open")
        self.outline.rows.match = ""
        self.outline.focus_content()

    def commands(self) -> Iterator[SystemCommand]:
        """What the keys here do, for the palette."""
        yield from commands_of(self)
        yield from commands_of(self.outline)

    @staticmethod
    def help_sections() -> dict[str, tuple[HelpLine, ...]]:
        """What the help says of the keys, by heading."""
        lines = (*OutlineView.HELP_LINES, *CheckpointScreen.HELP_LINES)
        return {IN_A_FILE: lines, "EVERYWHERE": HELP_EVERYWHERE}

    def help_heading(self) -> str:
        """The heading of the help under which the keys of the place in focus are told."""
        return IN_A_FILE

    def welcomed(self) -> None:
        """Nobody has to be welcomed here."""


def _listed(wanted: ToOpen) -> Iterator[Doing | Listing]:
    from tui.checkpoints.looking import look_into  # what recognises blocks is not needed for the first paint

    yield from look_into(wanted)


def _key(line: Line) -> str:
    block = line.only_block
    return line.node.path if block is None else f"{line.node.path} {block.fused[0].name}"


def _sentence(error: BaseException) -> str:
    words = sentence_of(error)
    return words[:1].upper() + words[1:]
