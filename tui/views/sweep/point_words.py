"""One point of a sweep in words, and the lines of the table of all."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from tui.analysis.quantities import memory_in_words, short_count, two_digits
from tui.analysis.speed.report import Side
from tui.analysis.speed.timing import Spread
from tui.analysis.sweep.plan import Plan
from tui.analysis.sweep.point import Numbers, Point
from tui.analysis.sweep.quantities import seconds_in_digits, times_in_digits
from tui.analysis.verdict.in_words import percent
from tui.analysis.verdict.reason import Ruling
from tui.fusion.quoting import printable
from tui.views.shared.styles import MUTED, RULING_STYLES
from tui.widgets.rows.row import Row, Tone

NOISY = "noisy"
NOISY_SIGN = "~"
TABLE_HEAD = f"{'speed-up':>8}{'as it is':>9}{'folded':>9}{'fused':>9}{'max |d|':>9}{'budget':>7}  verdict"
"""Over the table's numbers."""
TO_COME, NOT_TIMED = "to come", "not timed"
"""Of a point that is not there: while the sweep runs, and after that."""

_TONES = {
    Ruling.EXACT: Tone.GOOD,
    Ruling.ROUNDING: Tone.GOOD,
    Ruling.SUSPICIOUS: Tone.WARNING,
    Ruling.WRONG: Tone.BAD,
}


def values_in_words(plan: Plan, place: int) -> str:
    """ "in channels 64, kernel size 3"."""
    pairs = zip(plan.ranges, plan.cells[place].values, strict=True)
    return ", ".join(f"{each.axis.label} {value.text}" for each, value in pairs)


def words_on(plan: Plan, place: int, points: Sequence[Point], missing: str = TO_COME) -> Content:
    """All that is known of a point: its values, and below them its numbers or why there are none."""
    head = Content.styled(values_in_words(plan, place), "bold")
    if place >= len(points):
        return Content.assemble(head, (f"   {missing}", MUTED))
    point = points[place]
    if point.numbers is None:
        style = "$text-error" if point.state == "failed" else "$text-warning"
        return Content.assemble(head, (f"   {point.state}: ", style), printable(point.why))
    return Content("\n").join([Content.assemble(head, "   ", _gain(point.numbers)), *_lines(point.numbers)])


def _gain(numbers: Numbers) -> Content:
    gain = numbers.speed_up
    if gain is None:
        return Content("")
    noisy = f"   {NOISY}" if numbers.speed.is_noisy else ""
    return Content.assemble(
        (f"{times_in_digits(gain.median)} ×", "bold"),
        (f" as fast ({times_in_digits(gain.low)} to {times_in_digits(gain.high)})", MUTED),
        (noisy, "$text-warning"),
    )


def _lines(numbers: Numbers) -> list[Content]:
    times = ((side, time) for side in Side if (time := numbers.time(side)) is not None)
    parts = [(f"{side} ", MUTED, seconds_in_digits(time.median)) for side, time in times]
    macs = f"{short_count(numbers.macs.unfused)} → {short_count(numbers.macs.fused)}"
    parts.append(("MACs ", MUTED, macs))
    first = Content(" · ").join(Content.assemble((name, style), text) for name, style, text in parts)
    second = Content.assemble(
        ("max |d| ", MUTED),
        two_digits(numbers.max_abs_diff),
        (", ", MUTED),
        percent(numbers.budget_used),
        (" of the budget: ", MUTED),
        (numbers.ruling, RULING_STYLES[numbers.ruling]),
        (" · studied in about ", MUTED),
        memory_in_words(numbers.bytes),
    )
    remarks = "; ".join(numbers.speed.remarks)
    return [first, second, Content.styled(printable(remarks), MUTED)] if remarks else [first, second]


def row_of(plan: Plan, place: int, points: Sequence[Point], missing: str = TO_COME) -> Row:
    """A line of the table."""
    name = " · ".join(value.text for value in plan.cells[place].values)
    if place >= len(points):
        return Row(name, missing, sign=" ")
    point = points[place]
    found = point.numbers
    if found is None:
        return Row(name, f"{point.state}: {printable(point.why)}", sign=" ", middle_tone=Tone.WARNING)
    gain = found.speed_up
    words = "".join(
        (
            f"{'-' if gain is None else times_in_digits(gain.median) + ' ×':>8}",
            *(f"{_time(found.time(side)):>9}" for side in Side),
            f"{two_digits(found.max_abs_diff):>9}{percent(found.budget_used).replace('less than ', '<'):>7}",
            f"  {found.ruling}",
        )
    )
    sign = NOISY_SIGN if found.speed.is_noisy else " "
    tone = Tone.PLAIN if found.ruling.agrees else _TONES[found.ruling]
    return Row(name, words, sign=sign, sign_tone=Tone.WARNING, middle_tone=tone)


def _time(time: Spread | None) -> str:
    return "-" if time is None else seconds_in_digits(time.median)
