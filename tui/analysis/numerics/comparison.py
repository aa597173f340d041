"""Two outputs against each other: how far apart, where, and whether torch would call them close."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor

from tui.analysis.numerics.closeness import Closeness, closeness_of
from tui.analysis.numerics.outputs import Outputs, largest_abs
from tui.analysis.numerics.pixel import Pixel


@dataclass(frozen=True, slots=True)
class Distance:
    """How far apart the fused and the unfused output are.

    Attributes:
        max_abs_diff: the largest |fused - unfused|; inf where only one is finite, or they differ in
            sign or NaN.
        worst: where it occurs first.
        fused, unfused: the two values there.
        mean_abs_diff: the mean over all elements.
        max_abs: the largest finite |unfused|.
        non_finite: elements of either output that are NaN or infinite.
    """

    max_abs_diff: float
    worst: Pixel
    fused: float
    unfused: float
    mean_abs_diff: float
    max_abs: float
    non_finite: int


@dataclass(frozen=True, slots=True)
class Comparison(Distance):
    """The difference of the fused and the unfused output.

    Attributes:
        closeness: what torch.allclose makes of them.
    """

    closeness: Closeness

    @property
    def allclose(self) -> bool:
        """torch.allclose(fused, unfused) with torch's default tolerances."""
        return self.closeness.passes


def compare(outputs: Outputs) -> Comparison:
    """Compare two outputs, in float64 whatever their dtype.

    Raises:
        ValueError: the shapes differ.
    """
    return Comparison(*_figures(outputs), closeness_of(outputs))


def distance_of(outputs: Outputs) -> Distance:
    """How far apart two outputs are, in float64 whatever their dtype.

    Raises:
        ValueError: the shapes differ.
    """
    return Distance(*_figures(outputs))


def _figures(outputs: Outputs) -> tuple[float, Pixel, float, float, float, float, int]:
    difference, unfused = outputs.difference, outputs.unfused
    worst = Pixel.at(difference.place, unfused.shape)
    return (
        difference.largest,
        worst,
        float(outputs.fused[worst]),
        float(unfused[worst]),
        float(difference.absolute.mean()),
        _largest_finite(unfused),
        difference.non_finite,
    )


def _largest_finite(values: Tensor) -> float:
    largest = largest_abs(values)
    return largest if math.isfinite(largest) else largest_abs(values.double().nan_to_num(0.0, 0.0, 0.0))
