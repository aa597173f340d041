"""Text from outside, fit to stand in a message."""

from __future__ import annotations


def quoted(text: str) -> str:
    """The text in quotes: short, and with control characters visible."""
    return repr(text if len(text) <= 40 else text[:39] + "…")


def printable(text: str) -> str:
    """The text as it is, but for characters that no terminal should get: those as Python writes them."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)
