"""How large the weights of a kernel are, in two numbers that a colour scale needs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the scales of the first paint need a Magnitude, and no torch
    from tui.fusion.kernel import Kernel


@dataclass(frozen=True, slots=True)
class Magnitude:
    """Of the finite weights: the largest |w|, the sum of squares, and how many there are."""

    max_abs: float
    sum_of_squares: float
    count: int

    @property
    def rms(self) -> float:
        """The root mean square, 0 for no weights."""
        return math.sqrt(self.sum_of_squares / self.count) if self.count else 0.0


def magnitude_of(kernel: Kernel) -> Magnitude:
    """The magnitude of a kernel's weights; NaN and infinite ones are left out."""
    weight = kernel.weight.double()
    finite = weight.isfinite()
    weight = weight if finite.all() else weight[finite]
    if not weight.numel():
        return Magnitude(0.0, 0.0, 0)
    return Magnitude(float(weight.abs().max()), float(weight.square().sum()), weight.numel())


def together(magnitudes: Iterable[Magnitude]) -> Magnitude:
    """The magnitude of all their weights."""
    every = list(magnitudes)
    return Magnitude(
        max((each.max_abs for each in every), default=0.0),
        sum(each.sum_of_squares for each in every),
        sum(each.count for each in every),
    )


def shares_of(magnitudes: Sequence[Magnitude]) -> tuple[float, ...]:
    """The Frobenius norm of each as a part of the sum of all norms; zeros where all are zero."""
    norms = [math.sqrt(each.sum_of_squares) for each in magnitudes]
    whole = sum(norms)
    return tuple(norm / whole if whole else 0.0 for norm in norms)
