"""A Static for text of a few lines that changes with each key, most often to as many lines as before."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual.content import Content
from textual.widgets import Static

if TYPE_CHECKING:
    from textual.css.styles import RulesMap


class SteadyText(Static):
    """Has the screen laid out anew only when its text takes more or fewer rows than before."""

    _taken: tuple[int, int] | None = None

    def show(self, content: Content) -> None:
        """Put another text in its place."""
        width = self.content_size.width
        taken = width, content.get_height(cast("RulesMap", self.styles), width) if width else 0
        self.update(content, layout=not width or taken != self._taken)
        self._taken = taken
