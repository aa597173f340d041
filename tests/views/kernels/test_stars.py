"""The grids' stars stand where a number was set by hand, and where the fused kernel is not the sum."""

from __future__ import annotations

from itertools import product

import pytest

from tests.specs import EXACT
from tui.analysis.alterations.alterations import Alterations, Edit
from tui.analysis.study import study_of
from tui.fusion.specs.block_spec import BlockSpec, Dtype
from tui.fusion.tap import Tap
from tui.views.kernels.stars import stars_of
from tui.widgets.grid.weight_source import Starred

TAPS = [Tap(*place) for place in product(range(2), range(2), range(3), range(3))]


def starred(stars: Starred | None) -> set[Tap]:
    """Of a 3x3 kernel of two by two channels."""
    if stars is None:
        return set()
    return {tap for tap in TAPS if stars.row(tap.out, tap.ky, 0, 2)[tap.in_][tap.kx]}


@pytest.mark.parametrize("dtype", list(Dtype))
def test_a_right_fusion_has_none(dtype: Dtype) -> None:
    assert not any(stars_of(study_of(BlockSpec(dtype=dtype))))


def test_what_was_set_by_hand() -> None:
    edits = (
        Edit("kxk.weight", (0, 1, 2, 0), 9.0),
        Edit("1x1.weight", (1, 0, 0, 0), 9.0),
        Edit("1x1.bias", (1,), 9.0),
    )
    kxk, pointwise, identity, fused = stars_of(study_of(EXACT, Alterations(edits)))
    assert starred(kxk) == {Tap(0, 1, 2, 0)}
    assert starred(pointwise) == {Tap(1, 0, 1, 1)}
    assert kxk is not None
    assert pointwise is not None
    assert [(kxk.bias(out), pointwise.bias(out)) for out in range(2)] == [(False, False), (False, True)]
    assert identity is None
    assert fused is None


def test_what_is_not_the_sum() -> None:
    *branches, fused = stars_of(study_of(EXACT, Alterations(mistake="identity-twice")))
    assert not any(branches)
    assert starred(fused) == {Tap(0, 0, 1, 1), Tap(1, 1, 1, 1)}
    assert fused is not None
    assert not fused.bias(0)


def test_a_mistake_of_the_unfused_run_leaves_the_kernel_without() -> None:
    study = study_of(EXACT.with_branches(batch_norm=True), Alterations(mistake="train-mode"))
    assert not any(stars_of(study))


def test_a_bias_that_is_lost() -> None:
    *_, fused = stars_of(study_of(EXACT, Alterations(mistake="bias-lost")))
    assert fused is not None
    assert starred(fused) == set()
    assert fused.bias(0)
