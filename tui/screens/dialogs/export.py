"""The dialog that asks what to take away, and where to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, NamedTuple

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.events import DescendantFocus
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from tui.export.items import ITEMS, Item, file_name_of, summary_of
from tui.export.saving import SavingError, download_name, is_taken, path_from
from tui.fusion.quoting import printable
from tui.screens.dialogs.dialog import Dialog
from tui.screens.dialogs.replace import ReplaceScreen
from tui.widgets.paged_option_list import PagedOptionList

COPY_HINT = "enter copies it · f saves it to a file · escape closes"
NO_TEXT_HINT = "f saves it to a file · escape closes"
SAVE_HINT = "enter saves it · escape goes back"
DOWNLOADED = {"f saves it to a file": "f downloads it", "enter saves it": "enter downloads it"}
"""What a browser does in place of that."""


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What the user wants.

    Attributes:
        path: of the file, None for the clipboard; in a browser the name of a download.
        replace: whether they said that a file of that name may go.
    """

    item: Item
    path: Path | None = None
    replace: bool = False


class _State(NamedTuple):
    """What stands in the dialog; a complaint is about one state."""

    item: Item
    file_name: str
    naming: bool


class ExportScreen(Dialog[ExportRequest | None]):
    """Dismisses with the request, or None. It writes nothing itself."""

    DEFAULT_CSS = """
    ExportScreen {
        align: center middle;
        & > Vertical {
            width: 76; max-width: 100%; height: auto; max-height: 100%;
            border: round $primary; background: $surface; padding: 1 2;
            border-title-color: $foreground;
        }
        & OptionList { border: none; height: auto; background: transparent; padding: 0; }
        & Horizontal { height: 1; margin: 1 0; }
        & .label { width: 6; color: $text-muted; }
        & Input { width: 1fr; background: $foreground 8%; }
        & Input:focus { background: $primary 25%; }
        & #export-hint { color: $text-muted; height: auto; }
        & #export-hint.-wrong { color: $text-error; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back", show=False),
        Binding("q,x", "dismiss(None)", "Close", show=False),
        Binding("f", "name_file", "To a file", show=False),
        *(Binding(str(key), f"highlight({key - 1})", show=False) for key in range(1, len(ITEMS) + 1)),
    ]

    def __init__(self, item: Item, grid: str, *, file_name: str | None = None, problem: str = "") -> None:
        """Begin at the item; after a failure, at its file name again, with the problem in words."""
        super().__init__()
        self._first, self._grid = item, grid
        self._suggested = item
        self._file_name, self._problem = file_name, problem
        self._complaint: tuple[_State, str] | None = None

    def compose(self) -> ComposeResult:
        """A line for each thing, the name of its file, and how to go on."""
        with Vertical() as dialog:
            dialog.border_title = "Export"
            options = PagedOptionList(*map(self._option, ITEMS), compact=True)
            options.highlighted = list(ITEMS).index(self._first)
            yield options
            with Horizontal():
                yield Static("File", classes="label", markup=False)
                yield Input(compact=True, select_on_focus=True, id="export-file")
            yield Static(id="export-hint", markup=False)

    def _option(self, item: Item) -> Option:
        key = list(ITEMS).index(item) + 1
        summary = summary_of(item, self._grid)
        return Option(
            Content.assemble((f"{key}  ", "$foreground 60%"), f"{ITEMS[item].title:<18}", summary), id=item
        )

    def on_mount(self) -> None:
        """Stand in the list, or after a failure in the name."""
        self._suggest()
        if self._file_name is not None:
            self.query_one(Input).value = self._file_name
            self.query_one(Input).focus()
        if self._problem:
            self._complain(self._problem, naming=self._file_name is not None)

    @property
    def item(self) -> Item:
        """What is highlighted."""
        return list(ITEMS)[self.query_one(OptionList).highlighted or 0]

    def _suggest(self) -> None:
        self._suggested = self.item
        self.query_one(Input).value = file_name_of(self.item, self._grid)

    def _complain(self, words: str, *, naming: bool) -> None:
        """Say what is wrong, until something is changed; `naming`: the fault is in the file's name."""
        state = _State(self.item, self.query_one(Input).value, naming)
        self._complaint = state, words[:1].upper() + words[1:]
        self._hint()

    @on(DescendantFocus)
    @on(Input.Changed)
    def _hint(self) -> None:
        """Say how to go on, or what is wrong."""
        name, hint = self.query_one(Input), self.query_one("#export-hint", Static)
        about, complaint = self._complaint or (None, "")
        wrong = about == _State(self.item, name.value, name.has_focus)
        keys = SAVE_HINT if name.has_focus else COPY_HINT if ITEMS[self.item].is_text else NO_TEXT_HINT
        hint.update(self._as_here(complaint if wrong else keys))
        hint.set_class(wrong, "-wrong")

    @on(OptionList.OptionHighlighted)
    def _highlighted(self) -> None:
        if self.item is not self._suggested:  # the list also tells of the first item, after a name was put in
            self._suggest()
            self._hint()

    def _as_here(self, words: str) -> str:
        for saved, downloaded in DOWNLOADED.items() if self.app.is_web else ():
            words = words.replace(saved, downloaded)
        return words

    def action_highlight(self, place: int) -> None:
        """Go to an item by its digit."""
        self.query_one(OptionList).highlighted = place

    def action_name_file(self) -> None:
        """Go to the file's name."""
        self.query_one(Input).focus()

    def action_back(self) -> None:
        """From the name to the list, and from there out."""
        if self.query_one(Input).has_focus:
            self.query_one(OptionList).focus()
        else:
            self.dismiss(None)

    @on(OptionList.OptionSelected)
    def _copy(self) -> None:
        if ITEMS[self.item].is_text:
            self.dismiss(ExportRequest(self.item))
        else:
            self._complain("this is not text that can be copied: f saves it to a file.", naming=False)

    @on(Input.Submitted)
    @work
    async def _save(self, event: Input.Submitted) -> None:
        """Ask for the file, after a question where there is one of that name."""
        try:
            if self.app.is_web:
                self.dismiss(ExportRequest(self.item, Path(download_name(event.value))))
                return
            path = path_from(event.value)
        except SavingError as error:
            self._complain(f"{error}.", naming=True)
            return
        taken = is_taken(path)
        if not taken or await self.app.push_screen_wait(ReplaceScreen(printable(str(path)))):
            self.dismiss(ExportRequest(self.item, path, taken))
