"""How long each point of a sweep takes beside the others, so that the time left can be told."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from tui.analysis.estimate import estimate_of
from tui.analysis.speed.expected import expected_seconds as seconds_of_timing
from tui.analysis.sweep.plan import Cell, Plan


@lru_cache(maxsize=1024)  # of the points that a form names, each key that is typed in it changes a few
def expected_seconds(cell: Cell) -> float:
    """About how long this cell takes; only the proportions count."""
    if cell.spec is None:
        return 0.0
    return estimate_of(cell.spec).seconds + seconds_of_timing([cell.spec], cell.conditions)


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
