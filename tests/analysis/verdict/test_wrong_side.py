"""Which side is wrong: found by measurement, whatever mistake is made, and said wherever it is told."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
import torch

from tests.analysis.mistake_blocks import BLOCKS, NORMED, POSSIBLE
from tests.specs import EXACT
from tui.analysis.alterations.alterations import NOTHING_ALTERED, Alterations, Edit
from tui.analysis.alterations.gallery import MISTAKES
from tui.analysis.alterations.wrong_fusion import wrongly_fused
from tui.analysis.dtypes.dtype_table import DtypeTable, dtype_table
from tui.analysis.likeness.found import Likenesses
from tui.analysis.likeness.likeness import likenesses
from tui.analysis.numerics.outputs import Outputs
from tui.analysis.progress import Doing
from tui.analysis.side import WrongSide
from tui.analysis.study import Study, run_study, study_of
from tui.analysis.subject import Subject
from tui.analysis.verdict.reason import Reason
from tui.analysis.verdict.wrong_side import wrong_side
from tui.fusion.grammar.branch_text import parse_branches
from tui.fusion.specs.block_spec import Dtype

RUN_WRONGLY = {
    "train-mode": NORMED,
    "zero-border": replace(NORMED, branches=parse_branches("kxk+norm,1x1-kxk+inner")),
    "average-uncounted": replace(NORMED, branches=parse_branches("kxk+norm,avg,1x1-avg")),
}
BY_HAND = Edit("fused.weight", (0, 0, 1, 1), 7.0)


def run_wrongly(mistake: str, dtype: Dtype, *edits: Edit) -> Study:
    return study_of(replace(RUN_WRONGLY[mistake], dtype=dtype), Alterations(edits, mistake))


@pytest.mark.parametrize(("mistake", "block"), POSSIBLE)
def test_the_side_that_is_found_is_the_side_on_which_the_mistake_was_made(mistake: str, block: str) -> None:
    study = study_of(replace(BLOCKS[block], dtype=Dtype.FLOAT64), Alterations(mistake=mistake))
    assert study.verdict.reason is Reason.ALGEBRA
    assert study.verdict.side is MISTAKES[mistake].side


@cache
def right_study(block: str) -> Study:
    """Of the block without a mistake, for all tests that only read it."""
    return study_of(BLOCKS[block])


@pytest.mark.parametrize(("mistake", "block"), POSSIBLE)
def test_the_gallery_knows_what_is_changed(mistake: str, block: str) -> None:
    study = right_study(block)
    wrong = wrongly_fused(mistake, study.block, study.x)
    runs_another = wrong.block is not study.block
    assert (MISTAKES[mistake].side is WrongSide.UNFUSED) is runs_another
    assert Alterations(mistake=mistake).alters_run is runs_another
    assert Alterations(mistake=mistake).alters_fusion is not runs_another


@pytest.mark.parametrize("dtype", Dtype)
@pytest.mark.parametrize("mistake", RUN_WRONGLY)
def test_the_fused_kernel_is_right_where_the_run_is_wrong(mistake: str, dtype: Dtype) -> None:
    study = run_wrongly(mistake, dtype)
    with torch.no_grad():
        right = study.block.double()(study.x.double())
    assert torch.allclose(study.outputs64.fused, right, rtol=0, atol=1e-12)
    assert study.verdict.side is WrongSide.UNFUSED
    assert study.verdict.sentence.endswith("the unfused run is wrong, the fused kernel is right.")
    assert study.verdict.summary.startswith("unfused run, ")
    assert study.adds_up


@pytest.mark.parametrize("mistake", RUN_WRONGLY)
def test_both_may_be_wrong(mistake: str) -> None:
    study = run_wrongly(mistake, Dtype.FLOAT32, BY_HAND)
    assert study.verdict.side is WrongSide.BOTH
    assert study.verdict.sentence.endswith("the fused kernel is wrong, and so is the unfused run.")
    assert not study.adds_up


def test_a_number_set_by_hand_makes_the_fused_side_wrong() -> None:
    study = study_of(NORMED, Alterations((BY_HAND,)))
    assert study.verdict.side is WrongSide.FUSED
    assert study.verdict.sentence.endswith("; the fused kernel is wrong.")


@pytest.mark.parametrize("dtype", [Dtype.FLOAT32, Dtype.BFLOAT16, Dtype.FLOAT16])
@pytest.mark.parametrize("mistake", RUN_WRONGLY)
def test_the_difference_belongs_to_the_run_and_the_fused_side_is_nearer(mistake: str, dtype: Dtype) -> None:
    study, right = run_wrongly(mistake, dtype), study_of(replace(RUN_WRONGLY[mistake], dtype=dtype))
    assert study.split is not None
    assert right.split is not None
    assert (study.split.weights.max_abs, study.split.fused.max_abs) == (
        right.split.weights.max_abs,
        right.split.fused.max_abs,
    )
    assert study.split.unfused.max_abs == pytest.approx(study.comparison.max_abs_diff, rel=0.02)
    parts = study.split.weights.at_worst + study.split.fused.at_worst - study.split.unfused.at_worst
    assert abs(parts) == pytest.approx(study.comparison.max_abs_diff)
    assert study.split.nearer.fused > study.split.nearer.unfused


@pytest.mark.parametrize("mistake", RUN_WRONGLY)
def test_every_dtype_of_the_table_says_so(mistake: str) -> None:
    *_, table = dtype_table(run_wrongly(mistake, Dtype.FLOAT32))
    assert isinstance(table, DtypeTable)
    for row in table.rows:
        alone = run_wrongly(mistake, row.dtype)
        assert row.verdict.side is alone.verdict.side is WrongSide.UNFUSED
        if row.split is not None:
            assert row.split.unfused.rms > 10 * (row.split.weights.rms + row.split.fused.rms)


@pytest.mark.parametrize("mistake", RUN_WRONGLY)
def test_the_likeness_is_the_mistake_itself(mistake: str) -> None:
    *_, found = likenesses(run_wrongly(mistake, Dtype.FLOAT32))
    assert isinstance(found, Likenesses)
    assert [(one.name, one.same) for one in found.found] == [(mistake, True)]


@pytest.mark.parametrize(
    "alterations", [NOTHING_ALTERED, Alterations((BY_HAND,)), Alterations((), "flipped")]
)
@pytest.mark.parametrize("dtype", [Dtype.FLOAT64, Dtype.FLOAT32])
def test_nothing_is_run_again_where_the_block_ran(dtype: Dtype, alterations: Alterations) -> None:
    study = study_of(replace(NORMED, dtype=dtype), alterations)
    assert study.right64 is None


def test_a_kernel_that_is_right_is_not_run_again() -> None:
    study = run_wrongly("train-mode", Dtype.FLOAT32)
    assert study.right64 is not None
    assert study.right64.fused is study.outputs64.fused
    assert study.right64.unfused is not study.outputs64.unfused


@pytest.mark.parametrize("dtype", Dtype)
@pytest.mark.parametrize("mistake", ["", "train-mode"])
def test_the_pieces_of_work_are_counted(dtype: Dtype, mistake: str) -> None:
    steps = run_study(Subject(replace(NORMED, dtype=dtype), Alterations(mistake=mistake)))
    done = [step for step in steps if isinstance(step, Doing)]
    assert [step.number for step in done] == list(range(1, done[0].count + 1))
    assert {step.count for step in done} == {len(done)}


def test_where_no_side_alone_is_beyond_the_bound_the_nearer_to_it_is_named() -> None:
    study = study_of(replace(EXACT, dtype=Dtype.FLOAT64))
    right, bound = study.outputs.unfused, study.budget.rigorous
    a_little, most = right + 0.4 * bound, right - 0.8 * bound
    here = Outputs(right, right)
    assert wrong_side(Outputs(a_little, most), here, study.budget) is WrongSide.FUSED
    assert wrong_side(Outputs(most, a_little), here, study.budget) is WrongSide.UNFUSED


def test_a_side_that_is_not_finite_is_the_wrong_one() -> None:
    study = study_of(replace(EXACT, dtype=Dtype.FLOAT64))
    right = study.outputs.unfused
    assert (
        wrong_side(Outputs(right * torch.nan, right), Outputs(right, right), study.budget)
        is WrongSide.UNFUSED
    )


def test_a_spec_alone_tells_the_side() -> None:
    assert {name for name, mistake in MISTAKES.items() if mistake.side is not WrongSide.FUSED} == {
        *RUN_WRONGLY
    }
    assert MISTAKES["train-mode"].on_purpose == "Run wrongly on purpose: unfused side in train mode."
    assert MISTAKES["flipped"].on_purpose == "Fused wrongly on purpose: kernel flipped."
