"""What was changed by hand stays with a changed block as far as that has a place for it."""

from __future__ import annotations

from dataclasses import replace

from tui.analysis.alterations.alterations import Alterations, Edit
from tui.fusion.specs.block_spec import BlockSpec

EDIT = Edit("kxk.weight", (1, 1, 2, 2), 5.0)


def test_a_mistake_stays_while_it_can_be_made() -> None:
    altered = Alterations((EDIT,), "identity-twice")
    assert altered.fitting(replace(BlockSpec(), kernel_size=(5, 5))) == altered


def test_a_mistake_that_can_not_be_made_any_more_is_dropped() -> None:
    spec = BlockSpec()
    without_identity = replace(spec, branches=spec.branches[:2])
    assert Alterations((EDIT,), "identity-twice").fitting(without_identity) == Alterations((EDIT,))


def test_an_edit_without_a_place_is_dropped_and_the_mistake_stays() -> None:
    smaller = replace(BlockSpec(), kernel_size=(2, 2))
    assert Alterations((EDIT,), "flipped").fitting(smaller) == Alterations((), "flipped")
