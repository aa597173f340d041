"""Which eps was chosen for a checkpoint's batch norms, for eps is in no file."""

from __future__ import annotations

from collections.abc import Iterable

from tui.checkpoints.found import FoundBlock


class EpsChoices:
    """Of all blocks, of those of a family, of single ones; what is nearest to a block counts."""

    def __init__(self, of_all: float | None = None) -> None:
        self._of_all = of_all
        self._of_family: dict[str, float] = {}
        self._of_block: dict[str, float] = {}

    def of(self, block: FoundBlock) -> float | None:
        """What was chosen for the block; None where it has its family's, or no batch norm."""
        if not block.has_norm:
            return None
        of_family = self._of_family.get(block.family, self._of_all)
        return self._of_block.get(block.fused[0].name, of_family)

    def used(self, block: FoundBlock) -> float:
        """What the block is folded with."""
        chosen = self.of(block)
        return block.eps if chosen is None else chosen

    def of_blocks(self, blocks: Iterable[FoundBlock]) -> dict[str, float]:
        """What was chosen, by the blocks' prefixes; those with their family's are left out."""
        chosen = {block.prefix: self.of(block) for block in blocks}
        return {prefix: eps for prefix, eps in chosen.items() if eps is not None}

    def choose(self, block: FoundBlock, eps: float | None, *, of_family: bool) -> None:
        """Choose for the block, or for all of its family; None takes the choice back."""
        chosen = self._of_family if of_family else self._of_block
        key = block.family if of_family else block.fused[0].name
        chosen.pop(key, None)
        if eps is not None and self.used(block) != eps:
            chosen[key] = eps
