"""One element of both outputs, and how its difference compares with what rounding can make."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tui.analysis.study import Study
from tui.analysis.verdict.judging import spacing_at


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


def output_element(study: Study, index: tuple[int, int, int, int]) -> OutputElement:
    """The element at (batch, out_channel, row, column).

    Raises:
        IndexError: there is none.
    """
    unfused, fused = float(study.unfused[index]), float(study.fused_output[index])
    difference = abs(fused - unfused)
    if not math.isfinite(difference):
        alike = fused == unfused or (math.isnan(fused) and math.isnan(unfused))
        difference = math.nan if alike else math.inf
    bounds = study.budget.at(index)
    ulps = difference / spacing_at(unfused, study.spec.dtype)
    return OutputElement(unfused, fused, difference, ulps, None if bounds is None else bounds[1])
