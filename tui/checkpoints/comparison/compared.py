"""What comparing a checkpoint with what another tool made of it came to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tui.analysis.likeness.found import Likenesses
from tui.analysis.verdict.reason import Ruling
from tui.analysis.verdict.stored import StoredVerdict
from tui.checkpoints.found import FoundBlock, LeftAlone


@dataclass(frozen=True, slots=True)
class Comparing:
    """What is compared next.

    Attributes:
        what: "block", or "tensor" of one beside the blocks.
        number, count: its place among these, counted from 1, and how many there are.
        name: the block's prefix, or the tensor's name.
        share: how much of all the work is done, from 0 to 1.
    """

    what: str
    number: int
    count: int
    name: str
    share: float

    @property
    def words(self) -> str:
        """Which one it is."""
        return f"{self.what} {self.number} of {self.count}: {self.name}"


@dataclass(frozen=True, slots=True)
class ComparedBlock:
    """A block, and the fused convolution that the other file has for it.

    Attributes:
        found: where it lies in the source.
        weight_name, bias_name: of the fused tensors in the other file; None where it has none.
        ruling: WRONG also where the other file has no fused tensors for it, or of another shape.
        sentence: the verdict in words.
        verdict: on its weights; None where there are none that could be judged.
        likenesses: which mistake a wrong one looks like; None where it is right, or that was not looked for.
        eps: of the batch norms, as the source was folded; None where it has none.
    """

    found: FoundBlock
    weight_name: str | None
    bias_name: str | None
    ruling: Ruling
    sentence: str
    verdict: StoredVerdict | None = None
    likenesses: Likenesses | None = None
    eps: float | None = None

    @property
    def agrees(self) -> bool:
        """Whether it may stand for the block."""
        return self.ruling.agrees


class CarriedAs(StrEnum):
    """What became of a tensor that no block reads, and that is to be carried over."""

    SAME = "same"
    """The same bits."""
    CAST = "cast"
    """Rounded once to another dtype."""
    CHANGED = "changed"
    """Other numbers, or another shape."""
    MISSING = "missing"
    """It is not there."""
    NOT_NEEDED = "not needed"
    """It is not there, and nothing that is computed needs it: num_batches_tracked."""


@dataclass(frozen=True, slots=True)
class Carried:
    """A tensor of the source that is to be carried over.

    Attributes:
        name: in the source.
        other_name: in the other file; None where it is not there.
        what: what became of it.
        words: the same for people: "rounded to float16", "3 of 64 numbers differ, by 0.5 at most".
    """

    name: str
    other_name: str | None
    what: CarriedAs
    words: str

    @property
    def right(self) -> bool:
        """Whether the fused model computes the same with it."""
        return self.what in (CarriedAs.SAME, CarriedAs.CAST, CarriedAs.NOT_NEEDED)


@dataclass(frozen=True, eq=False, slots=True)
class ComparedCheckpoint:
    """A checkpoint beside what another tool made of it.

    Attributes:
        blocks: every block of the source, in its order.
        left_alone: what in the source looks like a block and is none that can be judged.
        carried: every other tensor of the source, in its order.
        left_over: names in the other file that nothing in the source stands for, in its order.
        renamed: what the names of the source begin with, and with what the other file's do instead.
        others: the same of what else could have been compared, by the names: a file may hold a model and the
            average of its weights.
        nearest: whether that was chosen as more of its numbers are right than of the others'; else it is the
            first one.
        outside: how many blocks of the source are among what is left alone, the other file having nothing of
            what stands where they do.
        fits: whether anything in the other file is of the same model: a fused kernel that could be judged,
            branches, a tensor that was carried over.
    """

    blocks: tuple[ComparedBlock, ...]
    left_alone: tuple[LeftAlone, ...]
    carried: tuple[Carried, ...]
    left_over: tuple[str, ...]
    renamed: tuple[str, str] = ("", "")
    others: tuple[tuple[str, str], ...] = ()
    nearest: bool = True
    outside: int = 0
    fits: bool = True

    @property
    def number_right(self) -> str:
        """ "2 of 3 blocks are right"; where none could be judged, of all there are."""
        judged = len(self.blocks)
        return f"{judged - len(self.wrong)} of {judged or self.outside} blocks are right"

    @property
    def choice(self) -> str:
        """Which of several was compared, and why; "" where there was one."""
        if not self.others:
            return ""
        pairs = [self.renamed, *self.others]
        side = 0 if len({before for before, _ in pairs}) > 1 else 1
        chosen, *others = (pair[side] for pair in pairs)
        where = "the other file's" if side else "the first file's"
        why = "its numbers are the nearest" if self.nearest else "it is the first, and no number tells which"
        fit = f"{' and '.join(others)} {'fit' if len(others) > 1 else 'fits'}"
        return f"{where} {chosen} was compared: by the names {fit} as well, {why}"

    @property
    def wrong(self) -> tuple[ComparedBlock, ...]:
        """The blocks whose fused convolution may not stand for them."""
        return tuple(block for block in self.blocks if not block.agrees)

    @property
    def not_carried(self) -> tuple[Carried, ...]:
        """The tensors that were not carried over as they should have been."""
        return tuple(each for each in self.carried if not each.right)

    @property
    def agrees(self) -> bool:
        """Whether all is right: every block, every other tensor, and no name too many."""
        return self.fits and not (self.wrong or self.not_carried or self.left_over)
