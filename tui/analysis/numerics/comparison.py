"""Two outputs against each other: how far apart, where, and whether torch would call them close."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Comparison:
    """The difference of the fused and the unfused output.

    Attributes:
        max_abs_diff: the largest |fused - unfused|; inf where only one is finite, or they differ in
            sign or NaN.
        worst: (batch, out_channel, row, column) where it occurs first.
        fused, unfused: the two values there.
        mean_abs_diff: the mean over all elements.
        max_abs: the largest finite |unfused|.
        non_finite: elements of either output that are NaN or infinite.
        allclose: torch.allclose(fused, unfused) with torch's default tolerances.
    """

    max_abs_diff: float
    worst: tuple[int, int, int, int]
    fused: float
    unfused: float
    mean_abs_diff: float
    max_abs: float
    non_finite: int
    allclose: bool


def compare(fused: Tensor, unfused: Tensor) -> Comparison:
    """Compare two outputs of shape (batch, out_channels, H, W), in float64 whatever their dtype.

    Raises:
        ValueError: the shapes differ.
    """
    if fused.shape != unfused.shape:
        raise ValueError(f"the fused output is {tuple(fused.shape)}, the unfused one {tuple(unfused.shape)}")
    difference, finite = absolute_difference(fused, unfused)
    place = int(difference.argmax())
    worst = _index_of(place, fused.shape)
    return Comparison(
        max_abs_diff=float(difference.flatten()[place]),
        worst=worst,
        fused=float(fused[worst]),
        unfused=float(unfused[worst]),
        mean_abs_diff=float(difference.mean()),
        max_abs=float(unfused.double().nan_to_num(0.0, 0.0, 0.0).abs().max()),
        non_finite=int(finite.numel() - finite.sum()),
        allclose=torch.allclose(fused, unfused),
    )


def absolute_difference(fused: Tensor, unfused: Tensor) -> tuple[Tensor, Tensor]:
    """|fused - unfused| in float64, and where both are finite; both of the outputs' shape.

    Where one is not finite the difference is 0 if the two are alike, both NaN or the same infinity, else inf.
    """
    difference = fused.double() - unfused.double()
    difference.abs_()
    finite = torch.isfinite(fused) & torch.isfinite(unfused)
    if not finite.all():
        same = (fused == unfused) | (fused.isnan() & unfused.isnan())
        difference = torch.where(finite, difference, torch.where(same, 0.0, torch.inf))
    return difference, finite


def _index_of(place: int, shape: torch.Size) -> tuple[int, int, int, int]:
    """The index of an element of a 4-D tensor by its place in memory order.

    torch.unravel_index does the same and imports sympy for it, a fifth of the time to the first result.
    """
    rest, column = divmod(place, shape[3])
    rest, row = divmod(rest, shape[2])
    batch, channel = divmod(rest, shape[1])
    return batch, channel, row, column
