"""A long text of the help, on a screen of its own."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Markdown

from tui.help_topics import topic_in_markdown
from tui.screens.dialogs.dialog import Dialog


class TopicScreen(Dialog[None]):
    """One of `TOPICS`; any of escape, ? and q goes back to the help."""

    DEFAULT_CSS = """
    TopicScreen {
        align: center middle;
        & > VerticalScroll {
            width: 110; max-width: 100%; height: 100%;
            border: round $primary; background: $surface; padding: 0 1;
            border-subtitle-color: $text-muted; scrollbar-size-vertical: 1;
        }
        & Markdown { background: $surface; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q", "dismiss", "Back", show=False),
    ]

    def __init__(self, topic: str) -> None:
        super().__init__()
        self._topic = topic

    def compose(self) -> ComposeResult:
        """The text, which can be scrolled."""
        with VerticalScroll() as page:
            page.border_subtitle = "escape goes back"
            yield Markdown(topic_in_markdown(self._topic), open_links=False)
