"""The line on top of a checkpoint: the program's name, the file's, what is in sight of it, its size."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.reactive import var
from textual.widgets import Static

APART = "  ›  "
"""Between the file and what is in sight of it."""


class FileHead(Horizontal):
    """Shows `file`, `title` and `sizes`."""

    SCOPED_CSS = False
    DEFAULT_CSS = """
    FileHead {
        dock: top; height: 1; background: $surface; padding: 0 1;
        & Static { width: auto; height: 1; text-wrap: nowrap; }
        & #file-program { text-style: bold; padding: 0 2 0 1; }
        & #file-name { width: 1fr; text-overflow: ellipsis; color: $text-primary; text-style: bold; }
    }
    .-narrow #file-program { display: none; }
    """

    file: var[str] = var("")
    """The name of the file, fit for a terminal."""
    title: var[str] = var("")
    """What is in sight of it; empty for the tree."""
    sizes: var[Content] = var(Content())
    """How much it holds."""

    def compose(self) -> ComposeResult:
        """Three texts on one line."""
        yield Static("repfuse-tui", id="file-program", markup=False)
        yield Static("", id="file-name", markup=False)
        yield Static("", id="file-sizes", markup=False)

    def watch_file(self) -> None:
        """Say which it is."""
        self._say()

    def watch_title(self) -> None:
        """Say what is in sight."""
        self._say()

    def _say(self) -> None:
        for line in self.query("#file-name").results(Static):
            line.update(self.file + (APART + self.title if self.title else ""))

    def watch_sizes(self, sizes: Content) -> None:
        """Say how much."""
        for line in self.query("#file-sizes").results(Static):
            line.update(sizes)

    def on_mount(self) -> None:
        """Say what was set before."""
        self._say()
