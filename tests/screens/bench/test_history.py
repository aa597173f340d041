"""Going back and forth through blocks and their alterations."""

from __future__ import annotations

from dataclasses import replace

from tui.analysis.alterations.alterations import Alterations, Edit
from tui.analysis.subject import Subject
from tui.fusion.specs.block_spec import BlockSpec
from tui.screens.bench.history import LONGEST, SubjectHistory

BLOCK = BlockSpec()
FIRST = Subject(BLOCK)
SEEDED = Subject(replace(BLOCK, seed=1))
EDITED = Subject(BLOCK, Alterations((Edit("kxk.bias", (0,), 1.0),)))


def test_back_and_forth() -> None:
    history = SubjectHistory(FIRST)
    assert history.back() is history.forth() is None
    history.add(SEEDED)
    assert history.back() == FIRST
    assert history.back() is None
    assert history.forth() == SEEDED
    assert history.forth() is None


def test_what_is_typed_into_one_field_is_one_change() -> None:
    history = SubjectHistory(FIRST)
    history.add(SEEDED)
    history.add(Subject(replace(BLOCK, seed=17)))
    assert history.back() == FIRST
    assert history.forth() == Subject(replace(BLOCK, seed=17))


def test_each_change_of_the_branches_counts() -> None:
    history = SubjectHistory(FIRST)
    two, one = (Subject(replace(BLOCK, branches=BLOCK.branches[:count])) for count in (2, 1))
    history.add(two)
    history.add(one)
    assert history.back() == two
    assert history.back() == FIRST


def test_a_change_behind_an_older_place_drops_what_came_after() -> None:
    history = SubjectHistory(FIRST)
    history.add(SEEDED)
    history.back()
    history.add(Subject(replace(BLOCK, batch_size=2)))
    assert history.forth() is None
    assert history.back() == FIRST


def test_each_edit_of_a_number_counts() -> None:
    history = SubjectHistory(FIRST)
    history.add(SEEDED)
    history.add(replace(SEEDED, alterations=EDITED.alterations))
    history.add(replace(SEEDED, alterations=EDITED.alterations.edited(Edit("kxk.bias", (0,), 2.0))))
    assert history.back() == replace(SEEDED, alterations=EDITED.alterations)
    assert history.back() == SEEDED


def test_the_same_spec_again_is_no_change() -> None:
    history = SubjectHistory(FIRST)
    history.add(FIRST)
    assert history.back() is None


def test_it_does_not_grow_for_ever() -> None:
    history = SubjectHistory(FIRST)
    for turn in range(2 * LONGEST):
        block = history.now.spec
        history.add(Subject(replace(block, seed=turn) if turn % 2 else replace(block, batch_size=turn + 1)))
    steps = 0
    while history.back() is not None:
        steps += 1
    assert steps == LONGEST - 1
