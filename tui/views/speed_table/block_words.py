"""A timed block as a line of the table, and in the pane beside it all that was measured of it."""

from __future__ import annotations

from collections.abc import Iterator

from textual.content import Content

from tui.analysis.quantities import short_count, traffic_in_words
from tui.analysis.speed.outcomes import LeftOut, Timed, Totals
from tui.analysis.speed.report import Side, SpeedReport, rounds_in_words
from tui.analysis.speed.timing import NOISY, Spread, shows_no_difference
from tui.analysis.sweep.quantities import quartiles_in_words, seconds_in_digits, times_in_digits
from tui.analysis.verdict.in_words import percent
from tui.fusion.quoting import printable
from tui.views.shared.styles import MUTED
from tui.widgets.rows.row import Row, Tone

NOISY_SIGN, LEFT_OUT_SIGN, NO_DIFFERENCE_SIGN, GOES_ON = "~", "△", "=", "…"
NOISY_MEANS = f"noisy: the quartiles of a side lie more than {100 * NOISY:g} % of its median apart"
TO_COME, NOT_TIMED = "to come", "not timed"
"""Of a block that is not there: while they are timed, and after that."""
GAIN, TIME, QUARTILES, ALONE = 8, 9, 15, 10
"""Columns."""
NARROW_HEAD = f"{'gain':>{GAIN}}" + "".join(f"{name:>{TIME}}" for name in ("as it is", "folded", "fused"))
WIDE_HEAD = f"{NARROW_HEAD}{'quartiles':>{QUARTILES}}{'by MACs':>{ALONE}}{'by bytes':>{ALONE}}"
"""Over the numbers."""


def row_of(timed: Timed, *, wide: bool) -> Row:
    """A line of the table; `wide`: whether it has the quartiles and what arithmetic says, too."""
    report = timed.report
    gain = report.gain()
    slower = gain is not None and gain.median < 1 and not _is_like(report)
    return Row(
        printable(timed.title),
        _numbers(report, wide=wide),
        sign=_sign(report),
        sign_tone=Tone.WARNING if report.is_noisy else Tone.MUTED,
        middle_tone=Tone.MUTED if not report.is_done else Tone.WARNING if slower else Tone.PLAIN,
    )


def _sign(report: SpeedReport) -> str:
    if not report.is_done:
        return GOES_ON
    if report.is_noisy:
        return NOISY_SIGN
    return NO_DIFFERENCE_SIGN if _is_like(report) else " "


def _numbers(report: SpeedReport, *, wide: bool) -> str:
    gain = report.gain()
    words = f"{_times(gain):>{GAIN}}" + "".join(f"{_time(report.time(side)):>{TIME}}" for side in Side)
    if not wide:
        return words
    alone = "".join(
        f"{times_in_digits(each) + ' ×':>{ALONE}}" for each in (report.gain_by_macs, report.gain_by_traffic)
    )
    return f"{words}{quartiles_in_words(gain, report.rounds):>{QUARTILES}}{alone}"


def row_of_left_out(left_out: LeftOut) -> Row:
    """A line of the table with the reason."""
    return Row(
        printable(left_out.title),
        f"left out: {printable(left_out.why)}",
        sign=LEFT_OUT_SIGN,
        sign_tone=Tone.WARNING,
        middle_tone=Tone.WARNING,
    )


def row_to_come(title: str, words: str) -> Row:
    """A line of the table that is still empty."""
    return Row(printable(title), f"{words:>{GAIN}}", sign=" ", tone=Tone.MUTED)


def totals_in_numbers(totals: Totals) -> str:
    """Under the numbers of the blocks: those of one run of each."""
    times = "".join(f"{seconds_in_digits(totals.seconds[side]):>{TIME}}" for side in Side)
    return f"{times_in_digits(totals.gain()) + ' ×':>{GAIN}}{times}"


def whole_in_numbers(timed: Timed) -> str:
    """Under the numbers of the blocks: those of the whole model."""
    return _numbers(timed.report, wide=False)


def words_on_left_out(left_out: LeftOut) -> Content:
    """Why it was left out."""
    head = Content.styled(printable(left_out.title), "bold")
    return Content("\n").join(
        [head, Content(""), Content.styled(f"left out: {printable(left_out.why)}", "$text-warning")]
    )


def words_on_missing(title: str, words: str) -> Content:
    """That nothing is known of it."""
    return Content.assemble((printable(title), "bold"), (f"\n{words}", MUTED))


def words_on(timed: Timed, *, narrow: bool) -> Content:
    """All that was measured of it. `narrow`: whether there are few rows, and long ones."""
    report = timed.report
    image = "×".join(map(str, report.input_nchw))
    head = Content.assemble(
        (printable(timed.title), "bold"), "  " if narrow else "\n", (f"{image}, {report.dtype}", MUTED)
    )
    lines = [head, *([] if narrow else [Content("")]), _gain(report), *([] if narrow else [Content("")])]
    return Content("\n").join([*lines, *_sides(report), *_rest(report, narrow=narrow)])


def _gain(report: SpeedReport) -> Content:
    gain = report.gain()
    if gain is None:
        return Content.styled("no round is complete yet", MUTED)
    noisy = "  noisy" if report.is_noisy else ""
    like = "  no difference that shows" if _is_like(report) else ""
    return Content.assemble(
        (f"{_times(gain)} as fast fused", "bold"),
        (f"  ({quartiles_in_words(gain, report.rounds)})", MUTED),
        (like, MUTED),
        (noisy, "$text-warning"),
    )


def _sides(report: SpeedReport) -> Iterator[Content]:
    yield Content.styled(f"{'':<13}{'time':>8}{'±':>7}{'moved':>9}", MUTED)
    for side in Side:
        if side not in report.work:
            continue
        time, work = report.time(side), report.work[side]
        apart = "" if time is None or report.rounds < 2 else percent(time.iqr / time.median / 2)
        yield Content.assemble(
            (f"{side:<13}", MUTED),
            (f"{_time(time):>8}", "bold"),
            (f"{apart.replace('less than ', '<'):>7}{traffic_in_words(work.bytes):>9}", MUTED),
        )
    macs = (short_count(report.work[side].macs) for side in (Side.UNFUSED, Side.FUSED))
    yield Content.assemble(("MACs         ", MUTED), " → ".join(macs))


def _rest(report: SpeedReport, *, narrow: bool) -> Iterator[Content]:
    words = (
        f"MACs alone would make it {times_in_digits(report.gain_by_macs)} ×, "
        f"bytes moved alone {times_in_digits(report.gain_by_traffic)} ×."
    )
    yield Content.styled(words if narrow else f"\n{words}", MUTED)
    if report.rounds:
        machine = report.machine
        threads = f"{machine.threads} {'thread' if machine.threads == 1 else 'threads'}"
        yield Content.styled(f"{rounds_in_words([report])}, {threads}, {printable(machine.device)}", MUTED)
    for remark in report.remarks:
        yield Content.styled(f"• {printable(remark)}", "$text-warning")
    if report.is_noisy:
        yield Content.styled(f"• {NOISY_MEANS}", "$text-warning")


def _is_like(report: SpeedReport) -> bool:
    gain = report.gain()
    return gain is not None and report.rounds > 1 and shows_no_difference(gain)


def _time(time: Spread | None) -> str:
    return "-" if time is None else seconds_in_digits(time.median)


def _times(gain: Spread | None) -> str:
    return "-" if gain is None else f"{times_in_digits(gain.median)} ×"
