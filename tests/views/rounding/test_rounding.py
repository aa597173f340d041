"""What the rounding view says: lines that keep their columns, and words that fit their verdict."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

import pytest

from tests.specs import EXACT, ROUNDED, SLIGHTLY_WRONG, TOO_LARGE
from tui.analysis.alterations.alterations import NOTHING_ALTERED, Alterations
from tui.analysis.dtypes.dtype_table import DtypeTable, dtype_table
from tui.analysis.dtypes.ulp_histogram import UlpHistogram
from tui.analysis.numerics.precision import FINEST_FIRST
from tui.analysis.study import Study, study_of
from tui.analysis.verdict.error_split import ErrorPart, ErrorSplit, Nearer
from tui.analysis.verdict.reason import Reason
from tui.fusion.specs.block_spec import BlockSpec, Dtype
from tui.views.rounding.dtype_rows import (
    Figures,
    figures_of_row,
    figures_of_study,
    line_of,
    nearer_side,
    times_used,
)
from tui.views.rounding.error_parts import error_parts_text
from tui.views.rounding.ulp_bars import ulp_bars_text
from tui.views.rounding.why_not_zero import bits_of, why_not_zero

NORMED = BlockSpec().with_branches(batch_norm=True)
CASES = {
    "exact": (EXACT, NOTHING_ALTERED),
    "rounding": (replace(NORMED, dtype=Dtype.BFLOAT16), NOTHING_ALTERED),
    "too large": (replace(EXACT, dtype=Dtype.FLOAT16), TOO_LARGE),
    "wrong": (replace(ROUNDED, dtype=Dtype.BFLOAT16), SLIGHTLY_WRONG),
    "run wrongly": (NORMED, Alterations(mistake="train-mode")),
    "very wrong": (ROUNDED, Alterations(mistake="1x1-missing")),
}


@cache
def found(case: str) -> tuple[Study, DtypeTable]:
    result = study_of(*CASES[case])
    *_, table = dtype_table(result)
    assert isinstance(table, DtypeTable)
    return result, table


def text_of(figures: Figures | None, dtype: Dtype) -> str:
    return str(line_of(dtype, figures, own=True, chosen=True))


@pytest.mark.parametrize("case", CASES)
def test_the_lines_of_all_verdicts_keep_their_columns(case: str) -> None:
    result, table = found(case)
    for row in table.rows:
        line = text_of(figures_of_row(row), row.dtype)
        assert len(line) <= 77
        assert line.index(row.verdict.ruling) == 49
    own = table.row(result.spec.dtype)
    assert text_of(figures_of_study(result), own.dtype) == text_of(figures_of_row(own), own.dtype)


@pytest.mark.parametrize(
    ("used", "text"),
    [
        (0, "0 %"),
        (1e-9, "<1 %"),
        (0.412, "41 %"),
        (1, "100 %"),
        (1.32, "1.3 ×"),
        (67e4, "6.7e+05 ×"),
        (math.inf, "infinite"),
    ],
)
def test_the_used_share_of_the_budget(used: float, text: str) -> None:
    assert times_used(used) == text


@pytest.mark.parametrize(
    ("nearer", "text"),
    [
        (Nearer(fused=1, unfused=2, equal=1), "unfused 50 %"),
        (Nearer(fused=2, unfused=1, equal=1), "fused 50 %"),
        (Nearer(fused=2, unfused=2, equal=1), "even"),
        (Nearer(fused=0, unfused=0, equal=5), "both alike"),
    ],
)
def test_the_nearer_side(nearer: Nearer, text: str) -> None:
    assert nearer_side(nearer) == text


def test_a_wrong_fusion_that_16_bits_would_pass_is_told_in_the_table() -> None:
    _, table = found("wrong")
    ends = {row.dtype: text_of(figures_of_row(row), row.dtype)[60:] for row in table.rows}
    assert ends == {
        Dtype.FLOAT64: "is the measure",
        Dtype.FLOAT32: "is seen too",
        Dtype.FLOAT16: "is seen too",
        Dtype.BFLOAT16: "would pass",
    }


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("width", [41, 42, 48, 61])
def test_the_parts_fit_their_half(case: str, width: int) -> None:
    for row in found(case)[1].rows[1:]:
        lines = str(error_parts_text(row, width)).splitlines()
        assert max(map(len, lines)) <= width
        assert lines[0].startswith(f"Sources in {row.dtype}  ")
        assert ("max" in lines[0]) is (width >= 47)


def with_split(weights: float, fused: float, unfused: float) -> ErrorSplit:
    first, second, third = (ErrorPart(2 * rms, rms, rms) for rms in (weights, fused, unfused))
    return ErrorSplit(first, second, third, Nearer(1, 1, 1))


@pytest.mark.parametrize(
    ("rms", "words"),
    [
        ((3, 1, 1), "rounding the fused weight"),
        ((1, 3, 1), "rounding in the fused run"),
        ((1, 1, 3), "rounding in the branches"),
        ((1, 1, 1), "No part"),
        ((0, 0, 0), "Nothing was rounded"),
    ],
)
def test_the_part_that_makes_most_is_named(rms: tuple[float, float, float], words: str) -> None:
    row = replace(found("rounding")[1].row(Dtype.BFLOAT16), split=with_split(*rms))
    assert words in str(error_parts_text(row, 42))


def test_the_weight_of_a_wrong_fusion_is_not_called_rounded() -> None:
    text = str(error_parts_text(found("very wrong")[1].row(Dtype.FLOAT32), 42))
    assert "a weight not the block's" in text


@pytest.mark.parametrize("dtype", [Dtype.FLOAT32, Dtype.BFLOAT16])
def test_a_wrong_run_is_not_blamed_on_the_weight(dtype: Dtype) -> None:
    study, table = found("run wrongly")
    text = str(error_parts_text(table.row(dtype), 42))
    assert "Most of it: the branches run wrongly." in text
    assert "nearer to float64: fused 100 %" in text
    assert "what ran unfused is not the block" in why_not_zero(study)
    assert "The fused kernel is right." in why_not_zero(study)


def test_the_parts_are_written_so_that_they_add_up() -> None:
    row = replace(found("rounding")[1].row(Dtype.BFLOAT16), split=with_split(0.5, 0.25, 2))
    ends = [line.split()[-1] for line in str(error_parts_text(row, 42)).splitlines()[1:5]]
    assert ends == ["+0.5", "+0.25", "-2", "-1.2"]
    assert float(ends[0]) + float(ends[1]) + float(ends[2]) == pytest.approx(-1.25)


def test_float64_has_no_parts_and_says_why() -> None:
    assert "nothing finer" in str(error_parts_text(found("exact")[1].rows[0], 42))


def test_the_bars_fit_their_half_whatever_they_count() -> None:
    ulps = UlpHistogram((0, 1, 2), (12_345_678, 1, 0, 17), 3)
    lines = str(ulp_bars_text(ulps, 35)).splitlines()
    assert [line[:5].strip() for line in lines[1:5]] == ["0", "≤ 1", "≤ 2", "> 2"]
    assert {len(line) for line in lines[1:5]} == {35}
    assert "╸" in lines[2]
    assert "━" not in lines[3]
    assert "╸" not in lines[3]
    assert lines[5].startswith("3 more")


def test_every_reason_is_explained() -> None:
    result = found("rounding")[0]
    texts = {
        reason: why_not_zero(replace(result, verdict=replace(result.verdict, reason=reason)))
        for reason in Reason
    }
    assert all(text.startswith("Why") for text in texts.values())
    same_words = {Reason.OVERFLOW, Reason.NOTHING}, {Reason.SHAPE, Reason.NOT_FINITE}
    assert len(set(texts.values())) == len(Reason) - len(same_words)


def test_the_bits_of_a_number() -> None:
    assert [bits_of(dtype) for dtype in FINEST_FIRST] == [53, 24, 11, 8]
