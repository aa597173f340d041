"""An engine's exception in words for a person."""

from __future__ import annotations

from tui.fusion.quoting import printable


def in_words(error: BaseException) -> str:
    """The first line of an error, without torch's C++ stack, with control characters made visible."""
    lines = (line.strip() for line in str(error).splitlines())
    first = next((line for line in lines if line), type(error).__name__)
    return printable(first)
