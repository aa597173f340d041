"""Compare a checkpoint with what another tool made of it: each fused kernel judged by its weights."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import accumulate
from time import monotonic

import torch
from torch import Tensor

from tui.analysis.alterations.gallery import MISTAKES
from tui.analysis.likeness.found import Likeness, Likenesses
from tui.analysis.likeness.likeness import looks_like
from tui.analysis.numerics.outputs import Outputs
from tui.analysis.numerics.precision import PRECISIONS
from tui.analysis.side import WrongSide
from tui.analysis.verdict.reason import Ruling
from tui.analysis.verdict.stored import StoredReason, StoredShapeError, StoredVerdict
from tui.analysis.verdict.stored_judging import judge_stored
from tui.checkpoints.comparison.carrying import carried_as, missing
from tui.checkpoints.comparison.compared import (
    Carried,
    CarriedAs,
    ComparedBlock,
    ComparedCheckpoint,
    Comparing,
)
from tui.checkpoints.comparison.counterparts import (
    Counterpart,
    counterpart_by_shape,
    counterpart_of,
    shaped,
    still_unfused,
)
from tui.checkpoints.comparison.renaming import Renaming, renamings_of
from tui.checkpoints.comparison.unfused import Unfused, unfused_in
from tui.checkpoints.contents import Checkpoint
from tui.checkpoints.conversion.fusing import Wishes
from tui.checkpoints.found import FoundBlock, LeftAlone, Recognition
from tui.checkpoints.recognition.channels import shown_shape
from tui.checkpoints.recognition.matching import FLOATING
from tui.fusion.block import ReparamBlock, conv_of
from tui.fusion.kernel import FusionError, Kernel

LOOKED_FOR = 15.0
"""Seconds for which it is found out what a wrong kernel looks like; for all blocks four times that."""
AROUND = 3
"""Pixels of the image beyond the kernel's size on which that is looked for."""
TELLING = 16
"""Small tensors by whose numbers it is told which of several of the same names is meant."""
TOLD = 0.01
"""Of all the work, what is done from word to word on the carried tensors."""
JUDGED = 20
"""How often as long a byte takes that is folded and judged as one that was carried over."""

Step = Comparing | ComparedBlock | ComparedCheckpoint
"""What comparing tells, one after the other."""


def compare(
    source: Checkpoint, recognition: Recognition, given: Checkpoint, wishes: Wishes | None = None
) -> Iterator[Step]:
    """Yield a Comparing before each block, the ComparedBlock after it, the ComparedCheckpoint last.

    Between these and that a Comparing now and then, while all other tensors are compared. Closing the
    generator between them ends the work.

    Args:
        source: the checkpoint with its branches.
        recognition: what was found in it.
        given: what another tool made of it.
        wishes: only its eps count.

    Raises:
        CheckpointError: a file has changed or is gone.
    """
    wishes = wishes or Wishes()
    yield from compare_unfused(unfused_in(source, recognition, wishes), given, wishes)


def compare_unfused(unfused: Unfused, given: Checkpoint, wishes: Wishes | None = None) -> Iterator[Step]:
    """As `compare`, of blocks wherever they come from."""
    recognition = unfused.recognition
    possible = _possible(unfused, given, wishes or Wishes())
    comparison, nearest = _nearest(possible)
    entries, count = unfused.source.entries, len(comparison.blocks)
    work = [JUDGED * sum(entries[name].bytes for name in found.reads) for found in comparison.blocks]
    shares = _shares([*work, *(entries[name].bytes for name in recognition.rest)])
    done: list[ComparedBlock] = []
    for place, (found, share) in enumerate(zip(comparison.blocks, shares, strict=False)):
        yield Comparing("block", place + 1, count, found.prefix, share)
        done.append(comparison.judged(place))
        yield done[-1]
    carried = yield from _carried(comparison, recognition.rest, shares[count:])
    yield ComparedCheckpoint(
        tuple(done),
        (*recognition.left_alone, *comparison.outside),
        carried,
        tuple(name for name in given.entries if name not in comparison.taken),
        (comparison.renaming.before, comparison.renaming.after),
        tuple((each.renaming.before, each.renaming.after) for each in possible if each is not comparison),
        nearest,
        len(comparison.outside),
        comparison.unfused or _fits(recognition, done, carried),
    )


def _shares(work: Sequence[int]) -> list[float]:
    """How much of all is done before each piece of it."""
    most = max(sum(work), 1)
    return [before / most for before in accumulate(work, initial=0)][:-1]


