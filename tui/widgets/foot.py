"""The foot of the screen: the keys of the place where one is, and on its right those of everywhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from textual import events
from textual.app import RenderResult
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from tui.widgets.foot_key import ShownKey

GAP = "  "
"""Between two keys of everywhere."""
APART = 3
"""Columns between the keys of the place and those of everywhere, at least."""


class Foot(Widget):
    """Shows as many of its keys as one line has room for; posts Pressed where one is clicked."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    Foot {
        dock: bottom; height: 1; padding: 0 1; background: $footer-background; color: $footer-foreground;
        pointer: pointer;
    }
    """

    here: reactive[tuple[ShownKey, ...]] = reactive[tuple[ShownKey, ...]](())
    """The keys of the place, the most useful first: the last ones go first where room is short."""
    everywhere: reactive[tuple[ShownKey, ...]] = reactive[tuple[ShownKey, ...]](())
    """The keys that always work, the most useful last."""
    always: reactive[int] = reactive(2)
    """How many of those, from the last, are shown before any key of the place is."""
    separator: reactive[str] = reactive("  ")
    """What stands between two keys of the place."""

    @dataclass
    class Pressed(Message):
        """The user clicked on this key, and means to press it."""

        key: str

    def render(self) -> RenderResult:
        """The two groups of keys, one on each side."""
        left, right = self._fitting()
        first, last = _line(left, self.separator), _line(right, GAP)
        blank = max(0, self.content_size.width - first.cell_length - last.cell_length)
        return Content.assemble(first, " " * blank, last)

    def _fitting(self) -> tuple[list[ShownKey], list[ShownKey]]:
        """What of both groups has room: the last of everywhere, then the place, then the rest."""
        width = self.content_size.width - APART
        right = list(self.everywhere[-self.always :])
        left: list[ShownKey] = []
        for shown in self.here:
            if _width([*left, shown], self.separator) + _width(right, GAP) > width:
                break
            left.append(shown)
        for shown in reversed(self.everywhere[: -self.always]):
            if _width(left, self.separator) + _width([shown, *right], GAP) > width:
                break
            right.insert(0, shown)
        return left, right

    def on_click(self, event: events.Click) -> None:
        """Tell which key is meant; on its words, the last of an entry's."""
        event.stop()
        column = event.get_content_offset_capture(self).x
        left, right = self._fitting()
        start = self.content_size.width - _width(right, GAP)
        if column >= start:
            key = _key_at(right, GAP, column - start)
        else:
            key = _key_at(left, self.separator, column)
        if key is not None:
            self.post_message(self.Pressed(key))


def _width(keys: Sequence[ShownKey], separator: str) -> int:
    """The columns of a group."""
    return sum(cell_len(shown.text) for shown in keys) + len(separator) * max(0, len(keys) - 1)


def _line(keys: Iterable[ShownKey], separator: str) -> Content:
    entries = (
        Content.assemble((" ".join(shown.labels), "bold $footer-key-foreground"), f" {shown.words}")
        for shown in keys
    )
    return Content(separator).join(entries)


def _key_at(keys: Iterable[ShownKey], separator: str, column: int) -> str | None:
    """The key at that column of a group, None between two entries."""
    start = 0
    for shown in keys:
        for key, label in zip(shown.keys, shown.labels, strict=True):
            if start <= column <= start + cell_len(label):
                return key
            start += cell_len(label) + 1
        end = start + cell_len(shown.words)
        if start - 1 <= column < end:
            return shown.keys[-1]
        start = end + len(separator)
    return None
