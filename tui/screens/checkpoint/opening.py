"""OpeningScreen: opens a checkpoint and shows its tree, and another in its place where that can be opened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.reactive import var
from textual.widgets import Static

from tui.analysis.failure import sentence_of
from tui.analysis.progress import Doing
from tui.checkpoints.choosing.to_open import ToOpen
from tui.checkpoints.errors import FolderError
from tui.checkpoints.found import FoundBlock
from tui.checkpoints.listing import Listing
from tui.collecting import keep, keep_no_more
from tui.fusion.quoting import printable
from tui.running.background import iterate_in_thread
from tui.screens.comparing.screen import ComparingScreen, Reads
from tui.views.checkpoint.detail_pane import DetailPane
from tui.views.checkpoint.file_head import FileHead
from tui.views.checkpoint.file_views import TREE, FileViews
from tui.views.checkpoint.outline_view import OutlineView
from tui.views.checkpoint.search_line import SearchLine
from tui.views.checkpoint.totals import sizes_of, totals_of
from tui.views.shared.verdict_words import Verdict
from tui.widgets.foot import Foot
from tui.widgets.notice import Notice
from tui.widgets.value_prompt import ValuePrompt

MANY = 10_000
"""Names of which the garbage collector takes long enough to be felt at a key."""


class OpeningScreen(ComparingScreen):
    """Looks into the file that it is given; what is done with it is its subclass's."""

    WHAT: ClassVar[str] = "file"

    listing: var[Listing | None] = var[Listing | None](None, init=False)
    """What the file holds; None before it is open."""

    @dataclass
    class FolderGiven(Message):
        """A folder was to be opened: the user has to choose a file in it."""

        folder: Path

    def __init__(self, to_open: ToOpen) -> None:
        super().__init__()
        self.to_open = to_open

    def compose(self) -> ComposeResult:
        """The file's name and totals, the tree with its pane, the line to search in, the keys."""
        yield FileHead(id="file-head")
        yield Static("", id="totals", markup=False)
        with Horizontal(id="tree-body"):
            yield FileViews(OutlineView(id=TREE), id="file-views")
            yield DetailPane(id="detail")
        yield SearchLine(id="file-search")
        yield ValuePrompt(id="eps-prompt")
        yield Notice(id="notice")
        yield Foot(id="foot")

    @property
    def _file_name(self) -> str:
        path = self.to_open.path
        return printable(path.name or str(path))

    @property
    def views(self) -> FileViews[OutlineView]:
        """The tree and the other views."""
        return self.query_one(FileViews)

    @property
    def outline(self) -> OutlineView:
        """The tree."""
        return self.views.tree_view

    @property
    def folder(self) -> Path:
        """That of the file."""
        return self.to_open.path.parent

    @property
    def report_name(self) -> str:
        """The file's, up to its first dot."""
        return self.to_open.path.name.partition(".")[0] or "model"

    @property
    def totals(self) -> Content:
        """Blocks, and what is left alone."""
        return Content() if self.listing is None else totals_of(self.listing)

    @property
    def blocks(self) -> tuple[FoundBlock, ...] | None:
        """The blocks that were found; None while they are looked for."""
        recognition = self.listing.recognition if self.listing else None
        return None if recognition is None else recognition.blocks

    def on_mount(self) -> None:
        """Open the file, once the screen is painted."""
        self.query_one(FileHead).file = self._file_name
        self.outline.focus_content()
        self.call_after_refresh(self._open, self.to_open)

    @work(group="open", exclusive=True, exit_on_error=False, description="opening")
    async def _open(self, to_open: ToOpen) -> None:
        """Open the file and look for blocks; the names are there before their meaning is.

        A file that is open until then makes room only for one that can be opened.
        """
        try:
            async for item in iterate_in_thread(partial(_listed, to_open)):
                if isinstance(item, Listing):
                    if self.to_open is not to_open:
                        self.make_room_for(to_open)
                    self._opened.add(item.checkpoint)
                    self.listing = item
                elif self.listing is None:
                    self.say_totals(f"{item.words} …")
        except FolderError as error:
            self._say_unopened(to_open, error)
            self.post_message(self.FolderGiven(to_open.path))
        except Exception as error:
            self._say_unopened(to_open, error)

    def _say_unopened(self, to_open: ToOpen, error: Exception) -> None:
        rest = "o opens another file."
        if self.to_open is to_open:
            self.say_totals("")
        else:
            rest = f"{self._file_name} stays open, {rest}"
        self.query_one(Notice).say(f"{_sentence(error)} {rest}", error=True)
        if self.to_open is not to_open and self.blocks is None:  # looking into it was cut short
            self._open(self.to_open)

    def open_other(self, to_open: ToOpen) -> None:
        """Open another file in the place of this one; where it cannot be opened, this one stays."""
        if self.listing is None:
            self.make_room_for(to_open)
        self._open(to_open)

    def make_room_for(self, to_open: ToOpen) -> None:
        """Show nothing more of this file, which stays open for its blocks on the bench."""
        if self.listing is not None and len(self.listing.checkpoint.entries) >= MANY:
            self.call_after_refresh(keep_no_more)
        self.to_open = to_open
        self.forget_subjects()
        self.comparison = None
        for group in ("fuse", "compare", "ranges"):
            self.workers.cancel_group(self, group)
        self.query_one(Notice).text = ""
        head = self.query_one(FileHead)
        head.file, head.title, head.sizes = self._file_name, "", Content()
        self.remove_class("-aside")
        self.query_one(DetailPane).show("")
        self.views.forget()
        self.set_reactive(OpeningScreen.listing, None)

    def watch_listing(self, listing: Listing | None) -> None:
        """Show it."""
        if listing is not None:
            self.say_totals(totals_of(listing))
            self.query_one(FileHead).sizes = sizes_of(listing)
            self.outline.show_outline(listing.outline)
            self.refresh_bindings()
            if listing.recognition is not None:
                if len(listing.checkpoint.entries) >= MANY:
                    keep()
                if self.to_open.given is not None:
                    self.compare_with(self.to_open.given)

    def show_verdicts(self, verdicts: Mapping[Reads, Verdict]) -> None:
        """Have the tree tell these."""
        self.outline.show_verdicts(verdicts)


def _listed(wanted: ToOpen) -> Iterator[Doing | Listing]:
    from tui.checkpoints.looking import look_into  # what recognises blocks is not needed for the first paint

    yield from look_into(wanted)


def _sentence(error: BaseException) -> str:
    words = sentence_of(error)
    return words[:1].upper() + words[1:]
