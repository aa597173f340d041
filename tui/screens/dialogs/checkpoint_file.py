"""The dialog that lets a checkpoint be chosen: the files of a folder, the folders above and below."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.events import Key
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from tui.analysis.failure import sentence_of
from tui.checkpoints.choosing.choices import Choice, choices_in
from tui.export.saving import in_home
from tui.fusion.quoting import printable
from tui.running.background import iterate_in_thread
from tui.screens.dialogs.dialog import Dialog
from tui.views.checkpoint.outline_rows import size_in_words
from tui.widgets.paged_option_list import PagedOptionList

HINT = "enter opens it · backspace: up · or type a path · escape closes"
TYPING_HINT = "enter opens that file or folder · tab: back to the list · escape closes"


class CheckpointFileScreen(Dialog[Path | None]):
    """Dismisses with a file that may be a checkpoint, or None. It opens none itself."""

    DEFAULT_CSS = """
    CheckpointFileScreen {
        align: center middle;
        & > Vertical {
            width: 84; max-width: 100%; height: auto; max-height: 100%;
            border: round $primary; background: $surface; padding: 1 2 0 2;
            border-title-color: $foreground;
        }
        & #choices { border: none; height: 14; background: transparent; padding: 0; margin: 1 0;
            scrollbar-size-vertical: 1; text-wrap: nowrap; text-overflow: ellipsis; }
        & Horizontal { height: 1; }
        & .label { width: 8; color: $text-muted; }
        & Input { width: 1fr; background: $foreground 8%; }
        & Input:focus { background: $primary 25%; }
        & #choice-problem { color: $text-error; height: auto; }
        & #choice-hint { color: $text-muted; height: auto; }
    }
    CheckpointFileScreen.-low #choices { height: 10; }
    """
    VERTICAL_BREAKPOINTS = [(0, "-low"), (30, "-high")]  # noqa: RUF012  # mutable, as textual declares it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Close", show=False, priority=True),
        Binding("backspace", "above", "The folder above", show=False),
        Binding("q", "dismiss(None)", "Close", show=False),
    ]

    def __init__(self, folder: Path, title: str = "Open a checkpoint", *, problem: str = "") -> None:
        super().__init__()
        self._folder, self._title, self._problem = folder, title, problem
        self._choices: tuple[Choice, ...] = ()

    def compose(self) -> ComposeResult:
        """The folder, what is in it, how to go on."""
        with Vertical() as dialog:
            dialog.border_title = self._title
            with Horizontal():
                yield Static("Folder", classes="label", markup=False)
                yield Input(compact=True, select_on_focus=False, id="choice-path")
            yield PagedOptionList(compact=True, markup=False, id="choices")
            yield Static(self._problem, id="choice-problem", markup=False)
            yield Static(HINT, id="choice-hint", markup=False)

    def on_mount(self) -> None:
        """Show the folder."""
        self.query_one(OptionList).focus()
        self._show(self._folder)

    @on(OptionList.OptionHighlighted)
    @on(Input.Changed)
    def _hint(self) -> None:
        typing = self.query_one(Input).has_focus
        self.query_one("#choice-hint", Static).update(TYPING_HINT if typing else HINT)

    def on_descendant_focus(self) -> None:
        """Say how to go on from here."""
        self._hint()

    def on_key(self, event: Key) -> None:
        """What is typed in the list begins a path, in this folder or anywhere; q closes."""
        letter = event.character or ""
        if self.query_one(OptionList).has_focus and event.is_printable and letter.strip("q "):
            event.stop()
            field = self.query_one(Input)
            field.value, field.cursor_position = letter, 1
            self.set_focus(field)  # at once: the next letter may be here already

    @work(exclusive=True, exit_on_error=False, description="files of a folder")
    async def _show(self, folder: Path, came_from: Path | None = None) -> None:
        """List the folder; one on a slow disk keeps nobody waiting."""
        said = self.query_one("#choice-problem", Static)
        try:
            async for choices in iterate_in_thread(partial(_choices, folder)):
                self._choices = choices
        except Exception as error:
            said.update(sentence_of(error))
            return
        self._folder = folder
        self.query_one(Input).value = printable(in_home(folder.absolute()))
        is_empty = all(each.size is None for each in self._choices)
        said.update("No checkpoint lies in this folder." if is_empty else "")
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options([Option(_entry(each)) for each in self._choices])
        below = came_from if came_from != folder.absolute().parent else None
        places = [place for place, each in enumerate(self._choices) if each.path == below]
        files = [place for place, each in enumerate(self._choices) if each.size is not None]
        options.highlighted = next(iter(places or files), 0)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self._take(self._choices[event.option_index].path)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if event.value.strip():
            self._take((self._folder / Path(event.value.strip()).expanduser()).absolute())
            self.query_one(OptionList).focus()

    def _take(self, path: Path) -> None:
        if path.is_dir():
            self._show(path, came_from=self._folder)
        else:
            self.dismiss(path)

    def action_above(self) -> None:
        """Go to the folder above."""
        self._show(self._folder.parent, came_from=self._folder)


def _choices(folder: Path) -> Iterator[tuple[Choice, ...]]:
    yield choices_in(folder)


def _entry(choice: Choice) -> Content:
    if choice.size is not None:
        size = f"{size_in_words(choice.size):>12}"
        return Content.assemble(f"{printable(choice.name):<58} ", (size, "$foreground 60%"))
    return Content.assemble((f"{printable(choice.name)}/", "$text-primary"))
