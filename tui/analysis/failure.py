"""An exception in words for a person: what cannot be done, told from a fault of this program."""

from __future__ import annotations

from tui.fusion.quoting import printable
from tui.fusion.refusal import Refusal

CANNOT = (Refusal, ImportError, OSError, RuntimeError, MemoryError)
"""No fault of ours: our own refusals, a torch that is not there, what torch and the system say."""


def in_words(error: BaseException) -> str:
    """The first line of an error, without torch's C++ stack, with control characters made visible.

    What is not a refusal is told as the fault of this program that it is.
    """
    lines = (line.strip() for line in str(error).splitlines())
    first = printable(next((line for line in lines if line), type(error).__name__))
    if isinstance(error, CANNOT):
        return first
    return f"a fault of this program, please report it: {type(error).__name__}: {first}"


def sentence_of(error: BaseException) -> str:
    """The error in words, with the full stop that a sentence has, where it does not end in a question."""
    words = in_words(error)
    return words if words.endswith("?") else f"{words}."
