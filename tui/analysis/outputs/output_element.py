"""One element of both outputs, and how its difference compares with what rounding can make."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tui.analysis.numerics.outputs import signed_difference
from tui.analysis.numerics.pixel import Pixel
from tui.analysis.numerics.precision import spacing_at
from tui.analysis.study import Study


@dataclass(frozen=True, slots=True)
class OutputElement:
    """What a study holds about one output element.

    Attributes:
        unfused, fused: the two values.
        difference: |fused - unfused|; NaN where both are NaN or infinite alike, infinite where not alike.
        ulps: the difference in spacings of the dtype's numbers at |unfused|.
        budget: the rounding budget; None where the channel was not judged.
    """

    unfused: float
    fused: float
    difference: float
    ulps: float
    budget: float | None

    @property
    def share(self) -> float | None:
        """The part of the budget that the difference uses up, 0 where nothing differs."""
        if self.budget is None or not self.difference:
            return None if self.budget is None else 0.0
        return self.difference / self.budget if self.budget else math.inf


def output_element(study: Study, pixel: Pixel) -> OutputElement:
    """The element at that place.

    Raises:
        IndexError: there is none.
    """
    unfused, fused = study.outputs.unfused[pixel], study.outputs.fused[pixel]
    difference = abs(float(signed_difference(unfused, fused)))
    bounds = study.budget.at(pixel)
    ulps = difference / spacing_at(float(unfused), study.spec.dtype)
    budget = None if bounds is None else bounds[1]
    return OutputElement(float(unfused), float(fused), difference, ulps, budget)
