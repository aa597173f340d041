"""What was measured of speed as tables: the sides of one block, or a line for each of several."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.table import Table

from tui.analysis.quantities import short_count, traffic_in_words
from tui.analysis.speed.outcomes import LeftOut, Timed, Totals, totals_of, worst_first
from tui.analysis.speed.remarks import NOISY_MEANS, told_once
from tui.analysis.speed.report import Side, SpeedReport, rounds_in_words
from tui.analysis.speed.timing import Spread, shows_no_difference
from tui.analysis.sweep.quantities import (
    NO_DIFFERENCE,
    quartiles_in_words,
    seconds_in_digits,
    times_in_digits,
)
from tui.analysis.verdict.in_words import percent
from tui.commands.plain_console import plain_console
from tui.commands.tables import ASIDE, HEADING, WIDTH, listed, plain, row, table

_NOISY = "noisy"
_LIKE = "="
_NOTHING = "-"
MACS_MEAN = "MACs and FLOP are of convolutions and linear layers: batch norms and sums are not counted"
WIDE = 100
"""Columns from which on there is room for the quartiles of several blocks."""


def print_table(timed: Sequence[Timed], left_out: Sequence[LeftOut]) -> None:
    """Print it on stdout."""
    console = plain_console(WIDTH)
    console.print_report(Group(*_parts(timed, left_out, wide=console.width >= WIDE)))


def _parts(timed: Sequence[Timed], left_out: Sequence[LeftOut], *, wide: bool) -> Iterator[RenderableType]:
    if len(timed) == 1 and not left_out:
        yield from _of_one(timed[0])
    else:
        yield _of_several(timed, wide=wide)
        if left_out:
            yield ""
            yield from (plain(f"left out: {each.words}") for each in left_out)
    yield ""
    yield from (plain(line, ASIDE) for line in _remarks(timed, wide=wide))


def _of_one(timed: Timed) -> Iterator[RenderableType]:
    report = timed.report
    gain = report.gain()
    if timed.title:
        yield plain(timed.title, HEADING)
    made = _numbers("", "time", "IQR", "gain", "quartiles", "FLOP/s", "bytes/s", "")
    for side in _told(report):
        time, faster = report.time(side), report.gain(side)
        row(
            made,
            side,
            _time(time),
            _NOTHING if time is None or report.rounds < 2 else percent(time.iqr / time.median),
            _times(faster),
            quartiles_in_words(faster, report.rounds),
            _rate(report.flops_reached(side), "FLOP/s"),
            _rate(report.bandwidth_reached(side), "B/s"),
            _NOISY if time is not None and time.is_noisy else "",
        )
    yield made
    yield ""
    yield _work(report)
    yield ""
    if gain is not None:
        yield plain(
            f"{_meaning(gain, report.rounds)} MACs alone would make that "
            f"{times_in_digits(report.gain_by_macs)}, bytes moved alone "
            f"{times_in_digits(report.gain_by_traffic)}."
        )


def _meaning(gain: Spread, rounds: int) -> str:
    """How much faster it is, or that nobody can tell."""
    if rounds > 1 and shows_no_difference(gain):
        return f"No difference shows: fused it is {quartiles_in_words(gain, rounds)} times as fast."
    return f"Fused it is {times_in_digits(gain.median)} times as fast."


def _work(report: SpeedReport) -> Table:
    made = _numbers("", "params", "MACs", "read", "written", "ops", "FLOP/byte", "roof")
    peaks = report.peaks
    for side in _told(report):
        work = report.work[side]
        row(
            made,
            side,
            short_count(work.params),
            short_count(work.macs),
            traffic_in_words(work.bytes_read),
            traffic_in_words(work.bytes_written),
            str(work.operations),
            times_in_digits(work.intensity),
            _NOTHING if peaks is None else _rate(peaks.roof(work.intensity), "FLOP/s"),
        )
    return made


def _told(report: SpeedReport) -> list[Side]:
    """The sides that there are: the folded one is none where nothing is to be folded."""
    return [side for side in Side if side in (report.timings or report.work)]


def _of_several(timed: Sequence[Timed], *, wide: bool) -> Table:
    quartiles = ("quartiles",) if wide else ()
    made = _numbers("block", "input", "as it is", "folded", "fused", "gain", *quartiles, "MACs", "bytes", "")
    for each in worst_first(one for one in timed if not one.is_whole):
        row(made, each.title, *_cells(each.report, wide=wide))
    totals = totals_of(timed)
    made.add_section()
    if totals is not None and totals.blocks > 1:
        row(made, *_of_totals(totals))
    for each in timed:
        if each.is_whole:
            row(made, each.title, *_cells(each.report, wide=wide))
    return made


def _cells(report: SpeedReport, *, wide: bool) -> Iterator[str]:
    gain = report.gain()
    yield "×".join(map(str, report.input_nchw))
    yield from (_time(report.time(side)) for side in Side)
    yield _times(gain)
    if wide:
        yield quartiles_in_words(gain, report.rounds)
    yield from (f"{times_in_digits(each)} ×" for each in (report.gain_by_macs, report.gain_by_traffic))
    yield ", ".join(words for words, holds in _marks(report, wide=wide) if holds)


def _marks(report: SpeedReport, *, wide: bool) -> Iterator[tuple[str, bool]]:
    yield NO_DIFFERENCE if wide else _LIKE, _is_like(report)
    yield _NOISY, report.is_noisy
    yield f"after {report.rounds} rounds", not report.is_done


def _is_like(report: SpeedReport) -> bool:
    gain = report.gain()
    return gain is not None and report.rounds > 1 and shows_no_difference(gain)


def _of_totals(totals: Totals) -> Iterator[str]:
    yield from (f"all {totals.blocks} blocks", "")
    yield from (seconds_in_digits(totals.seconds[side]) for side in Side)
    yield f"{times_in_digits(totals.gain())} ×"


def _numbers(*headings: str) -> Table:
    made = table(*headings)
    made.padding = (0, 1, 0, 0)
    for column in made.columns[1:]:
        column.justify = "right"
        column.no_wrap = True
    return made


def _time(time: Spread | None) -> str:
    return _NOTHING if time is None else seconds_in_digits(time.median)


def _times(gain: Spread | None) -> str:
    return _NOTHING if gain is None else f"{times_in_digits(gain.median)} ×"


def _rate(rate: float | None, unit: str) -> str:
    """In three digits: "181 GFLOP/s"."""
    if rate is None:
        return _NOTHING
    for letter, size in (("T", 1e12), ("G", 1e9), ("M", 1e6)):
        if rate >= size:
            return f"{times_in_digits(rate / size)} {letter}{unit}"
    return f"{times_in_digits(rate / 1e3)} k{unit}"


def _remarks(timed: Sequence[Timed], *, wide: bool) -> Iterator[str]:
    reports = [each.report for each in timed]
    if not reports:
        return
    machine, conditions = reports[0].machine, reports[0].conditions
    yield (
        f"on {machine.device}, {machine.threads} {'thread' if machine.threads == 1 else 'threads'}, "
        f"torch {machine.torch}, {conditions.memory_format}{', compiled' if conditions.compiled else ''}; "
        f"medians of {rounds_in_words(reports)}, the sides taking turns"
    )
    yield MACS_MEAN
    peaks = next((report.peaks for report in reports if report.peaks), None)
    if peaks is not None:
        yield (
            f"it reaches {_rate(peaks.flops, 'FLOP/s')} in a large matrix product and "
            f"{_rate(peaks.bandwidth, 'B/s')} in a large copy"
        )
    for remark, titles in told_once((each.title, each.report.remarks) for each in timed):
        yield remark if len(titles) == len(timed) else f"{remark} ({listed(titles)})"
    if len(reports) > 1 and not wide and any(map(_is_like, reports)):
        yield f"{_LIKE}: no difference shows, the quartiles of the gain lie on both sides of 1"
    if any(report.is_noisy for report in reports):
        yield NOISY_MEANS
