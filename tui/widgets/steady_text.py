"""A Static for text of a few lines that changes with each key, most often to as many lines as before."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static


class SteadyText(Static):
    """Has the screen laid out anew only when its text takes more or fewer rows than before."""

    _rows: tuple[int, int] | None = None

    def show(self, content: Content) -> None:
        """Put another text in its place."""
        lengths = [len(line) for line in content.plain.split("\n")]
        width = max(1, self.content_size.width)
        rows = (len(lengths), sum(-(-length // width) for length in lengths))
        self.update(content, layout=rows != self._rows)
        self._rows = rows
