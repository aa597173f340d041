"""What torch.allclose says of two outputs, and how it comes to that."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from tui.analysis.numerics.outputs import Outputs
from tui.analysis.numerics.pixel import Pixel

RTOL, ATOL = 1e-5, 1e-8
"""torch.allclose's default tolerances, whatever the dtype."""


@dataclass(frozen=True, slots=True)
class Closeness:
    """|fused - unfused| <= atol + rtol |unfused|, element by element.

    Attributes:
        rtol, atol: the tolerances.
        failing: how many of the `elements` do not fulfil it.
        farthest: where the difference is farthest beyond its tolerance; None where none is.
        least_atol: the least atol with which all would pass at this rtol; infinite where none would do.
    """

    rtol: float
    atol: float
    failing: int
    elements: int
    farthest: Pixel | None
    least_atol: float

    @property
    def passes(self) -> bool:
        """What torch.allclose returns."""
        return not self.failing


def closeness_of(outputs: Outputs) -> Closeness:
    """torch.allclose(fused, unfused) with its default tolerances, taken apart.

    Raises:
        ValueError: the shapes differ.
    """
    absolute, unfused = outputs.difference.absolute, outputs.unfused
    failing = _failing(outputs)
    allowed = unfused.abs().double()
    if outputs.difference.non_finite:
        allowed.nan_to_num_(0.0, 0.0)
    beyond = torch.sub(absolute, allowed.mul_(RTOL), out=allowed)
    place = int(beyond.argmax())
    farthest = Pixel.at(place, beyond.shape) if failing else None
    return Closeness(
        RTOL, ATOL, failing, absolute.numel(), farthest, max(0.0, float(beyond.flatten()[place]))
    )


def _failing(outputs: Outputs) -> int:
    """How many elements torch.isclose, which rounds to their dtype at each step, calls not close."""
    fused, unfused = outputs.fused, outputs.unfused
    if outputs.difference.non_finite:
        return int((~torch.isclose(fused, unfused, RTOL, ATOL)).sum())
    allowed = torch.mul(unfused, RTOL).abs_().add_(ATOL)
    return int(torch.sub(fused, unfused).abs_().gt(allowed).sum())
