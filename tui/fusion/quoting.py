"""Text from outside, fit to stand in a message."""

from __future__ import annotations

_LONGEST = 60
"""Of a quoted text, a character that a terminal should not get written as several."""
_SPACE = "\N{NO-BREAK SPACE}"


def quoted(text: str) -> str:
    """The text in quotes: short, and with control characters visible."""
    shown = text if len(text) <= 40 else text[:39] + "…"
    while len(repr(shown)) > _LONGEST:
        shown = shown[:-2] + "…"
    return repr(shown)


def printable(text: str) -> str:
    """The text as it is, but for characters that no terminal should get: those as Python writes them.

    Our own sentences are shown by it too, as names are in them, and in their numbers stand no-break spaces.
    """
    return "".join(
        letter if letter.isprintable() or letter == _SPACE else ascii(letter)[1:-1] for letter in text
    )


def with_article(name: str) -> str:
    """A type's name in a sentence.

    >>> with_article("int"), with_article("tuple"), with_article("NoneType")
    ('an int', 'a tuple', 'a NoneType')
    """
    return f"an {name}" if name[:1] in "aeiouAEIO" else f"a {name}"
