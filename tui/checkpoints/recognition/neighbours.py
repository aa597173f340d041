"""Groups that a block's own shapes do not tell, by the block before it and the groups of its like."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tui.checkpoints.found import FoundBlock
from tui.checkpoints.recognition.candidates import Candidate
from tui.checkpoints.recognition.matching import GROUPS, matched


def with_neighbours(
    blocks: Sequence[FoundBlock], candidates: Mapping[str, Candidate]
) -> Iterator[FoundBlock]:
    """The blocks in order, those of unknown groups with what those beside them tell.

    A block with an identity tells its groups. One without, as where a stage begins, is taken to have
    such groups too, where the channels that come out of the block before it fit.
    """
    told: dict[str, set[int]] = {}
    for block in blocks:
        if not block.assumes(GROUPS):
            told.setdefault(block.family, set()).add(block.groups)
    before: FoundBlock | None = None
    for block in blocks:
        if before is not None and block.assumes(GROUPS):
            columns = block.in_channels // block.groups
            groups, left_over = divmod(before.out_channels, columns)
            known = groups in told.get(block.family, ())
            if columns > 1 and not left_over and block.out_channels % groups == 0 and known:
                candidate = candidates[block.prefix]
                family = next(each for each in candidate.families if each.name == block.family)
                block = candidate.placed(matched(family, candidate.names, before.out_channels))
        before = block
        yield block
