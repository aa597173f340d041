"""Finds the one number of a family of mistakes with which it makes a difference."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass

import torch
from torch import Tensor

from tui.analysis.likeness.families import Family
from tui.analysis.likeness.found import Likeness
from tui.analysis.likeness.pairs import Sample
from tui.analysis.progress import Doing
from tui.fusion.block import ReparamBlock

MOST_RUNS = 12
"""One that fits did so within 8 runs, with variances from 1e-4 to 3 and an eps from 0 to 1 for 1e-5."""

SLOW = 0.9
"""Where a run leaves more than this part of what the run before it left, the family does not fit."""


@dataclass(frozen=True, eq=False)
class _Run:
    """What a member of the family makes, in the sample, and the norm of what it leaves over of all."""

    at: float
    made: Tensor
    left: float


def fitted(
    family: Family,
    difference: Tensor,
    made_by: Callable[[ReparamBlock], Tensor],
    tolerance: float,
    sample: Sample,
) -> Generator[Doing, None, Likeness | None]:
    """Yield a Doing before each run; return the member that makes the difference up to `tolerance`, if any.

    Newton's method for least squares, with a secant for the derivative: the next coordinate is the one whose
    member would leave the least of the sample over, were the family linear between the last two.

    made_by: fused - unfused, (batch, out_channels, H, W), where the fused kernel is that of the block given.
    """
    size, seen = float(difference.norm()), sample.of(difference)
    doing, error = Doing(f"looking for {family.title}"), 4 * tolerance / size

    def run_at(coordinate: float) -> _Run:
        made = made_by(family.block_at(coordinate))
        return _Run(coordinate, sample.of(made), float((difference - made).norm()))

    before = _Run(family.first, torch.zeros_like(seen), size)
    if not family.right:
        yield doing
        before = run_at(family.first)
        if before.left <= tolerance:
            return family.told(before.at, error)
    at = family.second
    for number in range(MOST_RUNS):
        yield doing
        run = run_at(at)
        if run.left <= tolerance:
            return family.told(at, error)
        if not math.isfinite(run.left):
            at = (at + before.at) / 2
            continue
        if number > 1 and run.left > SLOW * before.left:
            return None
        at = min(max(_next(before, run, seen), family.lowest), family.highest)
        if at == run.at:
            return None
        before = run
    return None


def _next(before: _Run, run: _Run, seen: Tensor) -> float:
    """The coordinate that fits best in the plane of the last two; the same again where they do not differ."""
    slope = run.made - before.made
    length = float(slope.square().sum())
    step = float(((seen - run.made) * slope).sum()) / length if length else 0.0
    return run.at + step * (run.at - before.at)
