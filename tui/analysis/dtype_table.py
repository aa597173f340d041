"""The same block in all four dtypes: how far apart both sides are, and what each dtype can show."""

from __future__ import annotations

import copy
import math
from collections.abc import Generator, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tui.analysis.altering import fusion_of
from tui.analysis.budget import Budget
from tui.analysis.comparison import Comparison, compare
from tui.analysis.error_split import ErrorSplit, output_of_given, split_of
from tui.analysis.precision import FINEST_FIRST
from tui.analysis.progress import Progress
from tui.analysis.study import Study, in_float64, judged, run
from tui.analysis.ulp_histogram import UlpHistogram, ulp_histogram
from tui.analysis.verdict import Reason, Verdict, multiple, share
from tui.fusion.block import conv_of
from tui.fusion.spec import Dtype


@dataclass(frozen=True, slots=True)
class DtypeRow:
    """One dtype.

    Attributes:
        comparison: of all elements of both outputs.
        budget: the rounding budget at the element with the largest |fused - unfused|.
        verdict: as a study in this dtype would have it.
        split: where the difference comes from, over the judged channels; None in float64, which has no finer
            dtype beside it, and where no element is finite.
        ulps: how many elements are how far apart, over the judged channels.
    """

    dtype: Dtype
    comparison: Comparison
    budget: float
    verdict: Verdict
    split: ErrorSplit | None
    ulps: UlpHistogram

    @property
    def passes_alone(self) -> bool:
        """Whether nobody could have objected without the float64 run: all fits into the rounding budget."""
        return self.verdict.budget_used <= 1

    @property
    def remark(self) -> str:
        """What a run in this dtype alone can not show, or could not have shown here; empty for nothing."""
        verdict = self.verdict
        if verdict.reason is not Reason.ALGEBRA or self.dtype is Dtype.FLOAT64:
            return verdict.caveat
        if self.passes_alone:
            return (
                f"In {self.dtype} alone this would have passed for rounding, at "
                f"{share(verdict.budget_used)} of the budget; only the float64 run tells that it is none."
            )
        return (
            f"In {self.dtype} alone it would have been noticed too: "
            f"{multiple(verdict.budget_used)} the rounding budget."
        )


@dataclass(frozen=True, eq=False)
class DtypeTable:
    """A row a dtype, from the finest to the coarsest.

    Attributes:
        given: the study's dtype. Every row takes the study's numbers, edits among them, rounded from `given` to
            its own dtype. The float64 value of a row is that of its own, rounded numbers: rounding a block's
            numbers makes another block, and that difference is none between its two sides.
    """

    given: Dtype
    rows: tuple[DtypeRow, ...]

    def row(self, dtype: Dtype) -> DtypeRow:
        """The row of that dtype."""
        return self.rows[FINEST_FIRST.index(dtype)]


def dtype_table(study: Study) -> Iterator[Progress | DtypeTable]:
    """Yield a Progress before each run, and the table last.

    Raises:
        RuntimeError: torch could not do it, out of memory for instance.
    """
    rows = []
    for dtype in FINEST_FIRST:
        sides = _sides_of(study) if dtype is study.spec.dtype else (yield from _sides_in(dtype, study))
        yield Progress(f"splitting the difference in {dtype}")
        rows.append(_row_of(sides))
    yield DtypeTable(study.spec.dtype, tuple(rows))


@dataclass(frozen=True, eq=False, slots=True)
class _Sides:
    """Both sides run in one dtype. `conv`: the fused side. `exact`: the unfused output in float64."""

    dtype: Dtype
    conv: nn.Conv2d
    x: Tensor
    fused: Tensor
    unfused: Tensor
    exact: Tensor
    comparison: Comparison
    budget: Budget
    verdict: Verdict


def _sides_of(study: Study) -> _Sides:
    return _Sides(
        study.spec.dtype,
        study.conv,
        study.x,
        study.fused_output,
        study.unfused,
        study.unfused64,
        study.comparison,
        study.budget,
        study.verdict,
    )


def _sides_in(dtype: Dtype, study: Study) -> Generator[Progress, None, _Sides]:
    """The study's block in another dtype; runs that the study holds are not made again."""
    yield Progress(f"running in {dtype}")
    own: torch.dtype = getattr(torch, dtype)
    block, x = copy.deepcopy(study.block).to(own), study.x.to(own)
    fusion = fusion_of(block, x, study.alterations)
    conv = conv_of(fusion.kernel.to(own), fusion.geometry)
    if dtype is Dtype.FLOAT64:
        fused, unfused = study.fused64, study.unfused64
    else:
        fused, unfused = run(conv, x), run(fusion.block, x)
    if torch.promote_types(study.x.dtype, own) is own:  # no number was rounded: the same values in float64
        fused64, unfused64 = study.fused64, study.unfused64
    else:
        unfused64, fused64 = yield from in_float64(block, x, study.alterations)
    yield Progress(f"bounding what rounding can do in {dtype}")
    budget, verdict = judged(block, x, (fused, unfused), (fused64, unfused64))
    return _Sides(dtype, conv, x, fused, unfused, unfused64, compare(fused, unfused), budget, verdict)


def _row_of(sides: _Sides) -> DtypeRow:
    there = sides.budget.at(sides.comparison.worst)
    fused, unfused = _judged_part(sides.fused, sides.budget), _judged_part(sides.unfused, sides.budget)
    split = None
    if sides.dtype is not Dtype.FLOAT64:
        exact = _judged_part(sides.exact, sides.budget)
        given = _judged_part(output_of_given(sides.conv, sides.x), sides.budget)
        split = split_of(fused, unfused, exact, given)
    return DtypeRow(
        sides.dtype,
        sides.comparison,
        there[1] if there else math.nan,
        sides.verdict,
        split,
        ulp_histogram(fused, unfused),
    )


def _judged_part(output: Tensor, budget: Budget) -> Tensor:
    return output[:, list(budget.channels)] if budget.sampled else output
