from __future__ import annotations

from dataclasses import replace

import pytest

from tests.analysis.sweep.fake_speed import numbers
from tui.analysis.sweep.plan import Plan
from tui.analysis.sweep.point import Broken, Outcome, Point, Skipped
from tui.analysis.sweep.quantities import seconds_in_digits, times_in_digits
from tui.analysis.sweep.ranges import parse_over
from tui.analysis.verdict.reason import Ruling
from tui.fusion.specs.block_spec import BlockSpec
from tui.views.sweep.point_words import TABLE_HEAD, row_of, words_on
from tui.widgets.rows.row import Tone

PLAN = Plan(BlockSpec(), (parse_over("channels=4"), parse_over("kernel-size=3")))


def point(outcome: Outcome) -> list[Point]:
    cell = PLAN.cells[0]
    return [Point(cell.values, cell.spec, None, outcome)]


def test_all_of_a_point_is_said() -> None:
    assert words_on(PLAN, 0, point(numbers(2.0, 2.0**-10))).plain.splitlines() == [
        "channels 4, kernel size 3   2.00 × as fast (1.88 to 2.12)",
        "as it is 1.95 ms · norms folded 1.46 ms · fused 977 µs · MACs 2\N{NO-BREAK SPACE}000 → "
        "1\N{NO-BREAK SPACE}000",
        "max |d| 4.8e-07, 25 % of the budget: rounding · studied in about 48.0 MB",
    ]


def test_remarks_are_said_below() -> None:
    found = numbers(2.0)
    remarked = replace(found, speed=replace(found.speed, remarks=("float16 on a CPU", "busy")))
    assert words_on(PLAN, 0, point(remarked)).plain.splitlines()[3:] == ["float16 on a CPU; busy"]


def test_noise_is_said_in_a_word_and_in_the_table_by_a_sign() -> None:
    noisy = point(numbers(2.0, spread=0.5))
    assert words_on(PLAN, 0, noisy).plain.splitlines()[0].endswith("(1.50 to 2.50)   noisy")
    assert row_of(PLAN, 0, noisy).sign == "~"
    assert row_of(PLAN, 0, point(numbers(2.0))).sign == " "


def test_numbers_stand_under_their_heading() -> None:
    row = row_of(PLAN, 0, point(replace(numbers(2.0), budget_used=0.001, ruling=Ruling.SUSPICIOUS)))
    for heading, text in (("speed-up", "2.00 ×"), ("max |d|", "4.8e-07"), ("budget", "<1 %")):
        end = TABLE_HEAD.index(heading) + len(heading)
        assert row.middle[:end].endswith(text)
    assert row.middle[TABLE_HEAD.index("verdict") :] == "suspicious"
    assert row.middle_tone is Tone.WARNING


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (Skipped("no such block"), "channels 4, kernel size 3   skipped: no such block"),
        (Broken("[/] \x1b"), "channels 4, kernel size 3   failed: [/] \\x1b"),
    ],
)
def test_why_there_are_no_numbers(outcome: Outcome, words: str) -> None:
    assert words_on(PLAN, 0, point(outcome)).plain == words
    assert row_of(PLAN, 0, point(outcome)).middle == words.split("   ")[1]


def test_a_point_to_come() -> None:
    assert words_on(PLAN, 0, []).plain == "channels 4, kernel size 3   to come"
    assert row_of(PLAN, 0, []).middle == "to come"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(2.0, "2.00 s"), (0.0123, "12.3 ms"), (8.5e-4, "850 µs"), (1.5e-6, "1.50 µs"), (4e-8, "40 ns")],
)
def test_seconds(seconds: float, text: str) -> None:
    assert seconds_in_digits(seconds) == text


def test_times() -> None:
    assert [times_in_digits(value) for value in (0.875, 12.34, 123.4)] == ["0.88", "12.3", "123"]
