"""Blocks timed one after the other, and their totals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import torch
from torch import nn

from tests.analysis.speed.made_up import MILLISECOND, PEAKS, made_up_measure
from tui.analysis.progress import Doing
from tui.analysis.speed.conditions import Conditions
from tui.analysis.speed.expected import expected_seconds
from tui.analysis.speed.outcomes import Found, Item, LeftOut, Planned, Timed, totals_of, worst_first
from tui.analysis.speed.report import Side
from tui.analysis.speed.several import Candidate, Made, time_all
from tui.fusion.kernel import FusionError
from tui.fusion.specs.block_spec import BlockSpec


def made(channels: int, *sides: Side) -> Made:
    return Made(dict.fromkeys(sides or Side, nn.Identity()), torch.ones(1, channels, 2, 2))


def fails() -> Made:
    raise FusionError("it is no convolution")


CANDIDATES = [
    Candidate("first", fails),
    Candidate("second", partial(made, 16)),
    Candidate("third", partial(made, 32, Side.UNFUSED, Side.FUSED)),
    Candidate("all", partial(made, 64, Side.UNFUSED, Side.FUSED), is_whole=True),
]


def items() -> list[Item]:
    return list(time_all(CANDIDATES, Conditions(), made_up_measure))


def ended() -> list[Timed]:
    return [item for item in items() if isinstance(item, Timed) and item.report.is_done]


def test_one_that_fails_does_not_end_the_others() -> None:
    assert [item for item in items() if isinstance(item, LeftOut)] == [
        LeftOut(1, "first", "it is no convolution")
    ]
    assert [(each.place, each.title, each.is_whole) for each in ended()] == [
        (2, "second", False),
        (3, "third", False),
        (4, "all", True),
    ]


def test_a_fault_of_ours_is_not_hidden() -> None:
    def faulty(*_: Any, **__: Any) -> Iterator[Any]:
        raise KeyError("a mistake of ours")

    with pytest.raises(KeyError):
        list(time_all(CANDIDATES, Conditions(), faulty))


def test_the_peaks_are_measured_once() -> None:
    assert [each.report.peaks for each in ended()] == [PEAKS, None, None]


def test_what_is_done_says_of_which_block() -> None:
    told = [(item.words, item.number) for item in items() if isinstance(item, Doing)]
    assert told[:3] == [("first", 1), ("second", 2), ("second: counting", 2)]


def test_totals_are_of_the_blocks_and_count_nothing_to_fold_as_it_is() -> None:
    totals = totals_of(ended())
    assert totals is not None
    assert totals.blocks == 2
    assert totals.seconds == {
        Side.UNFUSED: 8 * MILLISECOND,
        Side.FOLDED: 7 * MILLISECOND,
        Side.FUSED: 3 * MILLISECOND,
    }
    assert totals.gain() == 8 / 3
    assert totals_of([]) is None


def test_the_worst_gain_comes_first_and_what_has_none_last() -> None:
    begun = next(item for item in items() if isinstance(item, Timed))
    assert [each.title for each in worst_first([begun, *ended()])] == ["all", "third", "second", "second"]


SMALL, LARGE = BlockSpec(2, 2), BlockSpec(256, 256, input_shape=(56, 56))


def test_a_block_that_computes_more_takes_longer_and_a_whole_as_long_as_its_blocks() -> None:
    conditions = Conditions()
    small, large = (expected_seconds([spec], conditions) for spec in (SMALL, LARGE))
    assert 1 < small < large < expected_seconds([SMALL, LARGE], conditions)
    assert expected_seconds([LARGE], Conditions(rounds=5)) < large
    slim = replace(LARGE, groups=256)
    assert expected_seconds([SMALL], conditions) < expected_seconds([slim], conditions), "by its bytes"


def test_what_is_planned_is_told_first_with_the_seconds_of_each() -> None:
    candidates = [Candidate("a", fails, specs=(LARGE,)), Candidate("b", fails), Candidate("c", fails, True)]
    planned = next(time_all(candidates, Conditions(), made_up_measure))
    assert isinstance(planned, Planned)
    assert (planned.blocks, planned.whole, len(planned.seconds)) == (2, True, 3)
    assert planned.seconds[0] > planned.seconds[1] == planned.seconds[2]


def test_how_much_is_done_goes_by_what_each_takes() -> None:
    found = Found(Planned(2, whole=True, seconds=(1.0, 3.0, 4.0)))
    assert found.share == 0
    first, _, last = ended()
    found.take(replace(first, place=1))
    assert found.share == 1 / 8
    found.take(LeftOut(2, "b", "it is no convolution"))
    assert found.share == 1 / 5, "what is left out takes no time"
    begun = replace(last.report, is_done=False, conditions=Conditions(rounds=12))
    found.take(replace(last, place=3, report=begun))
    assert found.share == (1 + 4 * 3 / 12) / 5
    found.take(replace(last, place=3))
    assert found.share == 1
