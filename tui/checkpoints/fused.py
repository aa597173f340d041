"""What fusing a checkpoint came to: each block with its verdict, what was left alone, the output's plan."""

from __future__ import annotations

from dataclasses import dataclass

from tui.analysis.verdict.reason import Ruling
from tui.checkpoints.found import FoundBlock, LeftAlone
from tui.checkpoints.plan import Planned
from tui.checkpoints.value_problems import ValueProblem


@dataclass(frozen=True, slots=True)
class FusingBlock:
    """The block that is fused next.

    Attributes:
        number, count: it is the so-and-so-manieth of so many, counted from 1.
        found: it.
        done_bytes, all_bytes: of what all blocks read, before this one and in all: tells the time left.
    """

    number: int
    count: int
    found: FoundBlock
    done_bytes: int
    all_bytes: int


@dataclass(frozen=True, slots=True)
class OnInput:
    """A block and its fused convolution on a random input, both in float64.

    Attributes:
        input_shape: (batch, in_channels, H, W).
        max_abs_diff: the largest |fused - unfused|; NaN where one side is.
        max_abs: the largest |unfused|.
        bound: the most that rounding in float64 explains of that.
    """

    input_shape: tuple[int, int, int, int]
    max_abs_diff: float
    max_abs: float
    bound: float

    @property
    def agrees(self) -> bool:
        """Whether it is rounding."""
        return self.max_abs_diff <= self.bound


@dataclass(frozen=True, slots=True)
class FusedBlock:
    """One block, fused and judged.

    Attributes:
        found: where it lies, what it is, what was assumed.
        eps: of its batch norms, as they were folded; None where it has none.
        ruling: EXACT: every number is that of the fold in float64, rounded once. ROUNDING: within what that
            explains. SUSPICIOUS: NaN or infinite, by the file's own numbers or its dtype. WRONG.
        sentence: the verdict in words.
        weight_share: the largest |stored - right| of its numbers in parts of what one rounding to its dtype
            explains; NaN where one is not finite.
        independent: whether `weight_share` was found by another way than that of the fold.
        on_input: how the two did on a random input; None where that was not asked for.
        problems: numbers in the file that a block should not have.
    """

    found: FoundBlock
    eps: float | None
    ruling: Ruling
    sentence: str
    weight_share: float
    independent: bool
    on_input: OnInput | None
    problems: tuple[ValueProblem, ...] = ()

    @property
    def agrees(self) -> bool:
        """Whether the fused convolution may stand for the block."""
        return self.ruling.agrees


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much there is before and after.

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
    """

    blocks: tuple[FusedBlock, ...]
    left_alone: tuple[LeftAlone, ...]
    plan: tuple[Planned, ...]
    before: Sizes
    after: Sizes

    @property
    def wrong(self) -> tuple[FusedBlock, ...]:
        """The blocks whose fused convolution may not stand for them."""
        return tuple(block for block in self.blocks if not block.agrees)

    @property
    def already_fused(self) -> bool:
        """Whether there was nothing to fuse as all of it had been."""
        return not self.blocks and any(each.already_fused for each in self.left_alone)
