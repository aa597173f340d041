"""How far apart two outputs are in the figures that other tools print, to be compared with theirs."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor

from tui.analysis.numerics.outputs import Outputs


@dataclass(frozen=True, slots=True)
class Figures:
    """Over all elements of fused f and unfused u, in float64; NaN or infinite where an output is.

    Attributes:
        relative_error: norm(f − u) / norm(u) (Euclidean).
        median_abs_diff: the difference that half of all elements do not exceed.
        abs_diff_99_9: the one that 99.9 % of them do not exceed.
        sqnr_db: the signal-to-quantization-noise ratio, 20 log10(norm(u) / norm(f − u)), in dB; infinite
            where no element differs.
        cosine: of the angle between both, f · u / (norm(f) norm(u)).
    """

    relative_error: float
    median_abs_diff: float
    abs_diff_99_9: float
    sqnr_db: float
    cosine: float


def figures_of(outputs: Outputs) -> Figures:
    """The figures of two outputs (batch, out_channels, H, W) of one shape; NaN where nothing divides."""
    absolute = outputs.difference.absolute.flatten()
    fused, unfused = outputs.fused.double().flatten(), outputs.unfused.double().flatten()
    error, signal, other = (float(values.norm()) for values in (absolute, unfused, fused))
    ratio = error / signal if 0 < signal < math.inf else math.nan
    return Figures(
        relative_error=ratio,
        median_abs_diff=_not_exceeded_by(absolute, 500),
        abs_diff_99_9=_not_exceeded_by(absolute, 999),
        sqnr_db=-20 * math.log10(ratio) if ratio else math.inf,
        cosine=float(fused.dot(unfused)) / (signal * other) if signal * other else math.nan,
    )


def _not_exceeded_by(values: Tensor, per_thousand: int) -> float:
    """The smallest of the values that so many of a thousand do not exceed: the nearest rank."""
    rank = -(-values.numel() * per_thousand // 1000)
    return float(values.kthvalue(max(rank, 1)).values)
