"""Which side made a difference that is no rounding: each is held against what it should have given."""

from __future__ import annotations

import torch

from tui.analysis.bounds.budget import Budget
from tui.analysis.numerics.outputs import Outputs
from tui.analysis.side import WrongSide


def wrong_side(outputs64: Outputs, right64: Outputs | None, budget64: Budget) -> WrongSide:
    """The side whose float64 output is further from its reference than rounding makes it.

    Each reference is the other side's way, so that it shares no code with what it judges: the fused output is
    held against the block as it should be, run branch by branch, the unfused one against the convolution of
    the block's own kernel. `right64`: these two; None where the block ran as it should, and the kernel is the
    only thing left. Where neither alone exceeds the bound, it is the side that comes nearer to it.
    """
    if right64 is None:
        return WrongSide.FUSED
    of_fused = _share(Outputs(right64.unfused, outputs64.fused), budget64)
    of_unfused = _share(Outputs(outputs64.unfused, right64.fused), budget64)
    if min(of_fused, of_unfused) > 1:
        return WrongSide.BOTH
    return WrongSide.FUSED if of_fused >= of_unfused else WrongSide.UNFUSED


def _share(outputs: Outputs, budget: Budget) -> float:
    """The largest |difference| / rigorous bound in the judged channels; infinite where that is no number."""
    if not outputs.same_shape:
        return torch.inf
    difference = outputs.difference.in_channels(budget.channels) if budget.sampled else outputs.difference
    absolute = difference.absolute
    shares = torch.where(absolute == 0, 0.0, absolute / budget.rigorous)
    return float(shares.nan_to_num(torch.inf, torch.inf).max())
