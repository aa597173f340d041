"""The dialog that asks what to bring in: a file, or numbers that are pasted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.events import DescendantFocus
from textual.message import Message
from textual.widgets import Input, OptionList, Static, TextArea
from textual.widgets.option_list import Option

from tui.fusion.quoting import printable
from tui.importing.suggestions import paths_from
from tui.running.background import iterate_in_thread
from tui.screens.dialogs.dialog import Dialog

STUDY = "as x exports it, “Study as JSON”"
FILE_HINT = "enter reads it · down: the list · tab: paste numbers · escape closes"
LIST_HINT = "enter takes it · tab: paste numbers · escape closes"
ON_THAT_MACHINE = ": files of the machine that serves this page, or pasted numbers"
NUMBERS_HINT = "ctrl+s takes them · tab: back to the file · escape closes"


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """What the user gives: the name of a file, or a text in place of one."""

    file: str = ""
    text: str = ""


class PathInput(Input):
    """The field for a file's name. Of several pasted lines, which are no name, it tells its owner."""

    @dataclass
    class LinesPasted(Message):
        """Lines were pasted here that belong elsewhere."""

        text: str

    def _on_paste(self, event: events.Paste) -> None:
        if len(event.text.split()) > 1 and any(sign in event.text.strip() for sign in "\n[,"):
            event.prevent_default()
            event.stop()
            self.post_message(self.LinesPasted(event.text))


class FileNames(OptionList):
    """The names that the file may have. What is pasted here are numbers."""

    def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        self.post_message(PathInput.LinesPasted(event.text))


class ImportScreen(Dialog[ImportRequest | None]):
    """Dismisses with the request, or None. It reads nothing but the names in a folder."""

    DEFAULT_CSS = """
    ImportScreen {
        align: center middle;
        & > Vertical {
            width: 84; max-width: 100%; height: auto; max-height: 100%;
            border: round $primary; background: $surface; padding: 0 2;
            border-title-color: $foreground;
        }
        & .fitting { height: auto; margin: 0; }
        & .fitting .words { width: 1fr; height: auto; }
        & .named { height: 1; margin: 1 0 0 0; }
        & .label { width: 9; color: $text-muted; }
        & Input { width: 1fr; background: $foreground 8%; }
        & Input:focus { background: $primary 25%; }
        & OptionList {
            border: none; height: 4; background: transparent; padding: 0; margin: 0 0 0 9;
            scrollbar-size-vertical: 1;
        }
        & .numbers { height: 5; margin: 0; }
        & TextArea { width: 1fr; height: 5; border: none; background: $foreground 8%; padding: 0; }
        & TextArea:focus { background: $primary 15%; }
        & #import-problem { color: $text-error; height: auto; min-height: 1; }
        & #import-hint { color: $text-muted; height: auto; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Close", show=False, priority=True),
        Binding("ctrl+s", "take_numbers", "Take the numbers", show=False, priority=True),
        Binding("tab,shift+tab", "other_field", "To the file or the numbers", show=False, priority=True),
    ]

    def __init__(self, target: str, *, request: ImportRequest | None = None, problem: str = "") -> None:
        """`target`: where a kernel would go, in words; after a failure, its request and why it failed."""
        super().__init__()
        self._target, self._request = target, request or ImportRequest()
        self._problem = problem[:1].upper() + problem[1:]

    def compose(self) -> ComposeResult:
        """What fits, the file and the names that it may have, the numbers, how to go on."""
        with Vertical() as dialog:
            dialog.border_title = f"Import{ON_THAT_MACHINE if self.app.is_web else ''}"
            for label, words in (("Study", STUDY), ("Kernel", self._target)):
                with Horizontal(classes="fitting"):
                    yield Static(label, classes="label", markup=False)
                    yield Static(words, classes="words", markup=False)
            with Horizontal(classes="named"):
                yield Static("File", classes="label", markup=False)
                yield PathInput(self._request.file, compact=True, select_on_focus=False, id="import-file")
            yield FileNames(compact=True, markup=False)
            with Horizontal(classes="numbers"):
                yield Static("Numbers", classes="label", markup=False)
                yield TextArea(
                    self._request.text,
                    tab_behavior="focus",
                    soft_wrap=False,
                    compact=True,
                    highlight_cursor_line=False,
                    placeholder="rows of numbers, or brackets: [[0.1, 0.2], [0.3, 0.4]]",
                )
            yield Static(id="import-problem", markup=False)
            yield Static(id="import-hint", markup=False)

    def on_mount(self) -> None:
        """Stand where the last request came from, and say why it failed."""
        self._suggest()
        self.query_one(TextArea if self._request.text else PathInput).focus()

    @on(Input.Changed)
    def _typed(self) -> None:
        self._problem = "" if self.query_one(PathInput).value != self._request.file else self._problem
        self._hint()
        self._suggest()

    @on(TextArea.Changed)
    def _written(self) -> None:
        self._problem = "" if self.query_one(TextArea).text != self._request.text else self._problem
        self._hint()

    @on(DescendantFocus)
    def _hint(self) -> None:
        """Say how to go on, or what was wrong."""
        hint = self.query_one("#import-hint", Static)
        by_focus = {PathInput: FILE_HINT, OptionList: LIST_HINT, TextArea: NUMBERS_HINT}
        keys = next((words for kind, words in by_focus.items() if isinstance(self.focused, kind)), FILE_HINT)
        hint.update(keys)
        self.query_one("#import-problem", Static).update(self._problem)

    @work(exclusive=True, exit_on_error=False, description="names of files")
    async def _suggest(self) -> None:
        """List what the path may go on to; a folder on a slow disk keeps nobody waiting."""
        async for names in iterate_in_thread(partial(_names, self.query_one(PathInput).value)):
            options = self.query_one(OptionList)
            options.clear_options()
            options.add_options([Option(Content(printable(name)), id=name) for name in names])

    def on_key(self, event: events.Key) -> None:
        """Down from the field goes to the list, up from its top goes back."""
        options, field = self.query_one(OptionList), self.query_one(PathInput)
        if event.key == "down" and field.has_focus and options.option_count:
            event.stop()
            options.focus()
            options.highlighted = 0
        elif event.key == "up" and options.has_focus and not options.highlighted:
            event.stop()
            event.prevent_default()
            field.focus()

    def action_other_field(self) -> None:
        """From the numbers to the file; from the file, and from the list, which is a part of it, back."""
        area = self.query_one(TextArea)
        (self.query_one(PathInput) if area.has_focus else area).focus()

    @on(PathInput.LinesPasted)
    def _lines_pasted(self, event: PathInput.LinesPasted) -> None:
        area = self.query_one(TextArea)
        area.text = event.text
        area.focus()

    @on(OptionList.OptionSelected)
    def _name_chosen(self, event: OptionList.OptionSelected) -> None:
        name, field = event.option_id or "", self.query_one(PathInput)
        field.value = name
        field.cursor_position = len(name)
        if name.endswith("/"):
            field.focus()
        else:
            self.dismiss(ImportRequest(file=name))

    @on(Input.Submitted)
    def _file_named(self, event: Input.Submitted) -> None:
        event.stop()
        if event.value.strip():
            self.dismiss(ImportRequest(file=event.value))

    def action_take_numbers(self) -> None:
        """Take what was pasted."""
        text = self.query_one(TextArea).text
        if text.strip():
            self.dismiss(ImportRequest(text=text))


def _names(text: str) -> Iterator[list[str]]:
    yield paths_from(text)
