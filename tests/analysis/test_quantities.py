"""Words for counts, sizes and times."""

from __future__ import annotations

import pytest

from tui.analysis.estimate import Estimate
from tui.analysis.quantities import (
    count,
    estimate_in_words,
    memory_in_words,
    time_in_words,
    times,
    two_digits,
)


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0"), (999, "999"), (1000, "1\xa0000"), (115605504, "115\xa0605\xa0504")]
)
def test_counts_stand_in_groups_of_three(number: int, words: str) -> None:
    assert count(number) == words


@pytest.mark.parametrize(
    ("value", "words"), [(0.0, "0"), (2.38e-7, "2.4e-07"), (float("inf"), "inf"), (float("nan"), "nan")]
)
def test_only_exactly_no_difference_reads_as_0(value: float, words: str) -> None:
    assert two_digits(value) == words


@pytest.mark.parametrize(
    ("size", "words"),
    [(2_000, "0.0 MB"), (3_400_000_000, "3.4 GB"), (1_100_000_000_000, "1.1 TB"), (10**16, "10,000.0 TB")],
)
def test_memory(size: int, words: str) -> None:
    assert memory_in_words(size) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "under a second"), (12.3, "about 12 s"), (180, "about 3 min"), (18_000, "about 5 h")],
)
def test_time(seconds: float, words: str) -> None:
    assert time_in_words(seconds) == words


def test_estimate() -> None:
    estimate = Estimate(bytes=5 * 10**12, seconds=600.0)
    assert estimate_in_words(estimate) == "about 10 min and 5.0 TB of memory"


def test_a_part_of_nothing_is_no_ratio() -> None:
    assert times(3240, 2916) == "0.90 ×"
    assert times(0, 162) == "none"
