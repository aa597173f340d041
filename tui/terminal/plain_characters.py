"""The characters of a whole screen, as far as a terminal that is not UTF-8 does not have them, as others."""

from __future__ import annotations

import unicodedata
from codecs import getincrementaldecoder
from functools import partial
from typing import Any

from rich.cells import cell_len
from rich.segment import Segment
from textual.app import App
from textual.color import Color
from textual.filter import LineFilter

HALF_BLOCK = "▀"
"""What grids show two weights in one cell with: there is no other way to."""

_ALIKE = {
    # Each is told by the first of these that the terminal has.
    "△": "▲^",
    "◆◇": "♦*",
    "─╴╶━╸╺╌╍┄┅═▔▁": "─-",
    "│╵╷┃╹╻╎╏┆┇║▏▕▎▊▌▐▍▋": "│|",
    "╭┏╔▛▗": "┌+",
    "╮┓╗▜▖": "┐+",
    "╰┗╚▙▝": "└+",
    "╯┛╝▟▘": "┘+",
    "┌┐└┘├┤┬┴┼┣┫┳┻╋╠╣╦╩╬╪╫┷": "+",
    "█▉▇▆▅■": "█#",
    "▓": "▓%",
    "●": "*",
    "▄▃▂": "▄_",
    "▀": "▀^",
    "▒": "▒=",
    "░": "░:",
    "□○◦⭘": "o",
    "▴▲": "^",
    "▾▼": "v",
    "▸▶›→‣❯": ">",
    "‹←◀": "<",
    "↑": "^",
    "↓": "v",
    "×✗✕": "×x",
    "✓✔": "√y",
    "·•⋅⭑▪": "·.",
    "−–—‐": "-",
    "±": "~",
    "≈": "~",
    "≠": "!",
    "≤": "<",
    "≥": ">",
    "÷": "/",
    "∞": "I",
    "…": "~",
    "“”": '"',
    "‘’": "'",
    "α": "a",
    "β": "b",
    "γ": "g",
    "µμ": "u",
    "σ": "s",
    "Σ": "S",
}
_BRAILLE = "\u2800", "\u28ff"
"""The first and the last of the patterns of dots that lines of a plot are drawn with; the first has none."""
_LAST_RESORT = "?"


class PlainCharacters(LineFilter):
    """Replaces each character that `encoding` cannot write by one that it can, of the same width.

    A letter with an accent becomes the letter; what looks like nothing in it becomes "?".
    """

    def __init__(self, encoding: str) -> None:
        super().__init__()
        self.encoding = encoding
        self._table = _Table(encoding)

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The segments in the terminal's characters."""
        table = self._table
        return [
            segment if segment.text.isascii() else Segment(segment.text.translate(table), *segment[1:])
            for segment in segments
        ]


class _Table(dict[int, str]):
    """For `str.translate`: finds what a character is told by when it first comes."""

    def __init__(self, encoding: str) -> None:
        super().__init__()
        self._encoding = encoding

    def __missing__(self, number: int) -> str:
        character = chr(number)
        width = cell_len(character)
        fits = (
            candidate
            for candidate in (character, *_alike(character), *unicodedata.normalize("NFKD", character)[:1])
            if is_in(candidate, self._encoding) and cell_len(candidate) == width
        )
        self[number] = found = next(fits, _LAST_RESORT * width)
        return found


def is_in(text: str, encoding: str) -> bool:
    """Whether the encoding can write the text."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _alike(character: str) -> str:
    if _BRAILLE[0] <= character <= _BRAILLE[1]:
        return " " if character == _BRAILLE[0] else "·."
    return next((others for alike, others in _ALIKE.items() if character in alike), "")


def lacks_half_blocks(app: App[Any]) -> bool:
    """Whether the screen of this app cannot show two weights in one cell."""
    filters = app.get_line_filters()
    return any(isinstance(each, PlainCharacters) and not is_in(HALF_BLOCK, each.encoding) for each in filters)


def read_keys_in(encoding: str) -> None:
    """Have textual read keys in this encoding, and a byte that is no part of it as U+FFFD.

    Its own driver reads UTF-8 only, and a single byte that is none, as an "ü" is in latin-1, ends the app.
    """
    try:
        from textual.drivers import linux_driver
    except ImportError:  # Windows, whose driver reads characters
        return
    forgiving = partial(getincrementaldecoder(encoding), errors="replace")
    vars(linux_driver)["getincrementaldecoder"] = lambda _: forgiving
