"""candidates_of(checkpoint, blocks, run_on): the blocks of a checkpoint as what is timed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from tui.analysis.speed.several import Candidate, Made, made_of, refuse_spec
from tui.analysis.speed.to_time import RunOn
from tui.checkpoints.contents import Checkpoint
from tui.checkpoints.file_block import FileBlock
from tui.checkpoints.found import FoundBlock
from tui.fusion.fill import make_input
from tui.fusion.refusal import Refusal
from tui.fusion.specs.block_spec import BlockSpec


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
    return [_candidate(checkpoint, each, run_on, device, eps_of.get(each.prefix)) for each in blocks]


def _candidate(
    checkpoint: Checkpoint, found: FoundBlock, run_on: RunOn, device: str, eps: float | None
) -> Candidate:
    def read() -> Made:
        origin = FileBlock(checkpoint, found, eps)
        spec = _run_on(origin.spec, run_on)
        refuse_spec(spec, device)
        return made_of(origin.block(spec), make_input(spec))

    specs: tuple[BlockSpec, ...] = ()
    with suppress(Refusal):  # told when its turn has come
        specs = (_run_on(FileBlock(checkpoint, found, eps).spec, run_on),)
    return Candidate(found.prefix or checkpoint.path.stem, read, specs=specs)


def _run_on(spec: BlockSpec, run_on: RunOn) -> BlockSpec:
    dtype = run_on.dtype or spec.dtype
    return replace(spec, input_shape=run_on.input_shape, batch_size=run_on.batch_size, dtype=dtype)
