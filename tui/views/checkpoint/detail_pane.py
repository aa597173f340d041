"""The pane that tells what is under the cursor, beside the list or, where that is narrow, below it."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static


class DetailPane(VerticalScroll):
    """Shows words; scrolls by the arrows where it has the focus."""

    SCOPED_CSS = False
    DEFAULT_CSS = """
    DetailPane {
        width: 44; height: 1fr; padding: 0 1 0 2; border-left: solid $border-blurred;
        scrollbar-size-vertical: 1;
        &:focus { border-left: solid $primary; background-tint: transparent; }
        & #detail-words { height: auto; }
    }
    .-wide DetailPane { width: 64; }
    .-narrow DetailPane {
        width: 100%; height: 1fr; max-height: 9; border: none;
        border-top: solid $border-blurred; padding: 0 2;
        &:focus { border: none; border-top: solid $primary; }
    }
    """

    def compose(self) -> ComposeResult:
        """The words."""
        yield Static("", id="detail-words", markup=False)

    def show(self, words: Content | str) -> None:
        """Show others, from their beginning."""
        self.query_one("#detail-words", Static).update(words)
        self.scroll_home(animate=False, force=True)
