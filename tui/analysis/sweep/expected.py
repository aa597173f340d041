"""How long each point of a sweep takes beside the others, so that the time left can be told."""

from __future__ import annotations

from collections.abc import Sequence

from tui.analysis.cost import cost_of
from tui.analysis.estimate import estimate_of
from tui.analysis.speed.conditions import BUDGET, FEWEST_ROUNDS
from tui.analysis.sweep.plan import Cell, Plan

_MACS_PER_SECOND = 20e9  # as the estimate of a study has it
_SECONDS_OF_A_TIMING = 0.01  # at least: what is shorter runs several times
_SECONDS_BEFORE = 0.4  # to warm up, and to count


def expected_seconds(cell: Cell) -> float:
    """About how long this cell takes; only the proportions count."""
    if cell.spec is None:
        return 0.0
    macs = cost_of(cell.spec).macs
    sides = (macs.unfused, macs.unfused, macs.fused)  # norms that are folded are no MACs
    round_ = sum(max(_SECONDS_OF_A_TIMING, each / _MACS_PER_SECOND) for each in sides)
    rounds = min(cell.conditions.rounds, max(FEWEST_ROUNDS, int(BUDGET / round_)))
    return _SECONDS_BEFORE + estimate_of(cell.spec).seconds + rounds * round_


def shares_done(plan: Plan) -> tuple[float, ...]:
    """How much of a sweep is done, from 0 to 1, when so many of its points are: (count + 1,) numbers."""
    seconds = [expected_seconds(cell) for cell in plan.cells]
    whole = sum(seconds)
    if not whole:
        return tuple(place / len(seconds) for place in range(len(seconds) + 1))
    done, shares = 0.0, [0.0]
    for each in seconds:
        done += each
        shares.append(min(done / whole, 1.0))
    return tuple(shares)


def seconds_left(elapsed: float, shares: Sequence[float], number_done: int) -> float | None:
    """How long the rest takes at the pace so far; None before anything is done."""
    share = shares[number_done]
    return elapsed * (1 - share) / share if share > 0 else None
