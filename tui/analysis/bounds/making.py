"""Making: how a kernel that comes finished may have come about; no torch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from tui.analysis.numerics.precision import FINEST_FIRST, PRECISIONS
from tui.fusion.specs.block_spec import Dtype


@dataclass(frozen=True, slots=True)
class Making:
    """How a finished kernel may have come about.

    Attributes:
        arithmetic: what it was folded in.
        weight, bias: what its weight and its bias were then rounded to, once.
    """

    arithmetic: Dtype
    weight: Dtype
    bias: Dtype

    @property
    def dtype(self) -> Dtype:
        """The coarser of the two that it was rounded to."""
        return max(self.weight, self.bias, key=FINEST_FIRST.index)

    @property
    def rounded_once(self) -> Making:
        """The same storage after a fold in float32."""
        return replace(self, arithmetic=Dtype.FLOAT32)

    @property
    def step_by_step(self) -> bool:
        """Whether the fold itself was in 16 bit, each step rounded."""
        return PRECISIONS[self.arithmetic].unit > PRECISIONS[Dtype.FLOAT32].unit


def makings(weight: Dtype, bias: Dtype) -> Iterator[Making]:
    """The ways to a kernel that is stored like that, the finest arithmetic first.

    float64 and float32 are what tools fold in; beside these, each step in the coarser of the two dtypes.
    """
    coarser = max(weight, bias, key=FINEST_FIRST.index)
    for arithmetic in dict.fromkeys((Dtype.FLOAT64, Dtype.FLOAT32, coarser)):
        if FINEST_FIRST.index(arithmetic) <= FINEST_FIRST.index(coarser):
            yield Making(arithmetic, weight, bias)
