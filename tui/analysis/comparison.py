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
    difference = fused.double() - unfused.double()
    difference.abs_()
    finite = torch.isfinite(fused) & torch.isfinite(unfused)
    if not finite.all():
        same = (fused == unfused) | (fused.isnan() & unfused.isnan())
        difference = torch.where(finite, difference, torch.where(same, 0.0, torch.inf))
    place = int(difference.argmax())
    worst = tuple(int(axis) for axis in torch.unravel_index(torch.tensor(place), fused.shape))
    return Comparison(
        max_abs_diff=float(difference.flatten()[place]),
        worst=(worst[0], worst[1], worst[2], worst[3]),
        fused=float(fused[worst]),
        unfused=float(unfused[worst]),
        mean_abs_diff=float(difference.mean()),
        max_abs=float(unfused.double().nan_to_num(0.0, 0.0, 0.0).abs().max()),
        non_finite=int(finite.numel() - finite.sum()),
        allclose=torch.allclose(fused, unfused),
    )
