"""A sweep as data: one object for JSON, or a table for a spreadsheet."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from io import StringIO
from typing import Any

from tui.analysis.speed.report import Side
from tui.analysis.speed.timing import Spread
from tui.analysis.sweep.plan import Plan
from tui.analysis.sweep.point import Numbers, Point
from tui.fusion.grammar.fields import texts_of

SWEEP_SCHEMA = 2
"""It grows with each change that takes a key away or gives one another meaning."""


def sweep_as_data(plan: Plan, points: Sequence[Point], *, repetitions: bool = False) -> dict[str, Any]:
    """The sweep as far as it came, as an object for JSON; numbers that are not finite are None.

    `spec`: the block that is varied, each field as it is typed. `axes`: what varies, and its values.
    `complete`: whether all points are there. Of a point, `seconds` are of one run of each side and
    `speed_up` is taken round by round, each as median and quartiles; `study_memory_bytes` is what
    studying it was estimated to take; the
    difference and its verdict are of a run that was not timed. With `repetitions` every timing is there too.
    """
    timed = next((point.numbers.speed for point in points if point.numbers), None)
    return {
        "schema": SWEEP_SCHEMA,
        "spec": texts_of(plan.base),
        "machine": None if timed is None else {"device": timed.machine.device, "torch": timed.machine.torch},
        "conditions": asdict(plan.conditions),
        "axes": [
            {"name": each.axis.name, "values": [value.text for value in each.values]} for each in plan.ranges
        ],
        "complete": len(points) == plan.count,
        "points": [_point(plan, point, repetitions=repetitions) for point in points],
    }


def sweep_json(plan: Plan, points: Sequence[Point], *, repetitions: bool = False) -> str:
    """`sweep_as_data` as one line of strict JSON."""
    return json.dumps(sweep_as_data(plan, points, repetitions=repetitions), allow_nan=False)


def sweep_csv(plan: Plan, points: Sequence[Point]) -> str:
    """A line for each point under a line of names; what there is not is empty."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*(each.axis.name for each in plan.ranges), *_COLUMNS])
    for point in points:
        writer.writerow([*(value.text for value in point.values), *_cells(point)])
    return text.getvalue()


def _point(plan: Plan, point: Point, *, repetitions: bool) -> dict[str, Any]:
    names = [each.axis.name for each in plan.ranges]
    made: dict[str, Any] = {
        "values": dict(zip(names, (value.text for value in point.values), strict=True)),
        "state": point.state,
        "why": point.why or None,
    }
    numbers = point.numbers
    return made if numbers is None else made | _of_numbers(numbers, repetitions=repetitions)


def _of_numbers(numbers: Numbers, *, repetitions: bool) -> dict[str, Any]:
    timings = numbers.speed.timings
    seconds = {side.name.lower(): _spread(timings[side].spread) for side in Side if side in timings}
    made = {
        "speed_up": None if numbers.speed_up is None else _spread(numbers.speed_up),
        "seconds": seconds,
        "noisy": numbers.speed.is_noisy,
        "rounds": numbers.speed.rounds,
        "threads": numbers.speed.machine.threads,
        "remarks": list(numbers.speed.remarks),
        "max_abs_diff": _finite(numbers.max_abs_diff),
        "budget_used": _finite(numbers.budget_used),
        "verdict": numbers.ruling,
        "study_memory_bytes": numbers.bytes,
        "macs": asdict(numbers.macs),
    }
    if repetitions:
        made["repetitions"] = {side.name.lower(): list(timing.seconds) for side, timing in timings.items()}
    return made


def _spread(spread: Spread) -> dict[str, float]:
    return {"median": spread.median, "low": spread.low, "high": spread.high}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


_PARTS = ("median", "low", "high")
_COLUMNS = (
    "state",
    "why",
    *(f"speed_up_{part}" for part in _PARTS),
    *(f"{side.name.lower()}_seconds_{part}" for side in Side for part in _PARTS),
    *("noisy", "rounds", "threads", "max_abs_diff", "budget_used", "verdict", "study_memory_bytes"),
    *("macs_unfused", "macs_fused"),
)


def _cells(point: Point) -> Iterator[object]:
    yield from (point.state, point.why)
    numbers = point.numbers
    if numbers is None:
        yield from [""] * (len(_COLUMNS) - 2)
        return
    for spread in (numbers.speed_up, *map(numbers.time, Side)):
        yield from ("" if spread is None else repr(getattr(spread, part)) for part in _PARTS)
    yield from ("yes" if numbers.speed.is_noisy else "no", numbers.speed.rounds)
    yield from (numbers.speed.machine.threads, repr(numbers.max_abs_diff), repr(numbers.budget_used))
    yield from (numbers.ruling, numbers.bytes, numbers.macs.unfused, numbers.macs.fused)
