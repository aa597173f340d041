"""What the bench needs of a terminal, and whether this one says that it has it."""

from __future__ import annotations

import sys
from collections.abc import Mapping

_WITHOUT_A_CURSOR = ("", "dumb", "unknown")


def places_text(environment: Mapping[str, str]) -> bool:
    """Whether text can be placed on the screen; on Windows, where no TERM is set, it always can."""
    return sys.platform == "win32" or _term(environment) not in _WITHOUT_A_CURSOR


def term_in_words(environment: Mapping[str, str]) -> str:
    """What TERM says."""
    return f"TERM is {_term(environment)}" if _term(environment) else "TERM is not set"


def encoding_of_terminal(environment: Mapping[str, str]) -> str:
    """The encoding that textual writes to stderr in, as the locale or PYTHONIOENCODING has it.

    For the locales C and POSIX Python takes UTF-8 (PEP 540): they say nothing about the terminal, and most
    containers have no other. A driver of its own, as textual-serve's, always writes UTF-8.
    """
    if environment.get("TEXTUAL_DRIVER"):
        return "utf-8"
    return getattr(sys.__stderr__, "encoding", None) or "utf-8"


def _term(environment: Mapping[str, str]) -> str:
    return environment.get("TERM", "").strip().lower()
