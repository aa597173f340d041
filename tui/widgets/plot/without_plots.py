"""What stands in a plot's place where the library that draws it is not installed."""

from __future__ import annotations

from textual.widgets import Static

WORDS = "What draws plots is not installed: pip install textual-plot. All numbers are in the table."


class WithoutPlots(Static):
    """Says so, and what to do."""

    DEFAULT_CSS = """
    WithoutPlots { width: auto; height: auto; color: $text-warning; }
    """

    def __init__(self) -> None:
        super().__init__(WORDS, markup=False)
