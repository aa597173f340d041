"""How long each block is timed beside the others, so that the time left can be told."""

from __future__ import annotations

from collections.abc import Iterable

from tui.analysis.cost import cost_of, positions_of
from tui.analysis.speed.conditions import BUDGET, FEWEST_ROUNDS, SHORTEST, Conditions
from tui.fusion.specs.block_spec import BlockSpec

_MACS_PER_SECOND = 20e9  # as the estimate of a study has it
_NUMBERS_PER_SECOND = 1e9  # read or written, in float32; measured: 0.8 to 2e9
_PASSES_OF_A_BRANCH = 6  # its convolution, its norm and its sum, each of which reads and writes
_PASSES_OF_ONE = 2
_SECONDS_BEFORE = 0.4  # to warm up, and to count


def expected_seconds(specs: Iterable[BlockSpec], conditions: Conditions) -> float:
    """About how long these blocks, one after the other, are timed as one; only the proportions count."""
    unfused = fused = 0.0
    for spec in specs:
        macs, outputs = cost_of(spec).macs, positions_of(spec) * spec.out_channels
        passes = _PASSES_OF_A_BRANCH * len(spec.branches)
        unfused += max(macs.unfused / _MACS_PER_SECOND, passes * outputs / _NUMBERS_PER_SECOND)
        fused += max(macs.fused / _MACS_PER_SECOND, _PASSES_OF_ONE * outputs / _NUMBERS_PER_SECOND)
    sides = (unfused, unfused, fused)  # norms that are folded are no MACs
    round_ = sum(max(SHORTEST, each) for each in sides)
    return _SECONDS_BEFORE + rounds_within(round_, conditions.rounds) * round_


def rounds_within(seconds: float, most: int) -> int:
    """How many rounds are made, of so many that are asked for, where one takes so many seconds.

    >>> rounds_within(0.03, 31), rounds_within(0.2, 31), rounds_within(9.0, 31)
    (31, 15, 5)
    """
    affordable = int(BUDGET / max(seconds, 1e-9))
    return max(1, min(most, max(FEWEST_ROUNDS, affordable)))
