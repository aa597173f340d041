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
    failing = int((~torch.isclose(outputs.fused, unfused, RTOL, ATOL)).sum())
    allowed = unfused.double().abs().nan_to_num(0.0, 0.0).mul_(RTOL)
    beyond = absolute - allowed
    place = int(beyond.argmax())
    farthest = Pixel.at(place, beyond.shape) if failing else None
    return Closeness(
        RTOL, ATOL, failing, absolute.numel(), farthest, max(0.0, float(beyond.flatten()[place]))
    )
