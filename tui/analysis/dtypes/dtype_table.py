"""The same block in all four dtypes: how far apart both sides are, and what each dtype can show."""

from __future__ import annotations

import copy
import math
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from tui.analysis.alterations.alterations import FUSED
from tui.analysis.alterations.applying import fusion_of
from tui.analysis.alterations.fusion import Fusion, block_in_float64
from tui.analysis.bounds.budget import Budget
from tui.analysis.dtypes.ulp_histogram import UlpHistogram, ulp_histogram
from tui.analysis.numerics.comparison import Comparison, compare
from tui.analysis.numerics.figures import Figures, figures_of
from tui.analysis.numerics.outputs import Outputs
from tui.analysis.numerics.precision import FINEST_FIRST
from tui.analysis.numerics.ran_on import CPU
from tui.analysis.progress import Doing
from tui.analysis.study import Study
from tui.analysis.verdict.error_split import ErrorSplit
from tui.analysis.verdict.evidence import Evidence, verdict_on
from tui.analysis.verdict.in_words import multiple, percent
from tui.analysis.verdict.reason import Reason
from tui.analysis.verdict.runs import run, run_componentwise, run_in_float64, run_rightly, split_between
from tui.analysis.verdict.stored import StoredVerdict
from tui.analysis.verdict.verdict import Verdict
from tui.fusion.block import Folded, ReparamBlock, conv_of
from tui.fusion.specs.block_spec import Dtype
from tui.fusion.torch_dtypes import torch_dtype


@dataclass(frozen=True, slots=True)
class DtypeRow:
    """One dtype.

    Attributes:
        comparison: of all elements of both outputs.
        budget: the rounding budget at the element with the largest |fused - unfused|.
        verdict: as a study in this dtype would have it.
        split: where the difference comes from; None in float64, which has no finer dtype beside it, and where
            no element is finite.
        ulps: how many elements are how far apart.
        figures: how far apart both outputs are, as other tools tell it.
    """

    dtype: Dtype
    comparison: Comparison
    budget: float
    verdict: Verdict
    split: ErrorSplit | None
    ulps: UlpHistogram
    figures: Figures

    @property
    def remark(self) -> str:
        """What a run in this dtype alone cannot show, or could not have shown here; empty for nothing."""
        verdict = self.verdict
        if verdict.reason is not Reason.ALGEBRA or self.dtype is Dtype.FLOAT64:
            return verdict.caveat
        if verdict.passes_alone:
            return (
                f"In {self.dtype} alone this would have passed for rounding, at "
                f"{percent(verdict.budget_used)} of the budget; only the float64 run tells that it is none."
            )
        return (
            f"In {self.dtype} alone it would have been noticed too: "
            f"{multiple(verdict.budget_used)} the rounding budget."
        )


@dataclass(frozen=True, eq=False)
class DtypeTable:
    """A row a dtype, from the finest to the coarsest.

    Attributes:
        given: the study's dtype. Every row takes the study's numbers, edits among them, rounded to its own
            dtype. Its float64 values are those of the rounded numbers: to round a block's numbers makes it
            another block, which is no difference between the two sides.
    """

    given: Dtype
    rows: tuple[DtypeRow, ...]

    def row(self, dtype: Dtype) -> DtypeRow:
        """The row of that dtype."""
        return self.rows[FINEST_FIRST.index(dtype)]


def dtype_table(study: Study) -> Iterator[Doing | DtypeTable]:
    """Yield a Doing before each run, and the table last.

    Raises:
        RuntimeError: torch could not do it, out of memory for instance.
    """
    rows = []
    for dtype in FINEST_FIRST:
        own = dtype is study.spec.dtype
        rows.append(_own_row(study) if own else (yield from _row_in(dtype, study)))
    yield DtypeTable(study.spec.dtype, tuple(rows))


def _own_row(study: Study) -> DtypeRow:
    return DtypeRow(
        study.spec.dtype,
        study.comparison,
        _budget_there(study.budget, study.comparison),
        study.verdict,
        study.split,
        ulp_histogram(study.outputs),
        figures_of(study.outputs),
    )


def _row_in(dtype: Dtype, study: Study) -> Generator[Doing, None, DtypeRow]:
    """The study's block in another dtype; float64 runs that the study holds are not made again.

    In float64 both sides run as torch runs them, as they do in every dtype that is judged.
    """
    yield Doing(f"running in {dtype}")
    own = torch_dtype(dtype)
    block, x = copy.deepcopy(study.block).to(own), study.x.to(own)
    folded = block.folded()
    widened = torch.promote_types(study.x.dtype, own) is own  # no number was rounded
    fusion, stored = _fusion_in(study, block, folded, x, widened=widened)
    block64 = block_in_float64(block)
    conv = conv_of(fusion.kernel.to(own), fusion.geometry)
    device = CPU if dtype is Dtype.FLOAT64 else study.ran_on.device  # not every device has float64
    outputs = Outputs(run(fusion.block, x, device), run(conv, x, device))
    outputs64, right64, split = outputs, study.right64, None
    again = partial(run_componentwise, fusion.block, conv, x)
    if dtype is not Dtype.FLOAT64:
        if widened:
            outputs64 = study.outputs64
        else:
            fusion64 = fusion.in_float64(block, block64)
            outputs64 = yield from run_in_float64(fusion64, x)
            right64 = run_rightly(block64, folded.kernel, fusion64, x, outputs64)
        split = split_between(outputs, outputs64, right64, fusion, x)
    yield Doing(f"bounding what rounding can do in {dtype}")
    evidence = Evidence(
        dtype, block64, x.double(), folded.kernel, fusion.kernel, outputs, outputs64, stored, right64, again
    )
    budget, verdict = verdict_on(evidence)
    comparison = compare(outputs)
    there = _budget_there(budget, comparison)
    return DtypeRow(dtype, comparison, there, verdict, split, ulp_histogram(outputs), figures_of(outputs))


def _fusion_in(
    study: Study, block: ReparamBlock, folded: Folded, x: Tensor, *, widened: bool
) -> tuple[Fusion, StoredVerdict | None]:
    """The study's fusion of a block that was cast, and what is known of a kernel that came finished.

    Such a one is right of the numbers that it was made of: where they were rounded, it is folded anew.
    """
    stored, taken = study.verdict.stored, study.in_effect
    if stored is not None and stored.agrees and not widened:
        taken, stored = (
            replace(taken, edits=tuple(edit for edit in taken.edits if not edit.is_of(FUSED))),
            None,
        )
    fusion = fusion_of(block, folded, x, taken)
    return fusion if stored is None else replace(fusion, kernel=study.fusion.kernel), stored


def _budget_there(budget: Budget, comparison: Comparison) -> float:
    there = budget.at(comparison.worst)
    return there[1] if there else math.nan
