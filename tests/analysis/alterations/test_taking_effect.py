"""An edit that sets the number that is there is none: of a block, its input, the fused kernel."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from tests.analysis.mistake_blocks import NORMED
from tests.specs import EXACT
from tui.analysis.alterations.alterations import Alterations, Edit
from tui.analysis.dtypes.dtype_table import DtypeTable, dtype_table
from tui.analysis.study import Study, study_of
from tui.analysis.verdict.reason import Ruling
from tui.fusion.specs.block_spec import BlockSpec, Dtype
from tui.views.kernels.stars import stars_of
from tui.views.shared.result import remarks_of

PLACES = {
    "fused.weight": (0, 0, 1, 1),
    "fused.bias": (1,),
    "kxk.weight": (0, 1, 2, 0),
    "1x1.weight": (1, 0, 0, 0),
    "kxk.bias": (0,),
    "input": (0, 1, 3, 4),
}


def what_is_there(study: Study, *places: str) -> Alterations:
    """Edits that set the very numbers that the study has."""
    return Alterations(
        tuple(Edit(name, PLACES[name], float(study.number_at(name, PLACES[name]))) for name in places)
    )


def figures(study: Study) -> tuple[object, ...]:
    return study.verdict, study.comparison, study.float64, study.split, study.in_effect


def rows(study: Study) -> list[tuple[object, ...]]:
    *_, table = dtype_table(study)
    assert isinstance(table, DtypeTable)
    return [(row.dtype, row.verdict, row.comparison, row.split) for row in table.rows]


@pytest.mark.parametrize("dtype", Dtype)
@pytest.mark.parametrize("spec", [BlockSpec(), NORMED], ids=["default", "normed"])
def test_what_is_there_already_changes_nothing_in_any_dtype(spec: BlockSpec, dtype: Dtype) -> None:
    plain = study_of(replace(spec, dtype=dtype))
    names = [name for name in PLACES if name != "kxk.bias" or spec is not NORMED]
    edited = study_of(plain.spec, what_is_there(plain, *names))
    assert figures(edited) == figures(plain)
    assert edited.verdict.ruling is Ruling.ROUNDING
    assert rows(edited) == rows(plain)
    assert edited.adds_up
    assert not any(stars_of(edited))
    assert not any("by hand" in words for words in remarks_of(edited))
    assert edited.subject.alterations.edits, "what was asked for is not what was altered"


@pytest.mark.parametrize("dtype", [Dtype.FLOAT32, Dtype.BFLOAT16, Dtype.FLOAT16])
def test_what_rounds_to_the_number_there_is_none_either(dtype: Dtype) -> None:
    plain = study_of(BlockSpec(dtype=dtype))
    there = float(plain.number_at("fused.weight", PLACES["fused.weight"]))
    close = Edit("fused.weight", PLACES["fused.weight"], there * (1 + 2.0**-26))
    assert close.value != there
    assert figures(study_of(plain.spec, Alterations((close,)))) == figures(plain)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_nan_in_the_place_of_nan_is_none(value: float) -> None:
    source = Edit("kxk.weight", (0, 0, 1, 1), value)
    again = Edit("fused.weight", (0, 0, 1, 1), value)
    (in_effect,) = study_of(EXACT, Alterations((source, again))).in_effect.edits
    assert in_effect.place == source.place


@pytest.mark.parametrize("dtype", Dtype)
def test_another_number_is_set_as_the_dtype_has_it(dtype: Dtype) -> None:
    edit = Edit("fused.weight", (0, 0, 1, 1), 0.1)
    study = study_of(replace(EXACT, dtype=dtype), Alterations((edit,)))
    number = float(study.number_at("fused.weight", (0, 0, 1, 1)))
    assert number == pytest.approx(0.1, rel=0.01)
    assert float(study.fusion.kernel.weight[0, 0, 1, 1]) == number
    assert study.in_effect.edits == (replace(edit, value=number),)
    assert study.verdict.ruling is Ruling.WRONG


def test_the_last_bit_is_another_number() -> None:
    plain = study_of(BlockSpec())
    there = plain.number_at("fused.weight", (0, 0, 1, 1))
    next_one = float(there.nextafter(there * 2))
    study = study_of(plain.spec, Alterations((Edit("fused.weight", (0, 0, 1, 1), next_one),)))
    assert study.in_effect.edits
    assert study.verdict.ruling is Ruling.WRONG


def test_a_lost_bias_that_is_set_by_hand_again_is_an_edit() -> None:
    """The number there is that of the wrong kernel, whose bias is gone."""
    right = study_of(EXACT)
    bias = float(right.number_at("fused.bias", (1,)))
    assert bias
    lost = Alterations((Edit("fused.bias", (0,), 0.0), Edit("fused.bias", (1,), bias)), "bias-lost")
    assert study_of(EXACT, lost).in_effect.edits == (Edit("fused.bias", (1,), bias),)


def test_the_same_edit_once_more_is_no_other_alteration() -> None:
    first, second = Edit("kxk.weight", (0, 0, 0, 0), 1.0), Edit("kxk.weight", (0, 0, 0, 1), math.nan)
    altered = Alterations().edited(first, second)
    other_nan = float("nan")
    assert altered.edited(replace(second, value=other_nan), replace(first, value=1.0)) == altered
    assert altered.edited(replace(first, value=2.0)).edits == (second, replace(first, value=2.0))
