"""Times, rates and ratios in three digits."""

from __future__ import annotations

import pytest

from tui.analysis.speed.timing import Spread
from tui.views.speed.figures import between, bytes_moved, duration, quartiles, ratio, three_digits


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.0, "0.0e+00"),
        (0.00052, "5.2e-04"),
        (0.0123, "0.0123"),
        (1.0, "1.00"),
        (9.996, "10.0"),
        (61.24, "61.2"),
        (123.4, "123"),
        (999.6, "1000"),
        (12345.6, "12346"),
        (float("inf"), "inf"),
    ],
)
def test_three_digits(value: float, words: str) -> None:
    assert three_digits(value) == words


def test_times_are_told_in_one_unit_where_they_stand_together() -> None:
    plain = [each.replace("\N{NO-BREAK SPACE}", " ") for each in map(duration, (2.5, 1.25e-3, 12.3e-6, 8e-9))]
    assert plain == ["2.50 s", "1.25 ms", "12.3 µs", "8.00 ns"]
    assert duration(750e-6, like=1.5e-3) == "0.750\N{NO-BREAK SPACE}ms"
    assert quartiles(Spread(7e-4, 8e-4, 9e-4), 1.5e-3) == "0.700 to 0.900\N{NO-BREAK SPACE}ms"


def test_ratios_and_bytes() -> None:
    assert ratio(1.336) == "1.34\N{NO-BREAK SPACE}×"
    assert between(Spread(1.31, 1.34, 1.38)) == "(1.31 to 1.38)"
    assert [bytes_moved(each)[:-3].strip() for each in (12_300, 3_400_000)] == ["12.3", "3.40"]
    assert bytes_moved(640) == "640\N{NO-BREAK SPACE}B"
