"""ComparingScreen: a tree of blocks that can be held against what another tool made of them."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from tui.analysis.failure import sentence_of
from tui.analysis.origin import Origin
from tui.analysis.subject import Subject
from tui.checkpoints.contents import Checkpoint
from tui.fusion.quoting import printable
from tui.running.background import iterate_in_thread
from tui.screens.comparing.comparison import Comparison
from tui.screens.tree_screen import TreeScreen
from tui.views.checkpoint.compared_view import ComparedView, detail_of, outcome, verdict_words
from tui.views.checkpoint.detail_pane import DetailPane
from tui.views.checkpoint.file_head import FileHead
from tui.views.checkpoint.file_views import FileViews
from tui.views.checkpoint.items_view import Item, ItemsView
from tui.views.checkpoint.search_line import SearchLine
from tui.views.shared.progress_line import progress_line
from tui.views.shared.tree_view import TreeView
from tui.views.shared.verdict_words import Verdict
from tui.widgets.help_line import HelpLine
from tui.widgets.notice import Notice

if TYPE_CHECKING:
    from tui.checkpoints.comparison.compared import ComparedBlock, ComparedCheckpoint
    from tui.screens.comparing.comparison import Judge
    from tui.screens.saving_report import ReportData

Reads = tuple[str, ...]
"""The names of the tensors that a block reads, which tell it from all others."""


class ComparingScreen(TreeScreen):
    """Has FileHead, FileViews, DetailPane and Notice beside what a TreeScreen has; judges in a worker.

    Attributes:
        WHAT: what it is a tree of, in a word.
    """

    WHAT: ClassVar[str] = ""
    DEFAULT_CSS = """
    ComparingScreen {
        &.-narrow FileViews { min-height: 5; }
        &.-narrow.-aside FileViews { min-height: 8; }
        & #totals.-wrapped { height: auto; max-height: 3; text-wrap: wrap; }
        &.-aside #totals { display: none; }
        &.-aside.-high #tree-body { padding: 1 0 0 0; }
    }
    """
    REPORT_LINE: ClassVar[HelpLine] = HelpLine(
        "x", "the report as JSON, after fusing or comparing", ("tree.report",)
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "c",
            "compare",
            "Compare",
            show=False,
            id="tree.compare",
            tooltip="With what another tool made of it: each fused kernel judged, and all else",
        ),
        Binding(
            "x",
            "report",
            "Report",
            show=False,
            id="tree.report",
            tooltip="What fusing or comparing came to, as a JSON file",
        ),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.comparison: Comparison | None = None
        self._opened: set[Checkpoint] = set()  # also those before the present one: the bench may read them

    def on_unmount(self) -> None:
        """Let all files go."""
        for checkpoint in self._opened:
            checkpoint.close()

    @property
    def views(self) -> FileViews[Any]:
        """The tree and the other views."""
        return self.query_one(FileViews)

    @property
    def outline(self) -> TreeView[Any, Any]:
        """The tree."""
        tree: TreeView[Any, Any] = self.views.tree_view
        return tree

    @property
    @abc.abstractmethod
    def folder(self) -> Path:
        """Where a file to compare with is likely to be."""

    @property
    @abc.abstractmethod
    def totals(self) -> Content:
        """What stands over the tree where nothing is compared."""

    @property
    @abc.abstractmethod
    def why_not_compared(self) -> str:
        """Why nothing can be compared, in a sentence; "" where it can."""

    @property
    @abc.abstractmethod
    def report_name(self) -> str:
        """What a report on it is called, without ".json"."""

    @abc.abstractmethod
    def judge(self) -> Judge:
        """What judges another tool's work on the blocks."""

    @abc.abstractmethod
    def show_verdicts(self, verdicts: Mapping[Reads, Verdict]) -> None:
        """Have the tree tell these; none where nothing is compared."""

    @abc.abstractmethod
    def forget_subjects(self) -> None:
        """Open blocks anew from now on: what stands on the bench beside them is another thing."""

    @abc.abstractmethod
    def tell_line(self, line: Any) -> None:
        """Tell of a line of the tree."""

    def judged(self, reads: Reads) -> ComparedBlock | None:
        """What was found out about that block's fused kernel; None where none was compared."""
        return None if self.comparison is None else self.comparison.blocks.get(reads)

    def tell_judged(self, block: ComparedBlock) -> None:
        """Tell what was found out about a block's fused kernel."""
        self.query_one(DetailPane).show(detail_of(block, self.has_class("-narrow"), self.WHAT))

    async def with_given(self, origin: Origin, reads: Reads) -> Subject:
        """The block as a subject, with the fused kernel that another tool made of it where that is wrong.

        Raises:
            CheckpointError: the other file has changed or is gone.
        """
        comparison = self.comparison
        if comparison is None:
            return Subject(origin.spec, origin=origin)
        origin.brought_from = comparison.name
        async for alterations, words in iterate_in_thread(partial(comparison.alterations, reads)):
            origin.brought = alterations
            origin.remarks += (f"fused kernel {words}",) if words else ()
        return Subject(origin.spec, origin.brought, origin)

    def say_totals(self, words: Content | str, *, wrapped: bool = False) -> None:
        """Put this over the tree."""
        totals = self.query_one("#totals", Static)
        totals.set_class(wrapped, "-wrapped")
        totals.update(words)

    def show_tree(self) -> None:
        """Have the tree in sight in the place of another view."""
        self.show_view(self.outline)

    def show_view(self, view: TreeView[Any, Any] | ItemsView) -> None:
        """Have that view in sight, and beside it what is under its cursor."""
        self.drop_old_comparison()
        is_aside = isinstance(view, ItemsView)
        if is_aside:
            self.query_one(SearchLine).close()
        self.set_class(is_aside, "-aside")
        self.query_one(FileHead).title = view.TITLE if isinstance(view, ItemsView) else ""
        self.views.show(view)
        self.tell_anew()

    def tell_anew(self) -> None:
        """Tell of what is under the cursor of the view in sight."""
        view = self.views.in_sight
        if isinstance(view, ItemsView):
            self._tell_item(view.item)
        elif view.line is not None:
            self.tell_line(view.line)

    def _tell_item(self, item: Item | None) -> None:
        words = "" if item is None else item.detail(self.has_class("-narrow"))
        self.query_one(DetailPane).show(words)

    @on(ItemsView.Moved)
    def _item_moved(self, event: ItemsView.Moved) -> None:
        event.stop()
        if event.view.id == self.views.current:
            self._tell_item(event.item)

    def drop_old_comparison(self) -> None:
        """Tell no verdicts any more on a file that is another one by now."""
        comparison = self.comparison
        if comparison is None or comparison.is_running or not comparison.has_changed:
            return
        self.comparison = None
        self.forget_subjects()
        self.show_verdicts({})
        self.say_totals(self.totals)
        compared = self.views.there(ComparedView)
        if compared is not None:
            compared.forget()
        words = f"{printable(comparison.name)} has changed: what was found in it is told no more."
        self.notify(f"{words} c compares again.", timeout=6, markup=False)

    @work(group="compare", exclusive=True, exit_on_error=False, description="comparing")
    async def compare_with(self, other: Path | Checkpoint) -> None:
        """Judge what another tool made of it; the tree tells the verdicts."""
        if self.why_not_compared:
            self.query_one(Notice).say(f"Not compared: {self.why_not_compared}", error=True)
            return
        comparison = self.comparison = Comparison(other)
        self.forget_subjects()
        self.show_verdicts({})
        try:
            await comparison.run(self.judge(), self._tell_comparing)
        except Exception as error:
            self.say_totals(self.totals)
            self.query_one(Notice).say(f"Not compared: {sentence_of(error)}", error=True)
            return
        finally:
            if comparison.given is not None:
                self._opened.add(comparison.given)
        assert comparison.compared is not None
        self.forget_subjects()  # a block that was opened before it was judged is opened anew
        await self._show_compared(comparison.compared, printable(comparison.name))

    async def _show_compared(self, compared: ComparedCheckpoint, name: str) -> None:
        """`name`: of the other file, fit for a terminal."""
        self._tell_verdicts()
        self.say_totals(outcome(compared, name), wrapped=True)
        view = await self.views.made(ComparedView)
        view.show_compared(compared, name, self.WHAT)
        if self.views.at_the_tree:
            self.tell_anew()

    def _tell_verdicts(self) -> None:
        if self.comparison is not None:
            blocks = self.comparison.blocks.items()
            self.show_verdicts({reads: (block.ruling, verdict_words(block)) for reads, block in blocks})

    def _tell_comparing(self, words: str, share: float, place: str) -> None:
        if self.comparison is not None:
            self._tell_verdicts()
            line = progress_line(f"{words} with {printable(self.comparison.name)}", share)
            self.say_totals(Content.assemble(line, f"   {printable(place)}"))

    @work(group="compare dialog")
    async def action_compare(self) -> None:
        """Show the comparison; where there is none, or it is in sight, ask for the other file."""
        self.drop_old_comparison()
        view = await self.views.made(ComparedView)
        if view.compared is not None and self.views.current != view.id:
            self.show_view(view)
            return
        if self.why_not_compared:
            self.notify(self.why_not_compared, timeout=6, markup=False)
            return
        if self.comparison is not None and self.comparison.is_running:
            self.notify("It is still being compared: the tree tells how far that is.", timeout=3)
            return
        from tui.screens.dialogs.checkpoint_file import CheckpointFileScreen  # not before the first paint

        path = await self.app.push_screen_wait(
            CheckpointFileScreen(self.folder, "Compare with a fused checkpoint")
        )
        if path is not None:
            self.show_view(self.outline)
            self.compare_with(path)

    def report_data(self) -> ReportData | None:
        """What makes a report on what is there to be told of; None where nothing is."""
        view = self.views.there(ComparedView)
        if view is None or view.compared is None:
            return None
        return partial(_compared_as_data, view.compared)

    @work(group="report")
    async def action_report(self) -> None:
        """Save what was found out."""
        from tui.screens.saving_report import save_report  # not before the first paint

        data = self.report_data()
        if data is not None:
            await save_report(self, self.folder / f"{self.report_name}-report.json", data)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A report needs something to tell of."""
        if action == "report":
            return self.is_mounted and self.report_data() is not None
        return super().check_action(action, parameters)


def _compared_as_data(compared: ComparedCheckpoint) -> dict[str, Any]:
    from tui.checkpoints.reports.comparing import compared_as_data  # stands on torch, as what it tells of

    return compared_as_data(compared)
