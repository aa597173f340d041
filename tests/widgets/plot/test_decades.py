"""An axis of powers of ten: which numbers are marked, and how they are written."""

from __future__ import annotations

import pytest

from tui.widgets.plot.decades import Decades, number_at


def marked(low: float, high: float, *, room: int = 0, most: int = 8) -> list[str]:
    ticks, labels = Decades(lambda: room, apart=10).get_ticks_and_labels(low, high, most)
    assert len(ticks) == len(labels)
    assert all(low <= tick <= high for tick in ticks)
    return labels


@pytest.mark.parametrize(
    ("low", "high", "room", "labels"),
    [
        (-1.0, 2.0, 29, ["0.1", "1", "10", "100"]),
        (0.0, 1.0, 10, ["1", "2", "5", "10"]),
        (-0.5, 0.9, 14, ["0.5", "1", "2", "5"]),
        (0.5, 1.9, 13, ["10"]),
        (-5.0, -3.0, 0, ["1e-5", "1e-4", "0.001"]),
        (4.0, 6.0, 0, ["10000", "1e5", "1e6"]),
    ],
)
def test_what_is_marked(low: float, high: float, room: int, labels: list[str]) -> None:
    assert marked(low, high, room=room) == labels


def test_of_many_decades_not_all_are_marked() -> None:
    assert marked(-4.0, 12.0, most=6) == ["0.001", "1", "1000", "1e6", "1e9", "1e12"]


def test_the_number_of_a_logarithm() -> None:
    assert [number_at(power) for power in (-3, 0, 0.30103, 1.69897)] == ["0.001", "1", "2", "50"]
