"""Progress: what a study is about to do, said before it does it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """The piece of work that begins now, in words for the screen."""

    doing: str
