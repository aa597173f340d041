"""Fuse every block of an open checkpoint: each folded in float64, rounded once, and judged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from math import isfinite

import torch
from torch import Tensor

from tui.analysis.verdict.reason import Ruling
from tui.checkpoints.building import built_of
from tui.checkpoints.contents import Checkpoint, Format
from tui.checkpoints.conversion.beside import parts_beside
from tui.checkpoints.conversion.fused import FusedBlock, FusedCheckpoint, FusingBlock
from tui.checkpoints.conversion.fused_file import FusedFile
from tui.checkpoints.conversion.output import output_of, size_of
from tui.checkpoints.dense_tensor import dense_tensor
from tui.checkpoints.folding.folded import Answer, Folded
from tui.checkpoints.folding.general import answer_on_image, fold_general
from tui.checkpoints.folding.judging import judged
from tui.checkpoints.folding.plain import Put, fold_plain, is_plain, large_weights
from tui.checkpoints.folding.rows import Rows
from tui.checkpoints.found import FoundBlock, Recognition
from tui.checkpoints.inspection.value_problems import problems_of
from tui.fusion.kernel import FusionError

MOST_ON_IMAGE = 1_000_000
"""Fused weights of a block that is run on an image: in float64 and whole, it takes many times its memory."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """How it shall be done.

    Attributes:
        eps: of all batch norms, for the families'.
        eps_of: of the batch norms of single blocks, by prefix: comes before `eps`.
        on_image: whether each of up to `MOST_ON_IMAGE` weights is also run on a random image.
        jobs: how many blocks are fused at the same time, each by one thread.
        format: of the output.
    """

    eps: float | None = None
    eps_of: Mapping[str, float] = field(default_factory=dict)
    on_image: bool = True
    jobs: int = 1
    format: Format = Format.SAFETENSORS

    def eps_for(self, found: FoundBlock) -> float | None:
        """The eps of that block's batch norms, where it is not its family's."""
        return self.eps_of.get(found.prefix, self.eps)

    def eps_used(self, found: FoundBlock) -> float | None:
        """The eps that is folded into that block; None where it has no batch norm."""
        if not found.has_norm:
            return None
        asked = self.eps_for(found)
        return found.eps if asked is None else asked


def fuse(
    source: Checkpoint,
    recognition: Recognition,
    wishes: Wishes | None = None,
    output: FusedFile | None = None,
) -> Iterator[FusingBlock | FusedBlock | FusedCheckpoint]:
    """Yield a FusingBlock before each block, the FusedBlock after it, and the FusedCheckpoint last.

    Closing the generator between them ends the work. In memory are of all tensors those of the blocks that
    are being fused, and the fused ones, unless they go into `output`.

    Raises:
        CheckpointError: the file has changed or is gone; or the output could not be written.
    """
    wishes = wishes or Wishes()
    done: list[FusedBlock] = []
    tensors: dict[str, Tensor] = {}
    sizes = [sum(source.entries[name].bytes for name in found.reads) for found in recognition.blocks]
    with _workers(source, recognition.blocks, wishes, output) as results:
        for place, (found, result) in enumerate(zip(recognition.blocks, results, strict=True)):
            yield FusingBlock(place + 1, len(sizes), found, sum(sizes[:place]), sum(sizes))
            block, made = result.result()
            tensors |= made  # none that the output has
            done.append(block)
            yield block
    fused = [block.found for block in done if block.fused]
    make = (lambda entry: tensors[entry.name]) if output is None else output.tensor
    plan = output_of(source, fused, make, wishes.format)
    yield FusedCheckpoint(
        tuple(done),
        recognition.left_alone,
        plan,
        size_of(source.entries.values()),
        size_of(each.entry for each in plan),
        wishes.format,
        parts_beside(source, recognition.blocks, wishes.format),
    )


_Result = Future[tuple[FusedBlock, dict[str, Tensor]]]


@contextmanager
def _workers(
    source: Checkpoint, blocks: Sequence[FoundBlock], wishes: Wishes, output: FusedFile | None
) -> Iterator[Iterator[_Result]]:
    """The blocks' results in their order, few of them ahead, so that the end of the reading ends the work."""
    threads = torch.get_num_threads()
    # Each works on a strip at a time: torch's own threads would wait for each other longer than they work.
    with ThreadPoolExecutor(wishes.jobs, "fuse", initializer=torch.set_num_threads, initargs=(1,)) as pool:
        started: list[_Result] = []

        def results() -> Iterator[_Result]:
            for place in range(len(blocks)):
                ahead = blocks[len(started) : place + 2 * wishes.jobs]
                started.extend(pool.submit(_fused, source, found, wishes, output) for found in ahead)
                yield started[place]
                started[place] = _Result()  # let go of its tensors

        try:
            yield results()
        finally:
            for each in started:
                each.cancel()
            torch.set_num_threads(threads)  # or threads to come would have one too


def _fused(
    source: Checkpoint, found: FoundBlock, wishes: Wishes, output: FusedFile | None
) -> tuple[FusedBlock, dict[str, Tensor]]:
    """One block and its fused tensors, by name; none where it cannot be fused, or the output has them."""
    plain = is_plain(found)
    on_image = wishes.on_image and found.fused[0].numel <= MOST_ON_IMAGE
    by_rows = large_weights(found) if plain and not on_image else frozenset()
    names = [name for name in found.reads if not name.endswith("num_batches_tracked")]
    read = {name: dense_tensor(source, name) for name in names if name not in by_rows}
    large = {name: Rows.in_file(source, name) for name in by_rows}
    eps, used = wishes.eps_for(found), wishes.eps_used(found)
    problems = tuple(problems_of(read))
    put = partial(output.put, found.fused[0]) if output is not None and not on_image else None
    try:
        folded, answer = _folded(found, read, eps, large=large, plain=plain, on_image=on_image, put=put)
    except FusionError as error:
        return FusedBlock(found, used, Ruling.WRONG, f"cannot be fused: {error}", problems=problems), {}
    if not isfinite(folded.answer.difference):  # every weight has its part in it
        read |= {name: dense_tensor(source, name) for name in by_rows}
        problems = tuple(problems_of({name: read[name] for name in names}))
    ruling, sentence = judged(folded, found, answer, problems)
    block = FusedBlock(found, used, ruling, sentence, folded.share, folded.answer, answer, problems)
    weight, bias = found.fused
    made = {bias: folded.bias}
    if folded.weight is not None:
        made[weight] = folded.weight.reshape(weight.shape)
    if output is None:
        return block, {entry.name: tensor for entry, tensor in made.items()}
    for entry, tensor in made.items():
        output.put(entry, 0, tensor)
    return block, {}


def _folded(
    found: FoundBlock,
    read: Mapping[str, Tensor],
    eps: float | None,
    *,
    large: Mapping[str, Rows],
    plain: bool,
    on_image: bool,
    put: Put | None,
) -> tuple[Folded, Answer | None]:
    if plain and not on_image:
        return fold_plain(found, read, eps, large, put), None
    block = built_of(found, read, eps=eps, dtype=torch.float64)
    folded = fold_plain(found, read, eps) if plain else fold_general(block, getattr(torch, found.dtype))
    return folded, answer_on_image(block) if on_image else None
