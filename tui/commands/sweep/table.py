"""A sweep as a table: a line for each point, and below it what was left out and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from rich.console import Group, RenderableType
from rich.text import Text

from tui.analysis.quantities import memory_in_words, short_count, two_digits
from tui.analysis.speed.remarks import NOISY_MEANS, told_once
from tui.analysis.speed.report import Side, rounds_in_words
from tui.analysis.speed.timing import Spread, shows_no_difference
from tui.analysis.sweep.plan import Plan
from tui.analysis.sweep.point import Numbers, Point
from tui.analysis.sweep.quantities import (
    NO_DIFFERENCE,
    quartiles_in_words,
    seconds_in_digits,
    times_in_digits,
)
from tui.analysis.verdict.in_words import percent
from tui.commands.plain_console import plain_console
from tui.commands.sweep.columns import Column, tables_of
from tui.commands.tables import ASIDE, listed, plain, ruled

NOISY = "noisy"
WIDE = 160
"""Columns of all numbers beside each other, where stdout is no terminal."""
_HEADINGS = ("speed-up", "", "quartiles", *Side, "max |d|", "budget", "verdict", "studying", "MACs")


def print_table(plan: Plan, points: Sequence[Point]) -> None:
    """Print it on stdout."""
    console = plain_console(WIDE)
    console.print_report(Group(*_parts(plan, points, console.width)))


def _parts(plan: Plan, points: Sequence[Point], width: int) -> Iterator[RenderableType]:
    for each in tables_of(_names(plan, points), _numbers(points), width):
        yield each
        yield ""
    for state, words in _left_out(points):
        yield plain(f"{state}: {words}")
    yield from (plain(line, ASIDE) for line in _remarks(plan, points))


def _names(plan: Plan, points: Sequence[Point]) -> list[Column]:
    return [
        Column(each.axis.label, [point.values[place].text for point in points])
        for place, each in enumerate(plan.ranges)
    ]


def _numbers(points: Sequence[Point]) -> list[Column]:
    """What is told of each point; of one that has no numbers what became of it stands in their place."""
    lines = [
        [point.state, *([None] * (len(_HEADINGS) - 1))] if point.numbers is None else _cells(point.numbers)
        for point in points
    ]
    columns = (Column(heading, [line[place] for line in lines]) for place, heading in enumerate(_HEADINGS))
    return [each for each in columns if each.heading or any(each.cells)]


def _cells(found: Numbers) -> list[str | Text | None]:
    gain = found.speed_up
    return [
        "-" if gain is None else f"{times_in_digits(gain.median)} ×",
        ", ".join(_marks(found)),
        quartiles_in_words(gain, found.speed.rounds),
        *(_time(found.time(side)) for side in Side),
        two_digits(found.max_abs_diff),
        percent(found.budget_used),
        ruled(found.ruling),
        memory_in_words(found.bytes),
        f"{short_count(found.macs.unfused)} -> {short_count(found.macs.fused)}",
    ]


def _marks(found: Numbers) -> Iterator[str]:
    gain = found.speed_up
    if gain is not None and found.speed.rounds > 1 and shows_no_difference(gain):
        yield NO_DIFFERENCE
    if found.speed.is_noisy:
        yield NOISY


def _time(time: Spread | None) -> str:
    return "-" if time is None else seconds_in_digits(time.median)


def _left_out(points: Sequence[Point]) -> Iterator[tuple[str, str]]:
    """What has no numbers, and why, once for all values with the same words that follow each other."""
    without = (point for point in points if point.numbers is None)
    for (state, why), group in groupby(without, key=lambda point: (point.state, point.why)):
        yield state, f"{', '.join(map(_name, group))}: {why}"


def _remarks(plan: Plan, points: Sequence[Point]) -> Iterator[str]:
    timed = [(_name(point), point.numbers.speed) for point in points if point.numbers]
    reports = [report for _, report in timed]
    if reports:
        machine, conditions = reports[0].machine, plan.conditions
        threads = sorted({report.machine.threads for report in reports})
        yield (
            f"on {machine.device}, {'/'.join(map(str, threads))} "
            f"{'thread' if threads == [1] else 'threads'}, torch {machine.torch}, "
            f"{conditions.memory_format}{', compiled' if conditions.compiled else ''}; "
            f"medians of {rounds_in_words(reports)}; differences are of runs that were not timed"
        )
    for remark, names in told_once((name, report.remarks) for name, report in timed):
        yield remark if len(names) == len(timed) else f"{remark} ({listed(names)})"
    if reports:
        yield "studying: the memory that studying the block takes, estimated"
    if any(report.is_noisy for report in reports):
        yield NOISY_MEANS


def _name(point: Point) -> str:
    return "/".join(value.text for value in point.values)
