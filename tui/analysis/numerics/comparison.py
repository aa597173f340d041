"""Two outputs against each other: how far apart, where, and whether torch would call them close."""

from __future__ import annotations

from dataclasses import dataclass

from tui.analysis.numerics.closeness import Closeness, closeness_of
from tui.analysis.numerics.outputs import Outputs
from tui.analysis.numerics.pixel import Pixel


@dataclass(frozen=True, slots=True)
class Comparison:
    """The difference of the fused and the unfused output.

    Attributes:
        max_abs_diff: the largest |fused - unfused|; inf where only one is finite, or they differ in
            sign or NaN.
        worst: where it occurs first.
        fused, unfused: the two values there.
        mean_abs_diff: the mean over all elements.
        max_abs: the largest finite |unfused|.
        non_finite: elements of either output that are NaN or infinite.
        closeness: what torch.allclose makes of them.
    """

    max_abs_diff: float
    worst: Pixel
    fused: float
    unfused: float
    mean_abs_diff: float
    max_abs: float
    non_finite: int
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
    difference, unfused = outputs.difference, outputs.unfused
    place = int(difference.absolute.argmax())
    worst = Pixel.at(place, unfused.shape)
    return Comparison(
        max_abs_diff=float(difference.absolute.flatten()[place]),
        worst=worst,
        fused=float(outputs.fused[worst]),
        unfused=float(unfused[worst]),
        mean_abs_diff=float(difference.absolute.mean()),
        max_abs=float(unfused.double().nan_to_num(0.0, 0.0, 0.0).abs().max()),
        non_finite=difference.non_finite,
        closeness=closeness_of(outputs),
    )
