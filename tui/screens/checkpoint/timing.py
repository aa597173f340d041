"""The blocks of a checkpoint as they are timed, with the eps that was chosen on its screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tui.analysis.speed.to_time import RunOn, ToTime
from tui.analysis.subject import Subject
from tui.checkpoints.contents import Checkpoint
from tui.checkpoints.file_block import FileBlock
from tui.checkpoints.found import Recognition

if TYPE_CHECKING:  # stands on torch
    from tui.analysis.speed.several import Candidate


def blocks_to_time(checkpoint: Checkpoint, found: Recognition, eps_of: Mapping[str, float]) -> ToTime:
    """All blocks of the file; `eps_of`: of their batch norms, by prefix, where it is not the family's."""
    blocks = found.blocks

    def candidates(run_on: RunOn, device: str) -> Sequence[Candidate]:
        from tui.checkpoints.timing import candidates_of  # torch is there when they are timed

        return candidates_of(checkpoint, blocks, run_on, device, eps_of)

    def subject(place: int) -> Subject:
        block = blocks[place - 1]
        origin = FileBlock(checkpoint, block, eps_of.get(block.prefix))
        return Subject(origin.spec, origin=origin)

    titles = tuple(each.prefix or checkpoint.path.stem for each in blocks)
    return ToTime(
        checkpoint.path.name,
        titles,
        has_inputs=False,
        has_whole=False,
        candidates=candidates,
        subject=subject,
    )
