"""sweep(plan): study and time each point after the other; one that fails never ends the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from tui.analysis.cost import cost_of
from tui.analysis.estimate import estimate_of
from tui.analysis.failure import in_words
from tui.analysis.progress import Doing
from tui.analysis.speed.conditions import CPU, Conditions
from tui.analysis.speed.report import SpeedReport
from tui.analysis.subject import Subject
from tui.analysis.sweep.plan import Cell, Plan
from tui.analysis.sweep.point import Broken, Numbers, Outcome, Point, Refused, Skipped
from tui.fusion.specs.block_spec import BlockSpec

if TYPE_CHECKING:
    from torch import Tensor, nn

    from tui.analysis.study import Study
    from tui.fusion.block import ReparamBlock

Measure = Callable[["ReparamBlock", "nn.Conv2d", "Tensor", Conditions], Iterator[Doing | SpeedReport]]
"""Times a block beside its convolution on that input; the last report is the complete one."""

Memory = Callable[[], int | None]
"""Gives the bytes of memory that are free; None where nobody knows."""


def sweep(
    plan: Plan, measure: Measure | None = None, memory: Memory | None = None
) -> Iterator[Doing | Point]:
    """Yield a Doing before each piece of work, and every point as soon as it is known.

    To stop it, stop iterating: between two pieces nothing runs. Values are those of a run that was not timed.

    `measure` times a block, `memory` tells what is free; tests put their own in their places.

    Raises:
        DeviceError: the plan's device is not here.
    """
    if measure is None:
        yield Doing("loading torch", 0, plan.count)
        measure = _measure_here(plan.conditions.device)
    memory = memory or memory_of_cpu
    for number, cell in enumerate(plan.cells, start=1):
        name = cell_words(plan, cell)
        yield Doing(name, number, plan.count)
        outcome: Outcome
        try:
            for piece in _outcome(cell, measure, memory):
                if isinstance(piece, Doing):
                    yield Doing(f"{name}: {piece.words}", number, plan.count)
                else:
                    outcome = piece
        except Exception as error:
            outcome = Broken(in_words(error))
        yield Point(cell.values, cell.spec, cell.conditions.threads, outcome)


def _measure_here(device: str) -> Measure:
    """What times a block; peaks say nothing of how speed changes along a sweep, and are left out.

    Raises:
        DeviceError: that device is not here.
    """
    from tui.analysis.deferred import load_torch

    load_torch()
    from tui.analysis.numerics.devices import device_named
    from tui.analysis.speed.measuring import measure

    device_named(device)
    return partial(measure, with_peaks=False)


def cell_words(plan: Plan, cell: Cell) -> str:
    """The cell by its values: "in channels 64, kernel size 3"."""
    pairs = zip(plan.ranges, cell.values, strict=True)
    return ", ".join(f"{each.axis.label} {value.text}" for each, value in pairs)


def _outcome(cell: Cell, measure: Measure, memory: Memory) -> Iterator[Doing | Outcome]:
    """What becomes of a cell, last; a Doing before each piece of work."""
    spec = cell.spec
    if spec is None:
        yield Skipped(cell.problem)
        return
    studying, limit = estimate_of(spec).bytes, memory()
    needed = studying if limit is None else max(studying, _bytes_of_timing(spec, cell.conditions.device))
    if limit is not None and needed > limit:
        yield Refused(needed, limit)
        return
    study = None
    for piece in _studied(spec):
        if isinstance(piece, Doing):
            yield piece
        else:
            study = piece
    assert study is not None
    block, conv, x = study.block, study.conv, study.x
    found = study.comparison.max_abs_diff, study.verdict.budget_used, study.verdict.ruling
    del study, piece  # its tensors would be in the way of what is timed
    speed = None
    for report in measure(block, conv, x, cell.conditions):
        if isinstance(report, Doing):
            yield report
        else:
            speed = report
            yield Doing("timing")
    if speed is None:
        raise RuntimeError("the timing ended without a result")
    yield Numbers(speed, *found, studying, cost_of(spec).macs)


def _bytes_of_timing(spec: BlockSpec, device: str) -> int:
    """What timing it takes where studying it does not take more: both happen on a CPU."""
    if device != CPU:
        return 0  # of its own memory, which the measurement looks at
    from tui.analysis.speed.memory import bytes_for

    return bytes_for(spec)


def memory_of_cpu() -> int | None:
    """Bytes that are free for a run; None where nobody knows."""
    import torch

    from tui.analysis.speed.memory import memory_free

    return memory_free(torch.device(CPU))


def _studied(spec: BlockSpec) -> Iterator[Doing | Study]:
    from tui.analysis.study import Study, run_study

    for piece in run_study(Subject(spec)):
        if isinstance(piece, Doing | Study):
            yield piece
