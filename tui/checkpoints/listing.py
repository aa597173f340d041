"""Listing: what an opened checkpoint holds, by its header alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from tui.checkpoints.contents import Checkpoint
from tui.checkpoints.found import Recognition
from tui.checkpoints.outline import Outline


@dataclass(frozen=True, eq=False)
class Listing:
    """A checkpoint by its header alone.

    Attributes:
        checkpoint: it, open.
        outline: its names as a tree.
        recognition: the blocks that were found; None while they are looked for.
    """

    checkpoint: Checkpoint
    outline: Outline
    recognition: Recognition | None = None

    @property
    def families(self) -> tuple[tuple[str, int], ...]:
        """How many blocks there are of each family, most first."""
        blocks = self.recognition.blocks if self.recognition else ()
        return tuple(Counter(block.family for block in blocks).most_common())
