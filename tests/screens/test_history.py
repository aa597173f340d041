"""Going back and forth through specs."""

from __future__ import annotations

from dataclasses import replace

from tui.fusion.spec import BlockSpec
from tui.screens.history import LONGEST, SpecHistory

FIRST = BlockSpec()
SEEDED = replace(FIRST, seed=1)


def test_back_and_forth() -> None:
    history = SpecHistory(FIRST)
    assert history.back() is history.forth() is None
    history.add(SEEDED)
    assert history.back() == FIRST
    assert history.back() is None
    assert history.forth() == SEEDED
    assert history.forth() is None


def test_what_is_typed_into_one_field_is_one_change() -> None:
    history = SpecHistory(FIRST)
    history.add(SEEDED)
    history.add(replace(FIRST, seed=17))
    assert history.back() == FIRST
    assert history.forth() == replace(FIRST, seed=17)


def test_each_change_of_the_branches_counts() -> None:
    history = SpecHistory(FIRST)
    two, one = (replace(FIRST, branches=FIRST.branches[:count]) for count in (2, 1))
    history.add(two)
    history.add(one)
    assert history.back() == two
    assert history.back() == FIRST


def test_a_change_behind_an_older_place_drops_what_came_after() -> None:
    history = SpecHistory(FIRST)
    history.add(SEEDED)
    history.back()
    history.add(replace(FIRST, batch_size=2))
    assert history.forth() is None
    assert history.back() == FIRST


def test_the_same_spec_again_is_no_change() -> None:
    history = SpecHistory(FIRST)
    history.add(FIRST)
    assert history.back() is None


def test_it_does_not_grow_for_ever() -> None:
    history = SpecHistory(FIRST)
    for turn in range(2 * LONGEST):
        history.add(
            replace(history.now, seed=turn) if turn % 2 else replace(history.now, batch_size=turn + 1)
        )
    steps = 0
    while history.back() is not None:
        steps += 1
    assert steps == LONGEST - 1
