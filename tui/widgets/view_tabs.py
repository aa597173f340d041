"""The names of the views in one line, each with the digit that opens it."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.app import RenderResult
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget


class ViewTabs(Widget):
    """Shows `titles`, the `current` one lit up; a click on one asks for it."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "ViewTabs { width: auto; height: 1; }"

    current: reactive[int] = reactive(0)
    """The place of the view that is shown."""

    class Chosen(Message):
        """The user wants the view at that place."""

        def __init__(self, place: int) -> None:
            super().__init__()
            self.place = place

    def __init__(self, titles: Sequence[str], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._titles = titles

    @property
    def _words(self) -> list[str]:
        """Each title with its digit, and one space between each two, which the current one takes."""
        numbered = [f"{number} {title}" for number, title in enumerate(self._titles, start=1)]
        return [f" {words} " if place == self.current else words for place, words in enumerate(numbered)]

    def get_content_width(self, *_: object) -> int:
        """All titles side by side, as many columns whichever is the current one."""
        return sum(len(title) + 3 for title in self._titles) + 1

    def render(self) -> RenderResult:
        """The titles; the current one in the accent's colour."""
        parts: list[str | tuple[str, str]] = []
        for place, words in enumerate(self._words):
            here = place == self.current
            if not here and place != self.current + 1:
                parts.append(" ")
            digit, title = (words, "") if here else (words[:1], words[1:])
            parts.append((digit, "bold $block-cursor-foreground on $primary" if here else "$primary"))
            parts.append((title, "$foreground 70%"))
        return Content.assemble(*parts)

    def on_click(self, event: events.Click) -> None:
        """Ask for the view whose title was clicked."""
        right = 0
        for place, title in enumerate(self._titles):
            right += len(title) + 3
            if event.x < right:
                self.post_message(self.Chosen(place))
                return
