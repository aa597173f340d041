"""The names of the views in one line, each with the digit that opens it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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

    current: reactive[int] = reactive(0, layout=True)
    """The place of the view that is shown."""

    wide: reactive[bool] = reactive(False, layout=True)
    """Whether there is room for blanks around the titles."""

    room: reactive[int] = reactive(0, layout=True)
    """The columns that there are; where the titles do not fit, all but the current have their digit only."""

    @dataclass
    class Chosen(Message):
        """The user wants the view at that place."""

        place: int

    def __init__(self, titles: Sequence[str], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._titles = titles

    @property
    def _words(self) -> list[str]:
        """Each title with its digit; where there is room, with a blank on both sides."""
        blank = " " if self.wide else ""
        words = [f"{blank}{number} {title}{blank}" for number, title in enumerate(self._titles, start=1)]
        if self.room and len(self._gap.join(words)) > self.room:
            return [each if place == self.current else each.split()[0] for place, each in enumerate(words)]
        return words

    @property
    def _gap(self) -> str:
        """What stands between two titles."""
        return "" if self.wide else " "

    def get_content_width(self, *_: object) -> int:
        """All titles side by side."""
        return len(self._gap.join(self._words))

    def render(self) -> RenderResult:
        """The titles; the current one in the accent's colour."""
        parts: list[str | tuple[str, str]] = []
        for place, words in enumerate(self._words):
            parts.append(self._gap if place else "")
            if place == self.current:
                parts.append((words, "bold $block-cursor-foreground on $primary"))
            else:
                digit = len(words) - len(words.lstrip()) + 1
                parts += [(words[:digit], "$primary"), (words[digit:], "$foreground 70%")]
        return Content.assemble(*parts)

    def on_click(self, event: events.Click) -> None:
        """Ask for the view whose title was clicked."""
        right = 0
        for place, words in enumerate(self._words):
            right += len(words) + len(self._gap)
            if event.x < right:
                self.post_message(self.Chosen(place))
                return
