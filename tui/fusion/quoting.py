"""Text from outside, fit to stand in a message."""

from __future__ import annotations


def quoted(text: str) -> str:
    """The text in quotes: short, and with control characters visible."""
    return repr(text if len(text) <= 40 else text[:39] + "…")
