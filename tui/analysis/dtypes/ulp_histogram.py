"""How many elements of two outputs lie how many ulps apart."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from tui.analysis.numerics.outputs import Outputs
from tui.analysis.numerics.precision import PRECISIONS
from tui.fusion.torch_dtypes import dtype_of

_EDGES = (0, 1, 2, 4, 8, 16)


@dataclass(frozen=True, slots=True)
class UlpHistogram:
    """Counts of elements by |fused - unfused| in ulps.

    Attributes:
        edges: the upper ends of all bins but the last, which has none.
        counts: one for each edge, the elements up to that many ulps apart and farther than the edge before;
            then those beyond all edges.
        left_out: elements that are NaN or infinite on one side or both.
    """

    edges: tuple[int, ...]
    counts: tuple[int, ...]
    left_out: int

    @property
    def elements(self) -> int:
        """How many were counted."""
        return sum(self.counts)


@torch.no_grad()
def ulp_histogram(outputs: Outputs) -> UlpHistogram:
    """Count the elements of two outputs of one shape and dtype by their distance.

    Raises:
        ValueError: the shapes or dtypes differ.
    """
    fused, unfused = outputs.fused, outputs.unfused
    if not outputs.same_shape or fused.dtype is not unfused.dtype:
        raise ValueError("the two outputs differ in shape or dtype")
    finite = fused.isfinite() & unfused.isfinite()
    distances = ulps_apart(fused[finite], unfused[finite])
    up_to = [int((distances <= edge).sum()) for edge in _EDGES] + [distances.numel()]
    counts = tuple(after - before for before, after in zip([0, *up_to], up_to, strict=False))
    return UlpHistogram(_EDGES, counts, fused.numel() - distances.numel())


def ulps_apart(fused: Tensor, unfused: Tensor) -> Tensor:
    """|fused - unfused| in spacings of their dtype's numbers at the larger of the two, float64.

    Both finite. Whole numbers where both lie between the same powers of two; else the smaller one has the
    finer spacing, and half an ulp occurs.
    """
    precision = PRECISIONS[dtype_of(unfused.dtype)]
    fused, unfused = fused.double(), unfused.double()
    larger = torch.maximum(fused.abs(), unfused.abs())
    mantissa = torch.frexp(larger).mantissa
    power = torch.where(larger == 0, 0.0, larger / mantissa)  # exact: a power of two
    spacing = (power * precision.unit).clamp_min(precision.smallest)
    return ((fused - unfused) / spacing).abs().nan_to_num(math.inf, math.inf)
