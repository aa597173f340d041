"""What a piece of long work says of itself: what it does and how far it is, or why it broke off."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Doing:
    """The piece of work that begins now.

    Attributes:
        words: what it is, for the screen.
        number, count: its place, counted from 1, and how many there are; 0 where that is not known.
    """

    words: str
    number: int = 0
    count: int = 0

    @property
    def place(self) -> str:
        """How far that is: "3 of 9"; empty where it is not known."""
        return f"{self.number} of {self.count}" if self.count else ""


@dataclass(frozen=True, slots=True)
class Failed:
    """The work broke off; `words` says why."""

    words: str
