"""The screen of a checkpoint: a tree of what it holds, and beside it what is under the cursor."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on, work
from textual.binding import BindingType

from tui.analysis.failure import in_words, sentence_of
from tui.analysis.progress import Doing, Failed
from tui.analysis.speed.to_time import ToTime
from tui.analysis.subject import Subject
from tui.checkpoints.choosing.to_open import ToOpen
from tui.checkpoints.file_block import FileBlock
from tui.checkpoints.found import FoundBlock, Recognition
from tui.fusion.grammar.number_text import show_number
from tui.fusion.quoting import printable
from tui.fusion.specs.problems import MAX_EPS
from tui.running.background import iterate_in_thread
from tui.screens.checkpoint.eps_choices import EpsChoices
from tui.screens.checkpoint.fusing_all import ToFuse, fuse_all
from tui.screens.checkpoint.judging import judge_of
from tui.screens.checkpoint.keys import BINDINGS, EVERYWHERE, HELP_LINES, SIGNS
from tui.screens.checkpoint.opening import OpeningScreen
from tui.screens.checkpoint.ranging import show_ranges
from tui.screens.checkpoint.reading import is_readable, problems_in, read_of
from tui.screens.checkpoint.timing import blocks_to_time
from tui.screens.help_everywhere import HELP_EVERYWHERE
from tui.views.checkpoint.compared_view import ComparedView
from tui.views.checkpoint.detail_pane import DetailPane
from tui.views.checkpoint.detail_words import Read, words_on
from tui.views.checkpoint.fused_view import FusedView
from tui.views.checkpoint.items_view import ItemsView
from tui.views.checkpoint.outline_rows import Line
from tui.views.checkpoint.outline_view import OutlineView
from tui.views.checkpoint.ranges_view import RangesView
from tui.views.shared.tree_view import TreeView
from tui.widgets.foot_key import FootKey
from tui.widgets.help_line import HelpLine
from tui.widgets.notice import Notice
from tui.widgets.value_prompt import ValuePrompt

if TYPE_CHECKING:
    from tui.checkpoints.conversion.fused import FusedCheckpoint
    from tui.screens.comparing.comparison import Judge
    from tui.screens.saving_report import ReportData

REST = 0.08
"""Seconds that the cursor rests before what it is on is read."""
NOT_YET = "The blocks are still being looked for."
_ON_A_FILE = ("search", "fuse", "compare", "ranges", "eps", "report", "speed")


class CheckpointScreen(OpeningScreen):
    """Shows what the file holds, and does all that can be done with it; its blocks go to the bench."""

    EVERYWHERE: ClassVar[tuple[FootKey, ...]] = EVERYWHERE
    WAY_BACK: ClassVar[str] = "back to the file"
    HEADING: ClassVar[str] = "IN A CHECKPOINT"
    HELP_LINES: ClassVar[tuple[HelpLine, ...]] = (
        OpeningScreen.SEARCH_LINE,
        *HELP_LINES,
        OpeningScreen.SPEED_LINE,
        OpeningScreen.REPORT_LINE,
    )
    BINDINGS: ClassVar[list[BindingType]] = BINDINGS

    def __init__(self, to_open: ToOpen) -> None:
        super().__init__(to_open)
        self._read: dict[str, Read] = {}
        self._subjects: dict[tuple[str, float | None], Subject] = {}
        self._eps = EpsChoices(to_open.eps)
        self._asked: tuple[FoundBlock, bool] | None = None  # whose eps the prompt asks for
        self._to_time: tuple[Recognition, Mapping[str, float], ToTime] | None = None

    def make_room_for(self, to_open: ToOpen) -> None:
        """Know nothing more of this file, either."""
        self._read.clear()
        self._eps = EpsChoices(to_open.eps)
        super().make_room_for(to_open)

    @on(OutlineView.Moved)
    def _moved(self, event: OutlineView.Moved) -> None:
        event.stop()
        if self.views.at_the_tree:
            self.tell_line(event.line)
        self._look_at(event.line)

    def tell_line(self, line: Line, read: Read = None) -> None:
        """Tell of a line of the tree; `read`: what its numbers were found to be, where that is new."""
        block = line.only_block
        judged = None if block is None else self.judged(block.reads)
        if judged is not None:
            self.tell_judged(judged)
            return
        eps = None if block is None else self._eps.of(block)
        words = words_on(line, read or self._read.get(_key(line)), eps, narrow=self.has_class("-narrow"))
        self.query_one(DetailPane).show(words)

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
        if self.outline.line == line and self.views.at_the_tree:
            self.tell_line(line, read)

    @on(OutlineView.BlockChosen)
    def _block_chosen(self, event: OutlineView.BlockChosen) -> None:
        event.stop()
        self.open_block(event.block, self._eps.of(event.block))

    @work(group="opening a block", exclusive=True, description="opening a block")
    async def open_block(self, block: FoundBlock, eps: float | None) -> None:
        """Have the block on the bench, as it was left there if it was the last one.

        `eps`: of its batch norms; None for the family's. What another tool made of it and is wrong stands
        there as the fused kernel.
        """
        self.drop_old_comparison()
        notice, listing = self.query_one(Notice), self.listing
        key = block.fused[0].name, eps
        try:
            if key not in self._subjects and listing is not None:
                origin = FileBlock(listing.checkpoint, block, eps)
                self._subjects[key] = await self.with_given(origin, block.reads)
        except Exception as error:
            notice.say(f"This block cannot be opened: {sentence_of(error)}", error=True)
            return
        notice.text = ""
        self.post_message(self.BlockChosen(self._subjects[key], self))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Before a file is open, nothing can be done with it."""
        if self.listing is None and action in _ON_A_FILE:
            return False
        if action == "fuse":
            fused = self.views.there(FusedView)
            return not (fused and fused.is_fusing and self.views.current == fused.id)
        return super().check_action(action, parameters)

    def show_view(self, view: TreeView[Any, Any] | ItemsView) -> None:
        """Have that view in sight, and beside it what is under its cursor."""
        if isinstance(view, FusedView):
            view.hold_against(self._eps.of_blocks(self.blocks or ()))
        super().show_view(view)

    @on(ItemsView.Chosen)
    def _item_chosen(self, event: ItemsView.Chosen) -> None:
        event.stop()
        block, view = event.item.block, event.view
        if block is not None:
            eps = self._eps.of(block)
            if isinstance(view, FusedView | RangesView):  # it may be of before another eps was chosen
                eps = view.eps_of.get(block.prefix)
            self.open_block(block, eps)

    @work(group="fuse")
    async def action_fuse(self) -> None:
        """Fuse all blocks; where that is going on, or is done, show it first."""
        view, listing = await self.views.made(FusedView), self.listing
        if listing is None or listing.recognition is None:
            self._say_not_yet()
        elif view.is_fusing or (view.fused is not None and self.views.current != view.id):
            self.show_view(view)
        elif not listing.recognition.blocks:
            self.notify(_nothing_to_fuse(listing.recognition), timeout=6, markup=False)
        else:
            eps_of = self._eps.of_blocks(listing.recognition.blocks)
            await fuse_all(self, ToFuse(listing, eps_of, view), self.show_view)
            self.drop_old_comparison()

    def to_time(self) -> ToTime | None:
        """The blocks, with the eps that was chosen; the same as before where all that is the same."""
        listing = self.listing
        if listing is None or listing.recognition is None:
            self._say_not_yet()
            return None
        found, eps_of = listing.recognition, self._eps.of_blocks(listing.recognition.blocks)
        if not found.blocks:
            self.notify(_nothing_to_fuse(found), timeout=6, markup=False)
            return None
        before = self._to_time
        if before is None or before[0] is not found or before[1] != eps_of:
            before = self._to_time = found, eps_of, blocks_to_time(listing.checkpoint, found, eps_of)
        return before[2]

    def _say_not_yet(self) -> None:
        self.notify(NOT_YET, timeout=2)

    @on(FusedView.StopWanted)
    def _stop_wanted(self, event: FusedView.StopWanted) -> None:
        event.stop()
        self.workers.cancel_group(self, "fuse")

    def action_eps(self, of_family: bool) -> None:
        """Ask for another eps, for all blocks of the family of the one under the cursor, or for it alone."""
        line = self.outline.line
        block = line.only_block if line is not None and self.views.at_the_tree else None
        if block is None or not block.has_norm:
            self.notify("There is no block with a batch norm under the cursor.", timeout=3)
            return
        self._asked = block, of_family
        number = sum(each.family == block.family for each in self.blocks or ())
        whose = f"all {number} of {block.family}" if of_family else printable(block.prefix) or "the block"
        remark = f"the family's: {show_number(block.eps)}"
        self.query_one(ValuePrompt).ask(f"eps of {whose}", show_number(self._eps.used(block)), remark)

    @on(ValuePrompt.Entered)
    def _eps_entered(self, event: ValuePrompt.Entered) -> None:
        event.stop()
        prompt = self.query_one(ValuePrompt)
        if self._asked is None:
            return
        if event.value is not None and not 0 <= event.value <= MAX_EPS:
            prompt.refuse(f"eps must be from 0 to {MAX_EPS}.")
            return
        block, of_family = self._asked
        self._eps.choose(block, event.value, of_family=of_family)
        self._leave_prompt()
        if self.comparison is not None:
            self.compare_with(self.comparison.other)

    @on(ValuePrompt.Left)
    def _leave_prompt(self) -> None:
        self.query_one(ValuePrompt).close()
        self.outline.focus_content()
        self.tell_anew()

    @property
    def why_not_compared(self) -> str:
        """Blocks that are not known yet, or are none."""
        if self.listing is None or self.listing.recognition is None:
            return NOT_YET
        return "" if self.blocks else _nothing_to_fuse(self.listing.recognition)

    def judge(self) -> Judge:
        """Judges by the eps that are chosen now."""
        assert self.listing is not None
        return judge_of(self.listing, self._eps.of_blocks(self.blocks or ()))

    def forget_subjects(self) -> None:
        """Open blocks anew from now on."""
        self._subjects.clear()

    @work(group="ranges", exclusive=True)
    async def action_ranges(self) -> None:
        """Show the weight ranges; what was read once is not read again while eps stays."""
        view, listing = await self.views.made(RangesView), self.listing
        if listing is None or self.blocks is None:
            self._say_not_yet()
            return
        self.show_view(view)
        eps_of = self._eps.of_blocks(self.blocks)
        if not view.is_done or view.eps_of != eps_of:
            view.eps_of = eps_of
            await show_ranges(listing, eps_of, view)

    def report_data(self) -> ReportData | None:
        """Of what is compared, but where what is fused is in sight; without that, of what is fused."""
        view = self.views.there(FusedView)
        compared = super().report_data() if self.views.in_sight is not view else None
        if compared is not None or view is None or view.fused is None:
            return compared
        return partial(_fused_as_data, view.fused, view.written)

    @staticmethod
    def help_sections() -> dict[str, tuple[HelpLine, ...]]:
        """What the help says of the keys, by heading."""
        views = (OutlineView, CheckpointScreen, FusedView, ComparedView, RangesView)
        lines = tuple(line for each in views for line in each.HELP_LINES)
        return {
            CheckpointScreen.HEADING: lines,
            "SIGNS IN A CHECKPOINT": SIGNS,
            "EVERYWHERE": HELP_EVERYWHERE,
        }


def _fused_as_data(fused: FusedCheckpoint, output: Path | None) -> dict[str, Any]:
    from tui.checkpoints.reports.fusing import fused_as_data  # stands on torch, as what it tells of does

    return fused_as_data(fused, output)


def _nothing_to_fuse(recognition: Recognition) -> str:
    if any(each.already_fused for each in recognition.left_alone):
        return "All of it was fused already."
    return "There is no block to be fused; the tree tells what was left alone, and why."


def _key(line: Line) -> str:
    block = line.only_block
    return line.node.path if block is None else f"{line.node.path} {block.fused[0].name}"