def _carried(
    comparison: _Comparison, names: Sequence[str], shares: Sequence[float]
) -> Generator[Comparing, None, tuple[Carried, ...]]:
    """What became of every other tensor, with a word now and then of how far it is."""
    carried, told = [], -1.0
    for place, (name, share) in enumerate(zip(names, shares, strict=True)):
        if share >= told + TOLD:
            told = share
            yield Comparing("tensor", place + 1, len(names), name, share)
        carried.append(comparison.carried(name))
    return tuple(carried)


def _possible(unfused: Unfused, given: Checkpoint, wishes: Wishes) -> list[_Comparison]:
    """One for each way to go by the names of both files."""
    renamings = renamings_of(unfused.expected(), given.entries, unfused.places())
    return [_Comparison(unfused, given, wishes, each) for each in renamings]


def _nearest(possible: Sequence[_Comparison]) -> tuple[_Comparison, bool]:
    """That of which most numbers are right, and whether there is one such; else the first."""
    if len(possible) == 1:
        return possible[0], True
    agreements = [each.agreement() for each in possible]
    most = max(agreements)
    return possible[agreements.index(most)], agreements.count(most) == 1


def _fits(recognition: Recognition, judged: Iterable[ComparedBlock], carried: Iterable[Carried]) -> bool:
    """Whether something in the other file is of the same model; any file is of an empty one."""
    if not (recognition.blocks or recognition.rest):
        return True
    of_blocks = any(block.verdict is not None for block in judged)
    return of_blocks or any(each.right and each.other_name is not None for each in carried)


