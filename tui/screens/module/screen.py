"""The screen of somebody's module: a tree of its modules, and beside it what is under the cursor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Static

from tui.analysis.failure import sentence_of
from tui.analysis.speed.to_time import RunOn, ToTime
from tui.analysis.subject import Subject
from tui.fusion.quoting import printable
from tui.fusion.refusal import Refusal
from tui.screens.help_everywhere import HELP_EVERYWHERE
from tui.screens.tree_screen import TreeScreen
from tui.views.checkpoint.detail_pane import DetailPane
from tui.views.checkpoint.file_head import FileHead
from tui.views.checkpoint.search_line import SearchLine
from tui.views.modules.module_words import sizes_of, totals_of, words_on
from tui.views.modules.modules_view import ModulesView
from tui.widgets.foot import Foot
from tui.widgets.foot_key import FootKey
from tui.widgets.help_line import HelpLine
from tui.widgets.notice import Notice

if TYPE_CHECKING:  # as in the rows
    from tui.analysis.speed.several import Candidate
    from tui.modules.found import FoundBlock
    from tui.modules.looking import LookedAt


class ModuleScreen(TreeScreen):
    """Shows what was found in a module; asks the app for a block of it on the bench."""

    EVERYWHERE: ClassVar[tuple[FootKey, ...]] = (
        FootKey("presets", ("app.presets",)),
        FootKey("keys", ("app.help",)),
        FootKey("quit", ("app.quit",)),
    )
    WAY_BACK: ClassVar[str] = "back to the module"
    HEADING: ClassVar[str] = "IN A MODULE"
    HELP_LINES: ClassVar[tuple[HelpLine, ...]] = (TreeScreen.SEARCH_LINE, TreeScreen.SPEED_LINE)

    def __init__(self, looked: LookedAt) -> None:
        super().__init__()
        self._looked = looked
        self._subjects: dict[FoundBlock, Subject] = {}
        self._to_time: ToTime | None = None

    def compose(self) -> ComposeResult:
        """The module's name and totals, the tree with its pane, the line to search in, the keys."""
        yield FileHead(id="file-head")
        yield Static(totals_of(self._looked), id="totals", markup=False)
        with Horizontal(id="tree-body"):
            yield ModulesView(id="outline")
            yield DetailPane(id="detail")
        yield SearchLine(id="file-search")
        yield Notice(id="notice")
        yield Foot(id="foot")

    @property
    def outline(self) -> ModulesView:
        """The tree."""
        return self.query_one(ModulesView)

    def on_mount(self) -> None:
        """Show the tree."""
        head = self.query_one(FileHead)
        head.file, head.sizes = printable(self._looked.name), sizes_of(self._looked)
        if self._looked.in_train_mode:
            self.query_one(Notice).say(printable(self._looked.in_train_mode))
        self.outline.show_outline(self._looked.outline)
        self.outline.focus_content()

    @on(ModulesView.Moved)
    def _moved(self, event: ModulesView.Moved) -> None:
        event.stop()
        self.tell_anew()

    def tell_anew(self) -> None:
        """Tell of what is under the cursor."""
        line = self.outline.line
        if line is not None:
            self.query_one(DetailPane).show(words_on(line, narrow=self.has_class("-narrow")))

    @on(ModulesView.BlockChosen)
    def _block_chosen(self, event: ModulesView.BlockChosen) -> None:
        """Have the block on the bench, as it was left there if it was the last one."""
        event.stop()
        found: FoundBlock = event.block
        notice = self.query_one(Notice)
        try:
            if found not in self._subjects:
                self._subjects[found] = self._subject_of(found)
        except Refusal as error:
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
            ModuleScreen.HEADING: (*ModulesView.HELP_LINES, *ModuleScreen.HELP_LINES),
            "EVERYWHERE": HELP_EVERYWHERE,
        }
