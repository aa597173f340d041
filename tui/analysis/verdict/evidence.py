"""What was run of a fusion and what it is held against: all that a verdict looks at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from torch import Tensor

from tui.analysis.bounds.budget import Budget, budgets_of
from tui.analysis.bounds.fold_sizes import fold_sizes
from tui.analysis.bounds.making import Making
from tui.analysis.bounds.stored import StoredBounds, reach_of
from tui.analysis.numerics.convolution import ConvolutionsAsProducts
from tui.analysis.numerics.outputs import Outputs
from tui.analysis.numerics.precision import PRECISIONS
from tui.analysis.verdict.judging import judge
from tui.analysis.verdict.left_out import left_out
from tui.analysis.verdict.not_finite import ALL_FINITE
from tui.analysis.verdict.reason import Reason, Ruling
from tui.analysis.verdict.sampling import channels_to_judge
from tui.analysis.verdict.stored import StoredVerdict
from tui.analysis.verdict.verdict import Verdict
from tui.analysis.verdict.wrong_side import wrong_side
from tui.fusion.block import ReparamBlock
from tui.fusion.kernel import Kernel, pad_to
from tui.fusion.specs.block_spec import Dtype

_DOUBTFUL = (Reason.COARSE, Reason.TF32, Reason.ARITHMETIC)
"""What torch's backend may have made of a right float32 fusion."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """Both runs of a fusion, right or wrong, and the block that it is of.

    Attributes:
        dtype: the arithmetic that is judged.
        block64: the block as it should be, in float64 and eval mode.
        x64: the input, (batch, in_channels, H, W), in float64.
        right: what the block comes to; `fused`: the kernel that was run. Both float64.
        outputs: of both sides in the dtype; `outputs64`: in float64.
        stored: the verdict by its weights on a fused kernel that came finished; None where none did.
        right64: what both should have given in float64; None where the block itself ran as the unfused side.
        again: runs both sides in the dtype once more, without transforms; asked where it is doubtful what
            the first run did.
    """

    dtype: Dtype
    block64: ReparamBlock
    x64: Tensor
    right: Kernel
    fused: Kernel
    outputs: Outputs
    outputs64: Outputs
    stored: StoredVerdict | None = None
    right64: Outputs | None = None
    again: Callable[[], Outputs] | None = None


def verdict_on(evidence: Evidence) -> tuple[Budget, Verdict]:
    """The rounding budget and the verdict."""
    dtype, block64, x64 = evidence.dtype, evidence.block64, evidence.x64
    outputs, outputs64 = evidence.outputs, evidence.outputs64
    sizes, stored = fold_sizes(block64), evidence.stored
    channels = channels_to_judge(block64, x64, sizes, outputs, outputs64)
    dtypes = [dtype] if dtype is Dtype.FLOAT64 else [dtype, Dtype.FLOAT64]
    with ConvolutionsAsProducts():
        budgets = budgets_of(block64, x64, dtypes, channels, evidence.right, sizes)
        if stored is not None:
            budgets = _with_storing(budgets, evidence, stored.making)
    found = ALL_FINITE
    if outputs.same_shape and outputs64.same_shape:
        found = left_out(block64, x64, outputs, outputs64, (evidence.fused, evidence.right), sizes)
    if stored is not None and stored.agrees:
        found = replace(found, wrong=())
    verdict = replace(judge(dtype, outputs, outputs64, budgets[0], budgets[-1], found), stored=stored)
    if stored is not None and stored.ruling is Ruling.WRONG and verdict.ruling is not Ruling.WRONG:
        verdict = replace(verdict, reason=Reason.STORED)
    if stored is not None and stored.overflowed and verdict.reason in (Reason.NOT_FINITE, Reason.WEIGHTS):
        verdict = replace(verdict, reason=Reason.OVERFLOW)
    if verdict.reason is Reason.ALGEBRA:
        verdict = replace(verdict, side=wrong_side(outputs64, evidence.right64, budgets[-1]))
    if evidence.again is not None and dtype is Dtype.FLOAT32 and verdict.reason in _DOUBTFUL:
        plain = judge(dtype, evidence.again(), outputs64, budgets[0], budgets[-1], found)
        if plain.ruling.agrees:
            verdict = replace(verdict, reason=Reason.TRANSFORMED)
    return budgets[0], verdict


def _with_storing(budgets: list[Budget], evidence: Evidence, making: Making) -> list[Budget]:
    """The budgets of a kernel that was folded and rounded so before it came here.

    Its weights may be off by their bound, and the outputs by what that makes of |x|, in any dtype.
    """
    frame = evidence.fused.kernel_size
    bound = StoredBounds(evidence.block64, pad_to(evidence.right, frame)).kernel_of(making)
    wider = []
    for budget in budgets:
        reach = reach_of(bound, evidence.block64.geometry, evidence.x64, budget.channels)
        reach *= 1 + PRECISIONS[budget.dtype].error_of_sum(bound.weight[0].numel())
        wider.append(replace(budget, rigorous=budget.rigorous + reach, probable=budget.probable + reach))
    return wider
