"""What the speed view says first, of every state of a measurement."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rich.segment import Segment
from textual.color import Color

from tests.specs import EXACT
from tests.speed_reports import FINISHED, HALF_DONE, NOISY, NOTHING_YET, SLOWER, report_of
from tui.analysis.progress import Doing, Failed
from tui.analysis.speed.conditions import Conditions
from tui.analysis.speed.measurement import (
    BrokenOff,
    Done,
    Measurement,
    MeasuringState,
    Unasked,
)
from tui.analysis.speed.report import Side, SpeedReport
from tui.analysis.subject import Subject
from tui.terminal.plain_characters import PlainCharacters
from tui.views.speed.headline import by_arithmetic, headline
from tui.views.speed.side_tables import MARKS, times_table, work_table

ON = "31 rounds on A processor that nobody has, 2 threads, torch 2.13.0"


def said(state: MeasuringState, report: SpeedReport | None, *, as_chosen: bool = True) -> list[str]:
    measurement = Measurement(Subject(EXACT), Conditions(), state, report)
    return headline(measurement, as_chosen=as_chosen).plain.split("\n")


@pytest.mark.parametrize(
    ("state", "report", "lines"),
    [
        (Done(), FINISHED, ["2.00 × as fast fused  (1.94 to 2.03)", ON]),
        (Done(), NOISY, ["2.00 × as fast fused  (2.00 to 2.00)  noisy", ON]),
        (Done(), SLOWER, ["0.941 × as fast fused  (0.912 to 0.956)  slower", ON]),
        (Doing("warming up"), NOTHING_YET, ["warming up …   esc stops it"]),
        (
            Doing("measuring, round", 7, 31),
            HALF_DONE,
            ["2.00 × as fast fused  (1.97 to 2.03)", "measuring, round 7 of 31 …   esc stops it"],
        ),
        (
            BrokenOff(),
            HALF_DONE,
            [
                "2.00 × as fast fused  (1.97 to 2.03)",
                "stopped after round 7 of 31; enter measures again",
            ],
        ),
        (BrokenOff(), None, ["stopped before it was timed; enter measures again"]),
        (Unasked(24.0), None, ["Timing this block may take about 24 s. Press enter to do it."]),
        (Failed("[/] no memory"), NOTHING_YET, ["It was not timed: [/] no memory"]),
    ],
)
def test_what_is_said(state: MeasuringState, report: SpeedReport | None, lines: list[str]) -> None:
    assert said(state, report) == lines


def test_other_conditions_than_chosen_are_told() -> None:
    assert said(Done(), FINISHED, as_chosen=False)[1].startswith("under other conditions than chosen")


def test_no_difference_that_shows_is_told() -> None:
    same = report_of(times=dict.fromkeys(Side, 1.0))
    assert said(Done(), same)[0] == "1.00 × as fast fused  (0.969 to 1.02)  no difference that shows"


def test_arithmetic_alone() -> None:
    words = "By MACs alone it would be 1.12 ×, by memory traffic alone 4.00 ×"
    for width, apart in ((120, "; "), (80, "\n")):
        told = by_arithmetic(FINISHED, width).plain.replace("\N{NO-BREAK SPACE}", " ")
        assert told == f"{words}{apart}batch norms and sums are not counted"


def test_a_side_that_is_never_timed_is_told_from_one_that_is_still_to_come() -> None:
    without = replace(FINISHED, timings={s: t for s, t in FINISHED.timings.items() if s is not Side.FOLDED})
    for report, missing in ((without, "–"), (NOTHING_YET, "…"), (None, "…")):
        assert times_table(report, 90).plain.split("\n")[2].split()[-1] == missing
        assert work_table(report, 90).plain.split("\n")[2].split()[-1] == missing


MUCH_SLOWER = {Side.UNFUSED: 0.0123, Side.FOLDED: 0.0123, Side.FUSED: 1.0}
MUCH_FASTER = {Side.UNFUSED: 800.0, Side.FOLDED: 800.0, Side.FUSED: 0.987}
"""Times of which some have more characters than others in the same unit."""


@pytest.mark.parametrize("width", [38, 60, 70, 71, 77, 90, 160])
@pytest.mark.parametrize(
    "report",
    [FINISHED, NOTHING_YET, report_of(times=MUCH_SLOWER), report_of(times=MUCH_FASTER)],
    ids=["finished", "nothing yet", "much slower", "much faster"],
)
def test_the_tables_keep_within_their_width(report: SpeedReport, width: int) -> None:
    for table in (times_table, work_table):
        assert max(len(line) for line in table(report, width).plain.split("\n")) <= width


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp437", "koi8-r"])
def test_the_marks_of_the_sides_are_three_in_every_encoding(encoding: str) -> None:
    plain = PlainCharacters(encoding).apply([Segment("".join(MARKS.values()))], Color(0, 0, 0))
    assert len(set(plain[0].text)) == len(Side)


@pytest.mark.parametrize("width", [38, 71])
def test_where_there_is_no_room_there_is_no_bar(width: int) -> None:
    table = times_table(FINISHED, width).plain
    assert not set("━╸") & set(table)
    assert "━" in times_table(FINISHED, 77).plain
