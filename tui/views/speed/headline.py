"""What the speed view says first: how much faster the fused block is, how sure that is, and what goes on."""

from __future__ import annotations

from textual.content import Content

from tui.analysis.progress import Doing, Failed
from tui.analysis.quantities import time_in_words
from tui.analysis.speed.measurement import BrokenOff, Done, Measurement, Unasked
from tui.analysis.speed.report import SpeedReport
from tui.analysis.speed.timing import Spread, shows_no_difference
from tui.views.shared.styles import MUTED
from tui.views.speed.figures import between, ratio, three_digits

_GOES_ON = "bold $text-accent"
_WARNS = "bold $text-warning"
NOT_COUNTED = "batch norms and sums are not counted"
"""In MACs and FLOP."""


def headline(measurement: Measurement | None, *, as_chosen: bool, is_valid: bool = True) -> Content:
    """1.34 × as fast fused (1.31 to 1.38); and in a line of its own what goes on, or what it was measured on.

    `as_chosen`: whether it was measured under the conditions that are chosen now; `is_valid`: whether the
    form holds a block, and not a mistake, which is then what is said.
    """
    lines = [] if measurement is None else _gain(measurement, is_valid=is_valid)
    if not is_valid:
        of = "of the block before: " if lines else ""
        return Content("\n").join(
            [*lines, Content.styled(f"{of}the form is not valid, f goes to it", _WARNS)]
        )
    if measurement is None:
        return Content.styled("not timed yet", MUTED)
    said = _state(measurement, as_chosen=as_chosen)
    return Content("\n").join([*lines, *([said] if said else [])])


def _gain(measurement: Measurement, *, is_valid: bool) -> list[Content]:
    report = measurement.report
    gain = None if report is None else report.gain()
    if report is None or gain is None:
        return []
    settled = isinstance(measurement.state, Done) and is_valid
    number = f"{three_digits(gain.median)} × as fast fused"
    parts: list[str | tuple[str, str]] = [(number, "bold" if settled else MUTED), "  "]
    parts += [(between(gain), "" if settled else MUTED)]
    parts += [(f"  {_meaning(gain)}", MUTED)] if settled and _meaning(gain) else []
    parts += [("  noisy", _WARNS)] if report.is_noisy else []
    return [Content.assemble(*parts)]


def _meaning(gain: Spread) -> str:
    """What the ratio does not say by itself."""
    if shows_no_difference(gain):
        return "no difference that shows"
    return "slower" if gain.median < 1 else ""


def _state(measurement: Measurement, *, as_chosen: bool) -> Content | None:
    state, report = measurement.state, measurement.report
    match state:
        case Doing():
            place = f" {state.place}" if state.place else ""
            return Content.assemble((f"{state.words}{place} …", _GOES_ON), ("   esc stops it", MUTED))
        case Unasked(seconds):
            words = f"Timing this block may take {time_in_words(seconds)}. Press enter to do it."
            return Content.styled(words, _WARNS)
        case Failed(words):
            return Content.styled(f"It was not timed: {words}", "$text-error")
        case BrokenOff():
            rounds = 0 if report is None else report.rounds
            place = f"after round {rounds} of {measurement.conditions.rounds}"
            stopped = f"stopped {place if rounds else 'before it was timed'}; enter measures again"
            return Content.styled(stopped, _WARNS)
        case Done() if not as_chosen:
            return Content.styled("under other conditions than chosen: enter measures again", _WARNS)
    return None if report is None else _where(report)


def _where(report: SpeedReport) -> Content:
    machine = report.machine
    threads = f"{machine.threads} thread{'s' if machine.threads != 1 else ''}"
    words = f"{report.rounds} rounds on {machine.device}, {threads}, torch {machine.torch}"
    return Content.styled(words, MUTED)


def by_arithmetic(report: SpeedReport, width: int) -> Content:
    """What the speed-up would be if one thing alone counted; in a line, or in few columns in two."""
    words = Content.assemble(
        ("By MACs alone it would be ", MUTED),
        ratio(report.gain_by_macs),
        (", by memory traffic alone ", MUTED),
        ratio(report.gain_by_traffic),
    )
    apart = ";" if width > words.cell_length + len(NOT_COUNTED) + 1 else "\n"
    return Content.assemble(words, (f"{apart}{' ' * (apart == ';')}{NOT_COUNTED}", MUTED))
