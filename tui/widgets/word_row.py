"""A word or a key, and what it means, which wraps beside it."""

from __future__ import annotations

from textual.containers import Horizontal
from textual.widgets import Static


class WordRow(Horizontal):
    """Two columns of a list of meanings."""

    DEFAULT_CSS = """
    WordRow {
        height: auto;
        & > .word { width: 21; color: $text-primary; text-style: bold; padding: 0 1 0 0; }
        & > .meaning { width: 1fr; }
    }
    """

    def __init__(self, word: str, meaning: str) -> None:
        super().__init__(
            Static(word, classes="word", markup=False), Static(meaning, classes="meaning", markup=False)
        )
