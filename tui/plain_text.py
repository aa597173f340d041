"""What the command line prints, where the encoding lacks a character: readable, and never an error."""

from __future__ import annotations

import codecs
import unicodedata
from typing import TextIO

ERRORS = "repfuse-plain-text"
"""The name of the error handler for encoders."""

_ALIKE = {
    "×": "x",
    "✗": "x",
    "✓": "ok",
    "−": "-",
    "–": "-",
    "—": "-",
    "─": "-",
    "…": "...",
    "→": "->",
    "←": "<-",
    "≠": "!=",
    "≤": "<=",
    "≥": ">=",
    "±": "+/-",
    "·": "-",
    "•": "*",
    "“": '"',
    "”": '"',
    "‘": "'",
    "’": "'",
    "²": "^2",
    "α": "alpha",
    "β": "beta",
    "γ": "gamma",
    "σ": "sigma",
    "Σ": "sum",
    "∞": "inf",
    "\N{NO-BREAK SPACE}": " ",
}


def in_ascii(text: str) -> str:
    """The text in ASCII, as much like it as can be: "1x1", "->"; accents are dropped, the rest is escaped."""
    return "".join(character if character.isascii() else _alike(character) for character in text)


def print_readably(stream: TextIO | None) -> None:
    """Let a stream write what its encoding lacks as `in_ascii` has it."""
    if stream is not None and hasattr(stream, "reconfigure"):
        stream.reconfigure(errors=ERRORS)


def _alike(character: str) -> str:
    if character in _ALIKE:
        return _ALIKE[character]
    letter = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode("ascii")
    return letter or ascii(character)[1:-1]


def _replaced(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return in_ascii(error.object[error.start : error.end]), error.end


codecs.register_error(ERRORS, _replaced)
