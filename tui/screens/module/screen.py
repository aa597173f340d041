"""The screen of somebody's module: a tree of its modules, and beside it what is under the cursor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from tui.analysis.failure import sentence_of
from tui.analysis.speed.to_time import RunOn, ToTime
from tui.analysis.subject import Subject
from tui.fusion.quoting import printable
from tui.screens.comparing.screen import ComparingScreen, Reads
from tui.screens.help_everywhere import HELP_EVERYWHERE
from tui.screens.module.judging import JudgeOfModule
from tui.views.checkpoint.compared_view import ComparedView
from tui.views.checkpoint.detail_pane import DetailPane
from tui.views.checkpoint.file_head import FileHead
from tui.views.checkpoint.file_views import TREE, FileViews
from tui.views.checkpoint.items_view import ItemsView
from tui.views.checkpoint.search_line import SearchLine
from tui.views.modules.module_rows import Line
from tui.views.modules.module_words import sizes_of, totals_of, words_on
from tui.views.modules.modules_view import ModulesView
from tui.views.shared.verdict_words import Verdict
from tui.widgets.foot import Foot
from tui.widgets.foot_key import FootKey
from tui.widgets.help_line import HelpLine
from tui.widgets.notice import Notice

if TYPE_CHECKING:  # as in the rows
    from tui.analysis.speed.several import Candidate
    from tui.checkpoints.contents import Checkpoint
    from tui.modules.found import FoundBlock
    from tui.modules.looking import LookedAt
    from tui.screens.comparing.comparison import Judge

NO_BLOCK = "There is no block to be fused; the tree tells what was left alone, and why."
BRANCHES_FIRST = "The module that has the branches comes first."
SIGNS: tuple[HelpLine, ...] = (
    HelpLine("◆, △", "a block that can be fused; what is left alone, with the reason"),
    HelpLine("✓, ✗, !", "a fused kernel that is right; one that is wrong; numbers that are NaN or infinite"),
    HelpLine("+", "in a comparison: a name that only what was made of it has"),
)
"""What stands before a name."""


class ModuleScreen(ComparingScreen):
    """Shows what was found in a module; asks the app for a block of it on the bench.

    With `given`, what another tool made of it, it begins with judging that.
    """

    WHAT: ClassVar[str] = "module"

    EVERYWHERE: ClassVar[tuple[FootKey, ...]] = (
        FootKey("presets", ("app.presets",)),
        FootKey("keys", ("app.help",)),
        FootKey("quit", ("app.quit",)),
    )
    WAY_BACK: ClassVar[str] = "back to the module"
    HEADING: ClassVar[str] = "IN A MODULE"
    HELP_LINES: ClassVar[tuple[HelpLine, ...]] = (
        ComparingScreen.SEARCH_LINE,
        ComparingScreen.SPEED_LINE,
        ComparingScreen.REPORT_LINE,
    )

    def __init__(self, looked: LookedAt, given: Path | Checkpoint | None = None) -> None:
        super().__init__()
        self._looked = looked
        self._given = given
        self._judge = JudgeOfModule(looked)
        self._subjects: dict[FoundBlock, Subject] = {}
        self._to_time: ToTime | None = None

    def compose(self) -> ComposeResult:
        """The module's name and totals, the tree with its pane, the line to search in, the keys."""
        yield FileHead(id="file-head")
        yield Static(self.totals, id="totals", markup=False)
        with Horizontal(id="tree-body"):
            yield FileViews(ModulesView(id=TREE), id="file-views")
            yield DetailPane(id="detail")
        yield SearchLine(id="file-search")
        yield Notice(id="notice")
        yield Foot(id="foot")

    @property
    def views(self) -> FileViews[ModulesView]:
        """The tree, and what was made of the module."""
        return self.query_one(FileViews)

    @property
    def outline(self) -> ModulesView:
        """The tree."""
        return self.views.tree_view

    @property
    def folder(self) -> Path:
        """Where the program was begun: a module may be in none."""
        return Path()

    @property
    def report_name(self) -> str:
        """The name in what the module is called by: "Net" of "blocks.py:Net"."""
        return self._looked.name.rpartition(":")[2] or "module"

    @property
    def totals(self) -> Content:
        """Blocks, and what is left alone."""
        return totals_of(self._looked)

    @property
    def why_not_compared(self) -> str:
        """Without a block there is nothing that another tool could have fused."""
        return "" if self._looked.findings.blocks else f"{NO_BLOCK} {BRANCHES_FIRST}"

    def judge(self) -> Judge:
        """Judges every block."""
        return self._judge

    def show_verdicts(self, verdicts: Mapping[Reads, Verdict]) -> None:
        """Have the tree tell these."""
        self.outline.show_verdicts(lambda found: verdicts.get(self._judge.reads(found)))

    def forget_subjects(self) -> None:
        """Open blocks anew from now on."""
        self._subjects.clear()

    def on_mount(self) -> None:
        """Show the tree."""
        head = self.query_one(FileHead)
        head.file, head.sizes = printable(self._looked.name), sizes_of(self._looked)
        if self._looked.in_train_mode:
            self.query_one(Notice).say(printable(self._looked.in_train_mode))
        self.outline.show_outline(self._looked.outline)
        self.outline.focus_content()
        if self._given is not None:
            self.compare_with(self._given)

    @on(ModulesView.Moved)
    def _moved(self, event: ModulesView.Moved) -> None:
        event.stop()
        if self.views.at_the_tree:
            self.tell_line(event.line)

    def tell_line(self, line: Line) -> None:
        """Tell of a line of the tree."""
        block = line.only_block
        judged = None if block is None else self.judged(self._judge.reads(block))
        if judged is not None:
            self.tell_judged(judged)
        else:
            self.query_one(DetailPane).show(words_on(line, narrow=self.has_class("-narrow")))

    @on(ModulesView.BlockChosen)
    def _block_chosen(self, event: ModulesView.BlockChosen) -> None:
        event.stop()
        self.open_block(event.block)

    @on(ItemsView.Chosen)
    def _item_chosen(self, event: ItemsView.Chosen) -> None:
        event.stop()
        block = event.item.block
        found = None if block is None else self._judge.block_that_reads(block.reads)
        if found is not None:
            self.open_block(found)

    @work(group="opening a block", exclusive=True, description="opening a block")
    async def open_block(self, found: FoundBlock) -> None:
        """Have the block on the bench, as it was left there if it was the last one.

        What another tool made of it and is wrong stands there as the fused kernel.
        """
        self.drop_old_comparison()
        notice = self.query_one(Notice)
        try:
            if found not in self._subjects:
                origin = self._looked.on_the_bench(found)
                self._subjects[found] = await self.with_given(origin, self._judge.reads(found))
        except Exception as error:
            notice.say(f"This block cannot be opened: {sentence_of(error)}", error=True)
            return
        notice.text = ""
        self.post_message(self.BlockChosen(self._subjects[found], self))

    def _subject_of(self, found: FoundBlock) -> Subject:
        origin = self._looked.on_the_bench(found)
        return Subject(origin.spec, origin=origin)

    def to_time(self) -> ToTime | None:
        """The blocks on what reached them, and the module as a whole."""
        blocks = self._looked.findings.blocks
        if not blocks:
            self.notify("There is no block to be timed; the tree tells what was left alone, and why.")
        elif self._to_time is None:
            from tui.modules.timing import title_of  # what is timed is asked for when it is wanted

            self._to_time = ToTime(
                self._looked.name,
                tuple(title_of(self._looked, each) for each in blocks),
                has_inputs=True,
                has_whole=self._looked.whole is None,
                candidates=self._candidates,
                subject=lambda place: self._subject_of(blocks[place - 1]),
            )
        return self._to_time

    def _candidates(self, run_on: RunOn, device: str) -> Sequence[Candidate]:
        from tui.modules.timing import candidates_of

        del run_on, device  # each has its input, and its size is told when it is made
        return candidates_of(self._looked)

    @staticmethod
    def help_sections() -> dict[str, tuple[HelpLine, ...]]:
        """What the help says of the keys, by heading."""
        return {
            ModuleScreen.HEADING: (
                *ModulesView.HELP_LINES,
                *ModuleScreen.HELP_LINES,
                *ComparedView.HELP_LINES,
            ),
            "SIGNS IN A MODULE": SIGNS,
            "EVERYWHERE": HELP_EVERYWHERE,
        }
