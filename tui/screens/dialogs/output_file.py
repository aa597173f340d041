"""The dialog that asks for the file that something is written to, and in which format."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Static

from tui.export.saving import SavingError, download_name, is_taken, path_from
from tui.fusion.quoting import printable
from tui.screens.dialogs.dialog import Dialog
from tui.screens.dialogs.replace import ReplaceScreen
from tui.widgets.form.choice import Choice

HINT = "enter writes it · escape closes"
HINT_OF_FORMATS = "enter writes it · tab, then ← →: the format · escape closes"
WRITES, DOWNLOADS = "enter writes it", "enter downloads it"


@dataclass(frozen=True, slots=True)
class Output:
    """Where to.

    Attributes:
        path: of the file; of a download its name.
        format: the chosen one by its name; "" where there was none to choose.
        replace: whether the user said that a file of that name may go.
    """

    path: Path
    format: str = ""
    replace: bool = False


class OutputScreen(Dialog[Output | None]):
    """Dismisses with the Output, or None. It writes nothing itself."""

    DEFAULT_CSS = """
    OutputScreen {
        align: center middle;
        & > Vertical {
            width: 84; max-width: 100%; height: auto; max-height: 100%;
            border: round $primary; background: $surface; padding: 1 2 0 2;
            border-title-color: $foreground;
        }
        & Horizontal { height: 1; }
        & .label { width: 8; color: $text-muted; }
        & Input { width: 1fr; background: $foreground 8%; }
        & Input:focus { background: $primary 25%; }
        & #output-words { height: auto; margin: 0 0 1 0; }
        & #output-hint { color: $text-muted; height: auto; margin: 1 0 0 0; }
        & #output-hint.-wrong { color: $text-error; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Close", show=False, priority=True),
        Binding("enter", "write", "Write it", show=False, priority=True),  # from the format too
    ]

    def __init__(
        self,
        title: str,
        words: str,
        path: Path,
        *,
        formats: Mapping[str, str] | None = None,
        format: str = "",
        problem: str = "",
        download: bool = False,
        refuse: Callable[[Path], str] = lambda _: "",
    ) -> None:
        """Ask for a file, or for the name of a download.

        `formats`: those that there are to choose from, with what each file's name ends in; `refuse`: why a
        file cannot be the one, a sentence; "" where it can, also where it may be only after a question.
        """
        super().__init__()
        self._title, self._words, self._path = title, words, path
        self._formats = dict(formats or {})
        self._format = format or next(iter(self._formats), "")
        self._problem, self._download = problem, download
        self._refuse = refuse

    def compose(self) -> ComposeResult:
        """What is written, the file, the format, how to go on."""
        with Vertical() as dialog:
            dialog.border_title = self._title
            yield Static(self._words, id="output-words", markup=False)
            with Horizontal():
                yield Static("File", classes="label", markup=False)
                yield Input(str(self._path), compact=True, select_on_focus=False, id="output-path")
            if self._formats:
                with Horizontal():
                    yield Static("Format", classes="label", markup=False)
                    yield Choice(tuple(self._formats), self._format, id="output-format")
            yield Static(id="output-hint", markup=False)

    def on_mount(self) -> None:
        """Stand in the name; after a failure, with the reason."""
        self.query_one(Input).focus()
        self._say(self._problem)

    def _say(self, problem: str) -> None:
        hint = self.query_one("#output-hint", Static)
        keys = HINT_OF_FORMATS if self._formats else HINT
        hint.update(problem or (keys.replace(WRITES, DOWNLOADS) if self._download else keys))
        hint.set_class(bool(problem), "-wrong")

    @on(Input.Changed)
    def _typed(self) -> None:
        if self.query_one(Input).value != str(self._path):
            self._say("")

    @on(Choice.Changed)
    def _turned(self, event: Choice.Changed) -> None:
        """Let the name end as such files do."""
        event.stop()
        path, self._format = self.query_one(Input), event.value
        stem, ends = path.value, tuple(self._formats.values())
        if stem.endswith(ends):
            path.value = stem[: stem.rindex(".")] + self._formats[event.value]

    @work(exclusive=True)
    async def action_write(self) -> None:
        """Go with what was chosen, after a question where there is a file of that name."""
        text = self.query_one(Input).value
        try:
            path = Path(download_name(text)) if self._download else path_from(text)
        except SavingError as error:
            words = str(error)
            self._say(f"{words[:1].upper()}{words[1:]}.")
            return
        if problem := self._refuse(path):
            self._say(problem)
            return
        taken = not self._download and is_taken(path)
        if not taken or await self.app.push_screen_wait(ReplaceScreen(printable(str(path)))):
            self.dismiss(Output(path, self._format, taken))
