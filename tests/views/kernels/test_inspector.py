"""The lines that add up say so only where the numbers do."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from tests.specs import EXACT
from tui.analysis.alterations.alterations import Alterations, Edit
from tui.analysis.study import Study, study_of
from tui.fusion.grammar.branch_text import parse_branches
from tui.fusion.specs.block_spec import BlockSpec, Dtype
from tui.fusion.tap import Tap
from tui.views.kernels.inspector import bias_line, weight_line
from tui.views.shared.panel_titles import panel_titles

CENTRE, CORNER = Tap(0, 0, 1, 1), Tap(0, 0, 0, 0)


def spoilt(mistake: str, spec: BlockSpec = EXACT) -> Study:
    return study_of(spec, Alterations(mistake=mistake))


@pytest.mark.parametrize("dtype", list(Dtype))
def test_a_right_sum_adds_up_in_every_dtype(dtype: Dtype) -> None:
    result = study_of(BlockSpec(dtype=dtype))
    assert result.adds_up
    assert all(" = fused" in str(weight_line(result, Tap(1, 0, y, 2), 200)) for y in range(3))
    assert " = fused" in str(bias_line(result, 1, 120))


def test_only_the_taps_that_are_wrong_do_not_add_up() -> None:
    result = spoilt("identity-twice")
    assert " ≠ fused" in str(weight_line(result, CENTRE, 200))
    assert " = fused" in str(weight_line(result, CORNER, 200))
    assert " = fused" in str(bias_line(result, 0, 120))


@pytest.mark.parametrize("dtype", list(Dtype))
def test_a_lost_bias_leaves_every_weight_right_in_every_dtype(dtype: Dtype) -> None:
    result = spoilt("bias-lost", BlockSpec(dtype=dtype))
    taps = [Tap(*place) for place in product(range(2), range(2), range(3), range(3))]
    assert all(" = fused" in str(weight_line(result, tap, 200)) for tap in taps)
    assert " ≠ fused" in str(bias_line(result, 0, 120))


def test_a_bias_that_is_lost_does_not_add_up() -> None:
    result = spoilt("bias-lost")
    assert str(bias_line(result, 0, 120)).endswith(" ≠ fused none")
    assert " = fused" in str(weight_line(result, CENTRE, 200))


def test_a_small_change_of_a_weight_is_seen_where_rounding_would_hide_it() -> None:
    right = study_of(EXACT).fused_kernel.kernel.weight[0, 0, 1, 1]
    edit = Edit("fused.weight", (0, 0, 1, 1), float(right) + 0.01)
    result = study_of(EXACT, Alterations((edit,)))
    assert not result.adds_up
    assert " ≠ fused" in str(weight_line(result, CENTRE, 200))


def test_a_mistake_of_the_unfused_side_leaves_the_sum_right() -> None:
    spec = replace(EXACT, branches=parse_branches("kxk,1x1-kxk"))
    assert spoilt("zero-border", spec).adds_up
    assert not spoilt("flipped", spec).adds_up


def test_an_edit_that_changes_nothing_adds_up() -> None:
    right = study_of(EXACT).fused_kernel.kernel.weight[0, 0, 1, 1]
    assert study_of(EXACT, Alterations((Edit("fused.weight", (0, 0, 1, 1), float(right)),))).adds_up


def test_the_panel_of_a_wrong_sum_says_so() -> None:
    assert panel_titles(EXACT)[-1].sign == "="
    assert panel_titles(EXACT, adds_up=False)[-1].sign == "≠"


def test_a_dilation_that_was_dropped_keeps_the_frame() -> None:
    """The fused kernel is smaller than the branches' there, and all stand in one frame."""
    spec = replace(EXACT, branches=parse_branches("kxk,3x3d4"))
    result = spoilt("dilation-dropped", spec)
    assert result.fused_kernel.kernel.kernel_size == (3, 3)
    assert result.frame == (9, 9)
    assert " ≠ fused 0" in str(weight_line(result, CORNER, 200))
