"""Blocks timed one after the other, and their totals."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
import torch
from torch import nn

from tests.analysis.speed.made_up import MILLISECOND, PEAKS, made_up_measure
from tui.analysis.progress import Doing
from tui.analysis.speed.conditions import Conditions
from tui.analysis.speed.outcomes import LeftOut, Timed, totals_of, worst_first
from tui.analysis.speed.report import Side
from tui.analysis.speed.several import Candidate, Made, time_all
from tui.fusion.kernel import FusionError


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


def items() -> list[Doing | Timed | LeftOut]:
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
