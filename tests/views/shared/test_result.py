"""The line of the verdict: two figures, each with the place that it belongs to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.specs import EXACT
from tui.analysis.alterations.alterations import Alterations, Edit
from tui.analysis.numerics.pixel import Pixel
from tui.analysis.study import Study, study_of
from tui.analysis.verdict.reason import Reason
from tui.fusion.specs.block_spec import BlockSpec, Pair
from tui.views.shared.result import difference_line, remarks_of, truth_line


@pytest.fixture(scope="module")
def study() -> Study:
    """The largest share of a budget, 41 %, is in another element than the largest difference."""
    found = study_of(BlockSpec())
    verdict = replace(
        found.verdict, budget_used=0.41, worst=replace(found.verdict.worst, index=Pixel(0, 0, 1, 4))
    )
    comparison = replace(found.comparison, max_abs_diff=2.4e-7, worst=Pixel(0, 1, 0, 2))
    return replace(found, verdict=verdict, comparison=comparison)


def test_each_figure_has_its_own_place(study: Study) -> None:
    assert str(difference_line(study, 200)) == (
        "rounding  41 % of its budget at out 0 (1,4)   max |fused − unfused| 2.4e-07 at out 1 (0,2)"
    )


def test_one_place_for_both_is_said_once(study: Study) -> None:
    comparison = replace(study.comparison, worst=Pixel(0, 0, 1, 4))
    assert str(difference_line(replace(study, comparison=comparison), 200)) == (
        "rounding  41 % of its budget, max |fused − unfused| 2.4e-07, both at out 0 (1,4)"
    )


@pytest.mark.parametrize("width", [78, 70])
def test_where_room_is_short_it_keeps_both_places(study: Study, width: int) -> None:
    line = difference_line(study, width)
    assert line.cell_length <= width
    assert str(line).count("at out ") == 2


def test_no_difference_is_at_no_place() -> None:
    assert str(difference_line(study_of(EXACT), 200)) == (
        "exact  no element differs   max |fused − unfused| 0 everywhere"
    )


def test_of_a_batch_the_input_is_said(study: Study) -> None:
    subject = replace(study.subject, spec=replace(study.spec, batch_size=2))
    two = replace(study, subject=subject)
    assert str(difference_line(two, 200)).count(" of input 0") == 2
    assert "of input" not in str(difference_line(study, 200))


@pytest.mark.parametrize(("failing", "words"), [(0, "allclose yes"), (3, "allclose no")])
def test_what_allclose_says(study: Study, failing: int, words: str) -> None:
    closeness = replace(study.comparison.closeness, failing=failing)
    line = truth_line(replace(study, comparison=replace(study.comparison, closeness=closeness)), 120)
    assert words in str(line)


def test_nan_in_float64_is_told_as_such(study: Study) -> None:
    line = truth_line(replace(study, float64=replace(study.float64, non_finite=2)), 120)
    assert "NaN and infinite values cannot be compared" in str(line)
    assert "the algebra is right" in str(truth_line(study, 120))


@pytest.mark.parametrize(("stride", "said"), [((2, 2), True), ((1, 1), False)])
def test_a_larger_frame_is_told_beside_the_counts(stride: Pair, said: bool) -> None:
    spec = replace(EXACT, kernel_size=(4, 4), stride=stride, branches=EXACT.branches[:2])
    words = "Fused is counted as 5×5: 4×4 and zeros, as nn.Conv2d pads evenly."
    assert (words in remarks_of(study_of(spec))) is said


NORMED = EXACT.with_branches(batch_norm=True)
SIDES = {
    "the two are not the same map": Alterations(mistake="flipped"),
    "the unfused run is wrong": Alterations(mistake="train-mode"),
    "both sides are wrong": Alterations((Edit("fused.weight", (0, 0, 1, 1), 99.0),), "train-mode"),
}


@pytest.mark.parametrize("words", SIDES)
def test_the_side_that_is_wrong_is_told(words: str) -> None:
    assert str(truth_line(study_of(NORMED, SIDES[words]), 120)).endswith(words)


def test_a_mistake_is_told_on_the_side_where_it_was_made() -> None:
    told = {side: remarks_of(study_of(NORMED, altered)) for side, altered in SIDES.items()}
    assert "Fused wrongly on purpose: kernel flipped." in told["the two are not the same map"]
    assert "Run wrongly on purpose: unfused side in train mode." in told["the unfused run is wrong"]


def test_where_room_is_short_the_side_stands_in_the_next_line_only() -> None:
    wrong = study_of(NORMED, SIDES["the unfused run is wrong"])
    assert str(difference_line(wrong, 200)).startswith("wrong  unfused run, ")
    assert "unfused run" not in str(difference_line(wrong, 78))
    assert difference_line(wrong, 78).cell_length <= 78


def test_a_finished_kernel_is_told_by_its_weights() -> None:
    block = study_of(EXACT)
    right = study_of(EXACT, finished=block.block64.kernel())
    assert "right by its weights, one rounding to float64" in str(truth_line(right, 200))
    assert "A finished kernel was brought in: it is judged by its weights too." in remarks_of(right)
    given = block.block64.kernel()
    given.weight[1, 0, 2, 2] += 1
    wrong = study_of(EXACT, finished=given)
    assert "the two are not the same map" in str(truth_line(wrong, 200))
    hidden = replace(wrong, verdict=replace(wrong.verdict, reason=Reason.STORED))
    assert "by its weights wrong" in str(truth_line(hidden, 200))
    assert str(difference_line(hidden, 200)).startswith("wrong  1 of 38 numbers, ")
    assert not any("by hand" in remark for remark in remarks_of(wrong))
