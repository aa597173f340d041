"""A line that appears when the user should know or decide something."""

from __future__ import annotations

from textual.reactive import var
from textual.widgets import Static


class Notice(Static):
    """Shows `text`, plainly or as an error; takes no room without one."""

    DEFAULT_CSS = """
    Notice {
        display: none;
        height: auto;
        padding: 0 1;
        background: $warning 20%;
        color: $foreground;
        &.-said { display: block; }
        &.-error { background: $error 25%; }
    }
    """

    text: var[str] = var("", init=False)
    """The words; empty for none."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__("", id=id, markup=False)

    def watch_text(self, text: str) -> None:
        """Appear or go."""
        self.update(text)
        self.set_class(bool(text), "-said")

    def say(self, text: str, *, error: bool = False) -> None:
        """Show the words."""
        self.set_class(error, "-error")
        self.text = text
