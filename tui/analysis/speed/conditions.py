"""Conditions: under what a block is timed; its dtype, batch and input are the block's own."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

CPU = "cpu"
FEWEST_ROUNDS = 5
BUDGET = 3.0
"""Seconds that all rounds may take, as long as they are not the fewest."""
SHORTEST = 0.01
"""Seconds that a timing lasts at least, by running several times: a clock's own steps are nothing to it."""


class MemoryFormat(StrEnum):
    """In which order the numbers of an image lie in memory."""

    CONTIGUOUS = "contiguous"
    CHANNELS_LAST = "channels_last"


@dataclass(frozen=True, slots=True)
class Conditions:
    """Under what is timed.

    Attributes:
        device: as torch names it: "cpu", "cuda", "cuda:1", "mps".
        threads: of one operation on the CPU; None for as many as torch takes by itself.
        memory_format: of the input and of all weights.
        compiled: whether each side goes through torch.compile.
        rounds: how often every side is timed at most; the sides take turns. As many as take BUDGET, or
            FEWEST_ROUNDS.
    """

    device: str = CPU
    threads: int | None = None
    memory_format: MemoryFormat = MemoryFormat.CONTIGUOUS
    compiled: bool = False
    rounds: int = 31
