"""What was measured of speed as data: one object for JSON."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from io import StringIO
from typing import Any

from tui.analysis.speed.conditions import Conditions
from tui.analysis.speed.outcomes import LeftOut, Timed, Totals, totals_of, worst_first
from tui.analysis.speed.report import Side, SpeedReport
from tui.analysis.speed.timing import Spread

SPEED_SCHEMA = 1
"""It grows with each change that takes a key away or gives one another meaning."""


def speed_as_data(
    timed: Sequence[Timed],
    left_out: Sequence[LeftOut],
    conditions: Conditions,
    *,
    is_complete: bool = True,
    repetitions: bool = False,
) -> dict[str, Any]:
    """What was measured, as an object for JSON.

    `blocks`: the one that gains least first; `seconds` are of one run of each side, `gain` is taken round by
    round, each as median and quartiles. `whole`: the model that they are parts of. `totals`: one run of each
    block. `peaks`: FLOP/s of a large matrix product, bytes/s of a large copy. With `repetitions` every timing
    is there too.
    """
    reports = [each.report for each in timed]
    totals = totals_of(timed)
    whole = next((each for each in timed if each.is_whole), None)
    return {
        "schema": SPEED_SCHEMA,
        "complete": is_complete,
        "machine": asdict(reports[0].machine) if reports else None,
        "conditions": asdict(reports[0].conditions if reports else conditions),
        "peaks": next((asdict(each.peaks) for each in reports if each.peaks), None),
        "blocks": [_timed(each, repetitions=repetitions) for each in worst_first(timed) if not each.is_whole],
        "left_out": [{"name": each.title, "why": each.why} for each in left_out],
        "totals": None if totals is None else _totals(totals),
        "whole": None if whole is None else _timed(whole, repetitions=repetitions),
    }


def speed_json(
    timed: Sequence[Timed],
    left_out: Sequence[LeftOut],
    conditions: Conditions,
    *,
    is_complete: bool = True,
    repetitions: bool = False,
) -> str:
    """`speed_as_data` as one line of strict JSON."""
    data = speed_as_data(timed, left_out, conditions, is_complete=is_complete, repetitions=repetitions)
    return json.dumps(data, allow_nan=False)


def speed_csv(timed: Sequence[Timed], left_out: Sequence[LeftOut]) -> str:
    """A line for each block, the one that gains least first, and for the whole; what is missing is empty."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for each in sorted(worst_first(timed), key=lambda each: each.is_whole):
        writer.writerow(_cells(each))
    for left in left_out:
        writer.writerow([left.title, "left out", left.why, *[""] * (len(_COLUMNS) - 3)])
    return text.getvalue()


_PARTS = ("median", "low", "high")
_COLUMNS = (
    *("name", "state", "why", "kind", "input", "dtype", "device", "threads", "rounds", "noisy"),
    *(f"gain_{part}" for part in _PARTS),
    *(f"gain_of_folding_{part}" for part in _PARTS),
    *("gain_by_macs", "gain_by_traffic"),
    *(f"{side.name.lower()}_seconds_{part}" for side in Side for part in _PARTS),
    *(f"{side.name.lower()}_{what}" for side in Side for what in ("params", "macs", "bytes")),
)


def _cells(each: Timed) -> Iterator[object]:
    report = each.report
    yield from (
        each.title,
        "timed" if report.is_done else "partly",
        "",
        "whole" if each.is_whole else "block",
    )
    yield from ("x".join(map(str, report.input_nchw)), report.dtype, report.conditions.device)
    yield from (report.machine.threads, report.rounds, "yes" if report.is_noisy else "no")
    for spread in (report.gain(), report.gain(Side.FOLDED)):
        yield from ("" if spread is None else repr(getattr(spread, part)) for part in _PARTS)
    yield from (repr(report.gain_by_macs), repr(report.gain_by_traffic))
    for time in map(report.time, Side):
        yield from ("" if time is None else repr(getattr(time, part)) for part in _PARTS)
    for side in Side:
        work = report.work.get(side)
        yield from ("", "", "") if work is None else (work.params, work.macs, work.bytes)


def _timed(each: Timed, *, repetitions: bool) -> dict[str, Any]:
    report = each.report
    gain, of_folding = report.gain(), report.gain(Side.FOLDED)
    made: dict[str, Any] = {
        "name": each.title,
        "complete": report.is_done,
        "dtype": report.dtype,
        "input": list(report.input_nchw),
        "rounds": report.rounds,
        "gain": None if gain is None else asdict(gain),
        "gain_of_folding": None if of_folding is None else asdict(of_folding),
        "gain_by_macs": report.gain_by_macs,
        "gain_by_traffic": report.gain_by_traffic,
        "noisy": report.is_noisy,
        "sides": {side.name.lower(): _side(report, side) for side in Side if side in report.work},
        "remarks": list(report.remarks),
    }
    if repetitions:
        made["repetitions"] = {
            side.name.lower(): list(timing.seconds) for side, timing in report.timings.items()
        }
    return made


def _side(report: SpeedReport, side: Side) -> dict[str, Any]:
    time = report.time(side)
    return {
        "seconds": None if time is None else _spread(time),
        **asdict(report.work[side]),
        "intensity": report.work[side].intensity,
        "flops_per_second": report.flops_reached(side),
        "bytes_per_second": report.bandwidth_reached(side),
    }


def _spread(spread: Spread) -> dict[str, float]:
    return asdict(spread)


def _totals(totals: Totals) -> dict[str, Any]:
    return {
        "blocks": totals.blocks,
        "seconds": {side.name.lower(): seconds for side, seconds in totals.seconds.items()},
        "gain": totals.gain(),
        "gain_of_folding": totals.gain(Side.FOLDED),
    }
