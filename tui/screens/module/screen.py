"""The screen of somebody's module: a tree of its modules, and beside it what is under the cursor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult, SystemCommand
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.reactive import Reactive
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from tui.analysis.failure import sentence_of
from tui.analysis.subject import Subject
from tui.fusion.quoting import printable
from tui.fusion.refusal import Refusal
from tui.screens.commands import commands_of
from tui.screens.help_everywhere import HELP_EVERYWHERE
from tui.screens.keys_shown import keys_here, place_of, shown
from tui.views.checkpoint.detail_pane import DetailPane
from tui.views.checkpoint.file_head import FileHead
from tui.views.checkpoint.search_line import SearchLine
from tui.views.modules.module_words import sizes_of, totals_of, words_on
from tui.views.modules.modules_view import ModulesView
from tui.widgets.foot import GAP, Foot
from tui.widgets.foot_key import FootKey
from tui.widgets.help_line import HelpLine
from tui.widgets.notice import Notice

if TYPE_CHECKING:  # as in the rows
    from tui.modules.found import FoundBlock
    from tui.modules.looking import LookedAt

EVERYWHERE: tuple[FootKey, ...] = (
    FootKey("presets", ("app.presets",)),
    FootKey("keys", ("app.help",)),
    FootKey("quit", ("app.quit",)),
)
"""What the foot tells of in every place here, the most useful last."""
IN_A_MODULE = "IN A MODULE"
"""A heading of the help."""


class ModuleScreen(Screen[None]):
    """Shows what was found in a module; asks the app for a block of it on the bench."""

    # mutable, as textual declares them
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-normal"), (160, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-low"), (30, "-high")]  # noqa: RUF012
    AUTO_FOCUS = ""
    DEFAULT_CSS = """
    ModuleScreen {
        background: $background;
        & #totals { height: 1; padding: 0 2; margin: 1 0; text-wrap: nowrap; text-overflow: ellipsis; }
        & #module-body { height: 1fr; }
        &.-narrow #module-body { layout: vertical; }
        &.-low #totals { margin: 0; }
    }
    """
    WAY_BACK: ClassVar[str] = "back to the module"
    HELP_LINES: ClassVar[tuple[HelpLine, ...]] = (
        HelpLine(
            "/, escape",
            "search by name or class, from key to key; back to the tree",
            ("modules.search", "modules.tree"),
        ),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "slash",
            "search",
            "Search",
            show=False,
            key_display="/",
            id="modules.search",
            tooltip="A module by its name or its class",
        ),
        Binding("escape", "leave", "Back to the tree", show=False, id="modules.tree"),
    ]

    # Textual's own paints the whole screen anew at each change of focus.
    focused: Reactive[Widget | None] = Reactive(None, repaint=False)

    @dataclass
    class BlockChosen(Message):
        """The user wants this block on the bench."""

        subject: Subject

    def __init__(self, looked: LookedAt) -> None:
        super().__init__()
        self._looked = looked
        self._subjects: dict[FoundBlock, Subject] = {}

    def compose(self) -> ComposeResult:
        """The module's name and totals, the tree with its pane, the line to search in, the keys."""
        yield FileHead(id="file-head")
        yield Static(totals_of(self._looked), id="totals", markup=False)
        with Horizontal(id="module-body"):
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
        self.bindings_updated_signal.subscribe(self, self._tell_keys)
        head = self.query_one(FileHead)
        head.file, head.sizes = printable(self._looked.name), sizes_of(self._looked)
        if self._looked.in_train_mode:
            self.query_one(Notice).say(printable(self._looked.in_train_mode))
        self.outline.show_outline(self._looked.outline)
        self.outline.focus_content()

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

    @on(ModulesView.Moved)
    def _moved(self, event: ModulesView.Moved) -> None:
        event.stop()
        self.query_one(DetailPane).show(words_on(event.line, narrow=self.has_class("-narrow")))

    @on(ModulesView.BlockChosen)
    def _block_chosen(self, event: ModulesView.BlockChosen) -> None:
        """Have the block on the bench, as it was left there if it was the last one."""
        event.stop()
        found: FoundBlock = event.block
        notice = self.query_one(Notice)
        try:
            if found not in self._subjects:
                origin = self._looked.on_the_bench(found)
                self._subjects[found] = Subject(origin.spec, origin=origin)
        except Refusal as error:
            notice.say(f"This block cannot be opened: {sentence_of(error)}", error=True)
            return
        notice.text = ""
        self.post_message(self.BlockChosen(self._subjects[found]))

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

    @on(ModulesView.Searched)
    def _searched(self, event: ModulesView.Searched) -> None:
        event.stop()
        self.query_one(SearchLine).say(event.place, event.count)

    def action_leave(self) -> None:
        """Back to the tree, from the search and from the pane."""
        self.query_one(SearchLine).close()
        self.outline.end_search()
        self.outline.focus_content()

    def commands(self) -> Iterator[SystemCommand]:
        """What the keys here do, for the palette."""
        yield from commands_of(self)
        yield from commands_of(self.outline)

    @staticmethod
    def help_sections() -> dict[str, tuple[HelpLine, ...]]:
        """What the help says of the keys, by heading."""
        return {
            IN_A_MODULE: (*ModulesView.HELP_LINES, *ModuleScreen.HELP_LINES),
            "EVERYWHERE": HELP_EVERYWHERE,
        }

    def help_heading(self) -> str:
        """The heading of the help under which the keys of the place in focus are told."""
        return IN_A_MODULE

    def welcomed(self) -> None:
        """Nobody has to be welcomed here."""
