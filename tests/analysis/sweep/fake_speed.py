"""Timings that nobody took: the same on every machine, in dyadic seconds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from torch import Tensor, nn

from tui.analysis.cost import Sides
from tui.analysis.progress import Doing
from tui.analysis.speed.arithmetic import Work
from tui.analysis.speed.conditions import Conditions
from tui.analysis.speed.report import Machine, Side, SpeedReport
from tui.analysis.speed.timing import Timing
from tui.analysis.sweep.axes import Value
from tui.analysis.sweep.plan import Plan
from tui.analysis.sweep.point import Numbers, Outcome, Point, Refused, Skipped
from tui.analysis.verdict.reason import Ruling
from tui.fusion.block import ReparamBlock

MACHINE = Machine("a processor of the tests", 2, "2.9.0")
WORK = Work(params=100, macs=1000, bytes_read=800, bytes_written=200, operations=4)


def report(unfused: float, fused: float, conditions: Conditions | None = None) -> SpeedReport:
    """A finished report of these medians, whose quartiles lie an eighth around them."""
    around = (0.875, 1.0, 1.125)
    sides = {Side.UNFUSED: unfused, Side.FOLDED: (unfused + fused) / 2, Side.FUSED: fused}
    return SpeedReport(
        conditions or Conditions(),
        MACHINE,
        "float32",
        (1, 2, 9, 9),
        dict.fromkeys(Side, WORK),
        {side: Timing(tuple(seconds * part for part in around)) for side, seconds in sides.items()},
        is_done=True,
    )


def fake_measure(
    block: ReparamBlock, fused: nn.Conv2d, x: Tensor, conditions: Conditions
) -> Iterator[Doing | SpeedReport]:
    """As `measure`: the more channels, the less the block gains."""
    yield Doing("warming up")
    whole = report(0.001 * (block.in_channels + 4), 0.001 * block.in_channels, conditions)
    yield replace(whole, is_done=False)
    yield whole


def numbers(speed_up: float, seconds: float = 2.0**-10, spread: float = 0.125) -> Numbers:
    """Numbers of a point with this speed-up, round for round, and around it."""
    around = (1 - spread, 1.0, 1 + spread)
    fused = Timing((seconds, seconds, seconds))
    made = report(seconds * speed_up, seconds)
    timings = {**made.timings, Side.FUSED: fused}
    timings[Side.UNFUSED] = Timing(tuple(seconds * speed_up * part for part in around))
    speed = replace(made, timings=timings)
    return Numbers(speed, 2.0**-21, 0.25, Ruling.ROUNDING, 48_000_000, Sides(2000, 1000))


def points_of(plan: Plan, speed_ups: list[float]) -> list[Point]:
    """A point for each cell: skipped where there is no such block, refused where the speed-up is 0."""
    points, left = [], iter(speed_ups)
    for cell in plan.cells:
        outcome: Outcome
        if cell.spec is None:
            outcome = Skipped(cell.problem)
        else:
            gain = next(left)
            size = cell.spec.in_channels * cell.spec.input_shape[0]
            outcome = numbers(gain, size * 2.0**-20) if gain else Refused(64_000_000_000, 8_000_000_000)
        points.append(Point(cell.values, cell.spec, cell.conditions.threads, outcome))
    return points


def values(*texts: str) -> tuple[Value, ...]:
    """Values by their texts."""
    return tuple(Value(text, int(text) if text.isdigit() else None) for text in texts)
