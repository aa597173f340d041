"""How far stored numbers are from those that they were rounded from, in parts of what one rounding may do."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from tui.analysis.numerics.precision import PRECISIONS
from tui.fusion.torch_dtypes import dtype_of


def share_of_rounding(
    stored: Tensor, right: Tensor, scratch: Tensor | None = None, narrow: Tensor | None = None
) -> float:
    """The largest |stored - right| / (u |stored| + eta), u and eta of the stored dtype; `right` in float64.

    Infinite where a finite number became infinite, NaN where one is not finite to begin with.
    `scratch` and `narrow`: memory of that shape in float64 and float32 that may be written over.
    """
    if not right.numel():
        return 0.0
    unit = PRECISIONS[dtype_of(stored.dtype)].unit
    error = (torch.empty_like(right) if scratch is None else scratch).copy_(stored).sub_(right)
    if stored.dtype is not torch.float64:
        # The difference is exact; dividing it in float64 would take longer than the whole fold.
        narrow = torch.empty_like(right, dtype=torch.float32) if narrow is None else narrow
        error = narrow.copy_(error)
    share = float(error.div_(stored).abs_().amax()) / unit
    # 0 / 0 and numbers below the normal ones need eta, which costs more passes.
    return share if share <= 1 else _with_smallest(stored, right)


def _with_smallest(stored: Tensor, right: Tensor) -> float:
    precision = PRECISIONS[dtype_of(stored.dtype)]
    if not bool(right.isfinite().all()):
        return math.nan
    shares = (stored.double() - right).abs_() / (right.abs() * precision.unit + precision.smallest)
    return float(shares.max())
