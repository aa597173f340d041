"""A line of keys and what they do, each of which can be clicked too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from textual.content import Content
from textual.events import Click
from textual.message import Message
from textual.widgets import Static


class KeyLine(Static):
    """Shows `keys` with their words, `gap` columns apart; posts Pressed where one is clicked."""

    DEFAULT_CSS = """
    KeyLine { pointer: pointer; }
    """

    @dataclass
    class Pressed(Message):
        """The user clicked on this key, and means to press it."""

        key: str

    def __init__(
        self, keys: Mapping[str, str], *, gap: int = 2, id: str | None = None, classes: str | None = None
    ) -> None:
        self._ends: list[tuple[int, str]] = []
        parts, end = [], 0
        for key, words in keys.items():
            parts.append(f"{key} {words}")
            end += len(parts[-1])
            self._ends.append((end, key))
            end += gap
        self._gap = gap
        super().__init__(Content((" " * gap).join(parts)), id=id, classes=classes)

    def on_click(self, event: Click) -> None:
        """Tell which key is meant; none between two of them."""
        event.stop()
        column = event.get_content_offset_capture(self).x
        for end, key in self._ends:
            if column < end:
                self.post_message(self.Pressed(key))
                return
            if column < end + self._gap:
                return
