"""What was measured of speed as data: one object for JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
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
