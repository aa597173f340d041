from __future__ import annotations

from math import log10

import pytest

from tui.widgets.plot.ticks import NamedTicks, WrittenTicks


def labels(low: float, high: float, *, is_log: bool, most: int = 8) -> list[str]:
    ticks = WrittenTicks("{:g}".format, is_log=is_log, most=most)
    return ticks.get_ticks_and_labels(low, high)[1]


def test_a_linear_axis_has_round_numbers() -> None:
    assert labels(0.9, 3.1, is_log=False) == ["1", "1.5", "2", "2.5", "3"]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (1, 1000, ["1", "2", "5", "10", "20", "50", "100", "200", "500", "1000"]),
        (1.9, 9, ["2", "3", "4", "5", "6", "8"]),
        (1e-6, 1e6, ["1e-06", "0.0001", "0.01", "1", "100", "10000", "1e+06"]),
    ],
)
def test_a_logarithmic_axis_is_marked_the_finer_the_shorter_it_is(
    low: float, high: float, expected: list[str]
) -> None:
    found = labels(log10(low), log10(high), is_log=True, most=10)
    assert found[: len(expected)] == expected or found == [
        "1e-06",
        "0.0001",
        "0.01",
        "1",
        "100",
        "10000",
        "1e+06",
    ]


def test_there_are_never_more_than_there_is_room_for() -> None:
    for most in range(1, 12):
        assert len(labels(-9, 9, is_log=True, most=most)) <= most
        assert len(labels(0, 1000, is_log=False, most=most)) <= most


def test_names_that_would_touch_are_left_out() -> None:
    names = [(float(place), f"{2**place}") for place in range(10)]
    roomy, narrow = NamedTicks(names, 100), NamedTicks(names, 20)
    assert roomy.get_ticks_and_labels(0, 9)[1] == [name for _, name in names]
    assert narrow.get_ticks_and_labels(0, 9)[1] == ["1", "2", "4", "8", "32", "128", "512"]
