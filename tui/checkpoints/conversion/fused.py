"""What fusing a checkpoint came to: each block with its verdict, what was left alone, the output's plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.analysis.quantities import count
from tui.analysis.verdict.reason import Ruling
from tui.checkpoints.contents import Format
from tui.checkpoints.conversion.beside import Beside
from tui.checkpoints.found import FoundBlock, LeftAlone
from tui.checkpoints.plan import Planned

if TYPE_CHECKING:  # stand on torch
    from tui.checkpoints.folding.folded import Answer
    from tui.checkpoints.inspection.value_problems import ValueProblem


@dataclass(frozen=True, slots=True)
class FusingBlock:
    """The block that is fused next.

    Attributes:
        number, count: its place, counted from 1, and how many there are.
        found: it.
        done_bytes, all_bytes: of what all blocks read, before this one and in all: tells the time left.
    """

    number: int
    count: int
    found: FoundBlock
    done_bytes: int
    all_bytes: int


@dataclass(frozen=True, slots=True)
class FusedBlock:
    """One block, fused and judged.

    Attributes:
        found: where it lies, what it is, what was assumed.
        eps: of its batch norms, as they were folded; None where it has none.
        ruling: EXACT: every number is that of the fold in float64, rounded once, and the fold answers random
            inputs as the branches do. SUSPICIOUS: NaN or infinite, by the file's own numbers or its dtype.
            WRONG: all else, also where it could not be fused.
        sentence: why, in words, without a full stop.
        weight_share: the largest |stored - right| of its numbers in parts of what one rounding to its dtype
            may do; infinite or NaN where a number is; None where it could not be fused.
        on_patch: what branches and fused kernel make, in float64, of a random patch as large as the kernel;
            None where it could not be fused.
        on_image: the same of a random image, run as convolutions, border and all; None where that was not
            asked for, or it is too large for that.
        problems: numbers in the file that a block should not have.
    """

    found: FoundBlock
    eps: float | None
    ruling: Ruling
    sentence: str
    weight_share: float | None = None
    on_patch: Answer | None = None
    on_image: Answer | None = None
    problems: tuple[ValueProblem, ...] = ()

    @property
    def agrees(self) -> bool:
        """Whether the fused convolution may stand for the block."""
        return self.ruling.agrees

    @property
    def fused(self) -> bool:
        """Whether it was fused at all."""
        return self.weight_share is not None

    @property
    def max_abs_diff_float64(self) -> float | None:
        """The largest |fused - unfused| that was seen in float64; None where it could not be fused."""
        seen = [answer.difference for answer in (self.on_patch, self.on_image) if answer is not None]
        return max(seen, default=None)


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much a checkpoint has.

    Attributes:
        tensors: how many.
        params: numbers in floating-point tensors, statistics of batch norms among them.
        bytes: of all tensors.
    """

    tensors: int
    params: int
    bytes: int


@dataclass(frozen=True, eq=False, slots=True)
class FusedCheckpoint:
    """A whole checkpoint, fused.

    Attributes:
        blocks: in the file's order.
        left_alone: what looks like a block and was not fused, with the reason.
        plan: the tensors of the output, in order: the fused ones in the place of each block's first.
        before, after: how much the input has, and the output.
        format: of the output.
        beside: what the input has beside its model, and what became of it.
    """

    blocks: tuple[FusedBlock, ...]
    left_alone: tuple[LeftAlone, ...]
    plan: tuple[Planned, ...]
    before: Sizes
    after: Sizes
    format: Format
    beside: tuple[Beside, ...]

    @property
    def wrong(self) -> tuple[FusedBlock, ...]:
        """The blocks whose fused convolution may not stand for them."""
        return tuple(block for block in self.blocks if not block.agrees)

    @property
    def beside_in_words(self) -> tuple[str, ...]:
        """What was carried over of it, and what was left out, a sentence each."""
        carried = ", ".join(_part_in_words(each) for each in self.beside if each.carried)
        left = ", ".join(_part_in_words(each) for each in self.beside if not each.carried)
        told = []
        if carried:
            told.append(f"carried over as it was, of the weights before they were fused: {carried}")
        if left:
            told.append(f"left out, as {self.format} holds only the tensors of a model: {left}")
        return tuple(told)

    @property
    def damaged(self) -> tuple[LeftAlone, ...]:
        """What was left alone as it is damaged, so that the output is fused in part only."""
        return tuple(each for each in self.left_alone if each.damaged)

    @property
    def already_fused(self) -> bool:
        """Whether there was nothing to fuse as all of it had been."""
        return not self.blocks and any(each.already_fused for each in self.left_alone)


def _part_in_words(part: Beside) -> str:
    if not part.tensors:
        return part.name
    tensors = f"{count(part.tensors)} tensor{'s' if part.tensors > 1 else ''}"
    return f"{part.name} ({tensors}, {count(part.bytes)} bytes)"
