"""The four dtypes beside each other: the own row is the study's, each other what a study in it would say."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from torch import Tensor

from tests.specs import EXACT, TOO_LARGE
from tui.analysis.alterations.alterations import NOTHING_ALTERED, Alterations, Edit
from tui.analysis.dtypes.dtype_table import DtypeTable, dtype_table
from tui.analysis.numerics.precision import FINEST_FIRST
from tui.analysis.progress import Doing
from tui.analysis.study import Study, study_of
from tui.analysis.verdict.reason import Reason, Ruling
from tui.fusion.specs.block_spec import BlockSpec, Dtype

NORMED = BlockSpec(in_channels=4, out_channels=4, groups=2, input_shape=(7, 6)).with_branches(batch_norm=True)
HALVES = replace(EXACT, in_channels=8, out_channels=8)
"""All numbers fit into every dtype, so that they are the same whichever dtype they are cast from."""
EDITED = Alterations((Edit("kxk.weight", (0, 0, 1, 1), 100.5), Edit("input", (0, 1, 2, 3), 33.25)))
"""And still do; their sums do not fit into 16 bits."""


def table_of(result: Study) -> DtypeTable:
    *before, table = dtype_table(result)
    assert isinstance(table, DtypeTable)
    doing = [step.words for step in before if isinstance(step, Doing)]
    assert len(doing) == len(before) > 0
    return table


def studied(spec: BlockSpec, dtype: Dtype, alterations: Alterations = NOTHING_ALTERED) -> Study:
    return study_of(replace(spec, dtype=dtype), alterations)


@pytest.mark.parametrize("dtype", FINEST_FIRST)
def test_the_studys_own_row_is_the_study(dtype: Dtype) -> None:
    result = studied(NORMED, dtype)
    table = table_of(result)
    assert table.given is dtype
    assert [row.dtype for row in table.rows] == list(FINEST_FIRST)
    row = table.row(dtype)
    assert row.comparison is result.comparison
    assert row.verdict is result.verdict
    assert row.split is result.split
    there = result.budget.at(result.comparison.worst)
    assert there is not None
    assert row.budget == there[1]
    assert row.ulps.elements == result.outputs.unfused.numel()


@pytest.mark.parametrize("given", FINEST_FIRST)
def test_each_other_row_is_what_a_study_in_that_dtype_says(given: Dtype) -> None:
    table = table_of(studied(HALVES, given, EDITED))
    for row in table.rows:
        alone = studied(HALVES, row.dtype, EDITED)
        assert (row.comparison, row.verdict, row.split) == (alone.comparison, alone.verdict, alone.split)
    assert table.row(Dtype.BFLOAT16).comparison.max_abs_diff > 0


def test_rounded_rows_are_measured_by_the_rounded_numbers() -> None:
    """A block is filled in float64 and rounded once, as the rows of a float64 study are."""
    table = table_of(studied(NORMED, Dtype.FLOAT64))
    for row in table.rows:
        alone = studied(NORMED, row.dtype)
        assert (row.comparison, row.verdict, row.split) == (alone.comparison, alone.verdict, alone.split)
    differences = [row.comparison.max_abs_diff for row in table.rows]
    assert differences == sorted(differences)


@pytest.mark.parametrize("mistake", ["", "mean-ignored", "train-mode"])
def test_the_parts_add_up_to_the_difference(mistake: str) -> None:
    table = table_of(studied(NORMED, Dtype.FLOAT32, Alterations(mistake=mistake)))
    for row in table.rows[1:]:
        assert row.split is not None
        parts = row.split.weights.at_worst + row.split.fused.at_worst - row.split.unfused.at_worst
        difference = row.comparison.fused - row.comparison.unfused
        assert parts == pytest.approx(difference, rel=1e-9, abs=0)
    assert table.rows[0].split is None


def nearer_by_hand(fused: Tensor, unfused: Tensor, exact: Tensor) -> list[int]:
    counts = [0, 0, 0]
    for y, z, true in zip(fused.flatten(), unfused.flatten(), exact.flatten(), strict=True):
        of_fused, of_unfused = abs(float(y) - float(true)), abs(float(z) - float(true))
        counts[0 if of_fused < of_unfused else 1 if of_unfused < of_fused else 2] += 1
    return counts


@pytest.mark.parametrize("dtype", [Dtype.FLOAT32, Dtype.BFLOAT16])
def test_the_nearer_side_is_counted_element_by_element(dtype: Dtype) -> None:
    result = studied(NORMED, dtype)
    split = table_of(result).row(dtype).split
    assert split is not None
    counts = [split.nearer.fused, split.nearer.unfused, split.nearer.equal]
    assert counts == nearer_by_hand(result.outputs.fused, result.outputs.unfused, result.outputs64.unfused)
    assert all(counts)


def test_a_small_mistake_passes_in_16_bits_alone_and_is_wrong_in_all() -> None:
    spec = replace(NORMED, dtype=Dtype.BFLOAT16)
    table = table_of(study_of(spec, Alterations(mistake="eps-1e-3")))
    assert {row.verdict.reason for row in table.rows} == {Reason.ALGEBRA}
    assert table.row(Dtype.BFLOAT16).verdict.passes_alone
    assert not table.row(Dtype.FLOAT32).verdict.passes_alone
    assert "would have passed" in table.row(Dtype.BFLOAT16).remark
    assert "noticed too" in table.row(Dtype.FLOAT32).remark
    assert table.row(Dtype.FLOAT64).remark == ""


def test_where_the_fusion_is_right_16_bits_are_told_what_they_can_not_show() -> None:
    table = table_of(studied(NORMED, Dtype.FLOAT32))
    assert [bool(row.remark) for row in table.rows] == [False, False, True, True]


def test_a_number_too_large_for_float16_is_suspicious_there_and_nowhere_else() -> None:
    table = table_of(studied(EXACT, Dtype.FLOAT32, TOO_LARGE))
    suspicious = [row.dtype for row in table.rows if row.verdict.ruling is Ruling.SUSPICIOUS]
    assert suspicious == [Dtype.FLOAT16]
    assert table.row(Dtype.FLOAT16).ulps.left_out == 1
    assert table.row(Dtype.FLOAT16).split is not None
    assert math.isfinite(table.row(Dtype.FLOAT16).budget)
