"""candidates_of(checkpoint, blocks, run_on): the blocks of a checkpoint as what is timed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from tui.analysis.speed.several import Candidate, Made, made_of, refuse_spec
from tui.analysis.speed.to_time import RunOn
from tui.checkpoints.contents import Checkpoint
from tui.checkpoints.file_block import FileBlock
from tui.checkpoints.found import FoundBlock
from tui.fusion.fill import make_input


def candidates_of(
    checkpoint: Checkpoint,
    blocks: Sequence[FoundBlock],
    run_on: RunOn,
    device: str,
    eps_of: Mapping[str, float | None],
) -> list[Candidate]:
    """Each block under its name in the file; its numbers are read when its turn has come.

    `eps_of`: of the batch norms of blocks, by prefix, where it is not the family's.
    """
    name = checkpoint.path.stem
    return [
        Candidate(
            each.prefix or name, partial(_read, checkpoint, each, run_on, device, eps_of.get(each.prefix))
        )
        for each in blocks
    ]


def _read(checkpoint: Checkpoint, found: FoundBlock, run_on: RunOn, device: str, eps: float | None) -> Made:
    origin = FileBlock(checkpoint, found, eps)
    spec = replace(
        origin.spec,
        input_shape=run_on.input_shape,
        batch_size=run_on.batch_size,
        dtype=run_on.dtype or origin.spec.dtype,
    )
    refuse_spec(spec, device)
    return made_of(origin.block(spec), make_input(spec))
