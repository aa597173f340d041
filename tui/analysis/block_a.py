"""A, a block that is kept to compare others with: what is kept of it, and how another one differs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.analysis.cost import Cost
from tui.analysis.progress import Doing, Failed
from tui.analysis.subject import Subject
from tui.fusion.pair_text import Pair
from tui.fusion.tap import Tap

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from tui.analysis.study import Piece, Study
    from tui.analysis.verdict.reason import Ruling
    from tui.fusion.kernel import Kernel


@dataclass(frozen=True, eq=False)
class BlockA:
    """What is kept of A's study; its outputs and its block are let go.

    Attributes:
        subject: the block, and what was altered in it.
        kernel: its fused kernel, in `frame`.
        ruling, max_abs_diff: its verdict, and how far its two outputs lie apart.
        cost: its parameters and MACs.
    """

    subject: Subject
    kernel: Kernel
    frame: Pair
    ruling: Ruling
    max_abs_diff: float
    cost: Cost


@dataclass(frozen=True, slots=True)
class KernelsApart:
    """How far two fused kernels of one shape lie apart.

    Attributes:
        largest: max |this - A| over all weights, infinite where one alone is not finite.
        tap: where that is.
        bias: max |this - A| over the biases; none counts as 0.
    """

    largest: float
    tap: Tap
    bias: float


@dataclass(frozen=True, eq=False)
class AgainstA:
    """A study beside A.

    Attributes:
        subject, cost: of the study at hand.
        kernels: how far apart the fused kernels are; where they cannot be laid over each other, the reason.
    """

    a: BlockA
    subject: Subject
    cost: Cost
    kernels: KernelsApart | str


Beside = AgainstA | Doing | Failed
"""What there is to be said of A: the comparison, or what is being done for it, or why there is none."""


def block_a_of(study: Study) -> BlockA:
    """What is kept of this study."""
    from tui.fusion.kernel import pad_to

    return BlockA(
        study.subject,
        pad_to(study.fused_kernel.kernel, study.frame),
        study.frame,
        study.verdict.ruling,
        study.comparison.max_abs_diff,
        study.cost,
    )


def against_a(
    a: BlockA | Subject, study: Study, run: Callable[[Subject], Iterator[Piece]]
) -> Iterator[BlockA | AgainstA | Doing]:
    """Yield what is done; A, where it had to be run first; and last the study beside it.

    Args:
        a: A, or its subject where its study has not been run.
        study: the one at hand.
        run: runs a subject, as `run_study` does.

    Raises:
        FusionError, RuntimeError: as `run_study`.
    """
    if isinstance(a, Subject):
        from tui.analysis.study import Study

        for piece in run(a):
            if isinstance(piece, Doing):
                yield piece
            elif isinstance(piece, Study):
                a = block_a_of(piece)
        if isinstance(a, Subject):
            raise RuntimeError("the study ended without a result")
        yield a
    yield AgainstA(a, study.subject, study.cost, _kernels_apart(a, study))


def _kernels_apart(a: BlockA, study: Study) -> KernelsApart | str:
    from tui.analysis.numerics.outputs import Outputs
    from tui.fusion.kernel import pad_to

    kernel, spec, other = pad_to(study.fused_kernel.kernel, study.frame), study.spec, a.subject.spec
    if kernel.weight.shape != a.kernel.weight.shape:
        shapes = ("×".join(map(str, each.weight.shape)) for each in (kernel, a.kernel))
        return "{}, A's {}".format(*shapes)
    if (spec.fused_groups, spec.fused_dilation) != (other.fused_groups, other.fused_dilation):
        return "other groups or dilation"
    weights = Outputs(a.kernel.weight, kernel.weight).difference.absolute
    biases = Outputs(_bias_of(a.kernel), _bias_of(kernel)).difference.absolute
    places = [0, 0, 0, 0]
    rest = int(weights.argmax())
    for axis in (3, 2, 1, 0):
        rest, places[axis] = divmod(rest, weights.shape[axis])
    tap = Tap(*places)
    return KernelsApart(float(weights[tap]), tap, float(biases.max()))


def _bias_of(kernel: Kernel) -> Tensor:
    return kernel.weight.new_zeros(len(kernel.weight)) if kernel.bias is None else kernel.bias