class _Comparison:
    """One source beside one other file.

    Attributes:
        renaming: from the source's names to the other file's.
        blocks: those that the other file can have; `outside`: the others.
        taken: names in the other file that something in the source stands for.
        unfused: whether branches of some block are still there.
    """

    def __init__(self, unfused: Unfused, given: Checkpoint, wishes: Wishes, renaming: Renaming) -> None:
        self._unfused, self._given, self._wishes = unfused, given, wishes
        recognition = unfused.recognition
        self.renaming = renaming
        renamed = [(found, self.renaming.applied(found.fused[0].name)) for found in recognition.blocks]
        self.blocks = [found for found, name in renamed if name is not None]
        why = f"the other file has nothing of what does not begin with {self.renaming.before!r}"
        self.outside = [LeftAlone(found.prefix, found.family, why) for found, name in renamed if name is None]
        rest = map(self.renaming.applied, recognition.rest)
        self.taken = {name for name in rest if name is not None and name in given.entries}
        self.unfused = False
        self._there = self._counterparts()
        self._end = monotonic() + 4 * LOOKED_FOR

    def _counterparts(self) -> dict[int, Counterpart]:
        """The fused convolution of each block by its place, as far as there are: what a name tells first."""
        there: dict[int, Counterpart] = {}
        entries = self._given.entries
        for place, found in enumerate(self.blocks):
            names = self._unfused.names(found)
            self._hold(there, place, counterpart_of(found, names, self.renaming, entries, self.taken))
        for place, found in enumerate(self.blocks):
            if place not in there and (roots := self._unfused.roots(found)):
                taken = self.taken | self._of_others(found)
                self._hold(there, place, counterpart_by_shape(found, roots, self.renaming, entries, taken))
        return there

    def _hold(self, there: dict[int, Counterpart], place: int, found: Counterpart | None) -> None:
        if found is not None:
            there[place] = found
            self.taken |= {found.weight} | ({found.bias} if found.bias else set())

    def _of_others(self, found: FoundBlock) -> set[str | None]:
        """The names of all tensors of the source but of that block's."""
        return {self.renaming.applied(name) for name in self._unfused.source.entries} - {
            self.renaming.applied(name) for name in found.reads
        }

    def agreement(self) -> int:
        """How many of its smallest blocks and other tensors are right."""
        entries = self._unfused.source.entries
        there = [name for name in self._unfused.recognition.rest if self.renaming.applied(name) in self.taken]
        small = sorted(there, key=lambda name: entries[name].numel)[:TELLING]
        blocks = sorted(range(len(self.blocks)), key=lambda place: self.blocks[place].fused[0].numel)
        right = sum(self.judged(place, likeness=False).agrees for place in blocks[:2])
        return right + sum(self.carried(name).right for name in small)

    def carried(self, name: str) -> Carried:
        """What became of a tensor that no block reads."""
        other = self.renaming.applied(name)
        if other is None:
            words = f"is not among what begins with {self.renaming.before!r}"
            return Carried(name, None, CarriedAs.NOT_NEEDED, words)
        if other not in self._given.entries:
            return missing(self._unfused.source, self._unfused.source.entries[name])
        return carried_as(name, self._unfused.source.tensor(name), other, self._given.tensor(other))

    def judged(self, place: int, *, likeness: bool = True) -> ComparedBlock:
        """The block of that place beside the fused convolution that the other file has for it.

        `likeness`: whether it is found out which mistake a wrong one looks like.
        """
        found = self.blocks[place]
        eps = self._wishes.eps_used(found)
        there = self._there.get(place)
        if there is None:
            unfused = still_unfused(found, self.renaming, self._given.entries)
            self.unfused |= unfused
            why = "its branches are still there" if unfused else "nothing of it is there"
            self._take(found.reads if unfused else ())
            return ComparedBlock(found, None, None, Ruling.WRONG, f"it is not fused: {why}", eps=eps)
        made = ComparedBlock(found, there.weight, there.bias, Ruling.WRONG, "", eps=eps)
        kernel = self._kernel(found, there)
        if isinstance(kernel, str):
            return replace(made, sentence=kernel)
        try:
            block = self._unfused.block(found)
            verdict = judge_stored(block, kernel)
        except (StoredShapeError, FusionError) as error:
            return replace(made, sentence=str(error))
        sentence = verdict.sentence.removesuffix(".")
        likenesses = self._likenesses(block, kernel, verdict) if likeness else None
        return replace(made, ruling=verdict.ruling, sentence=sentence, verdict=verdict, likenesses=likenesses)

    def _take(self, names: tuple[str, ...]) -> None:
        renamed = map(self.renaming.applied, names)
        self.taken |= {name for name in renamed if name is not None}

    def _kernel(self, found: FoundBlock, there: Counterpart) -> Kernel | str:
        """The fused kernel that was given; why it cannot be judged, where it cannot."""
        entries = self._given.entries
        for name in filter(None, (there.weight, there.bias)):
            if entries[name].dtype not in FLOATING:
                return f"{name} is {entries[name].dtype}: only {', '.join(FLOATING)} can be judged"
        shape = shaped(entries[there.weight], found)
        if len(shape) != len(found.kernel_size) + 2:
            return f"{there.weight} is {shown_shape(shape)}, and a weight of 4 dimensions is expected"
        bias = None if there.bias is None else self._given.tensor(there.bias)
        return Kernel(self._given.tensor(there.weight).reshape(shape), bias)

    def _likenesses(self, block: ReparamBlock, given: Kernel, verdict: StoredVerdict) -> Likenesses | None:
        """Which mistake a wrong kernel looks like; None where that is not asked or takes too long."""
        if verdict.mistake is not None:
            return Likenesses((Likeness(verdict.mistake.name, 1.0, told=verdict.mistake.title),))
        if verdict.reason is not StoredReason.BEYOND:
            return None
        return likenesses_of(block, given, verdict, min(monotonic() + LOOKED_FOR, self._end))


def likenesses_of(
    block: ReparamBlock, given: Kernel, verdict: StoredVerdict, end: float
) -> Likenesses | None:
    """Which mistake a finished kernel of that block looks like; None where that is not known by `end`.

    All mistakes but those of running the block, which are in no file.
    """
    block64 = block.double()
    height, width = given.kernel_size
    x = _image(block.in_channels, (height + AROUND, width + AROUND))
    with torch.no_grad():
        outputs = Outputs(block64(x), conv_of(given.to(torch.float64), block.geometry)(x))
    if not outputs.same_shape:
        return None
    for step in looks_like(block64, x, outputs, roundoff=PRECISIONS[verdict.dtype].unit):
        if isinstance(step, Likenesses):
            return replace(step, found=tuple(filter(_in_a_file, step.found)))
        if monotonic() >= end:
            break
    return None


def _in_a_file(likeness: Likeness) -> bool:
    known = [MISTAKES[name] for name in likeness.names if name in MISTAKES]
    return all(mistake.side is not WrongSide.UNFUSED for mistake in known)


def _image(channels: int, size: tuple[int, int]) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(1, channels, *size, dtype=torch.float64, generator=generator)
