"""near(one, other): whether two results are the same, but for rounding."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def near(one: Any, other: Any, eps: float | None = None) -> bool:
    """Whether they are, as far apart as a long computation in that dtype may take them.

    `eps`: that of the coarsest dtype in which the second was computed, where that is not its own.
    """
    if not isinstance(one, Tensor) or not isinstance(other, Tensor):
        return one is other or one == other
    if one.shape != other.shape:
        return False
    slack = 0.0
    if other.is_floating_point():
        slack = 1e4 * (torch.finfo(other.dtype).eps if eps is None else eps)
    if _are_near(one, other, slack):
        return True
    no_numbers = one.isnan() & other.isnan()  # both of a weight that is none, which is told elsewhere
    same = no_numbers | (one == other)  # as -inf is, which has no difference from itself
    return _are_near(one.masked_fill(same, 0), other.masked_fill(same, 0), slack)


def _are_near(one: Tensor, other: Tensor, slack: float) -> bool:
    if not one.numel():
        return True
    if one.dtype is torch.bool:
        return torch.equal(one, other)
    return float((one - other).abs().max()) <= slack * max(float(other.abs().max()), 1e-30)
