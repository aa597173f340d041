"""Which |weight| has full colour: the choice of the scale, and its value for each panel."""

from __future__ import annotations

from enum import Enum

from tui.analysis.numerics.magnitude import Magnitude, together


class ColourScale(Enum):
    """The ways to choose the scale; the value is what the screen calls it."""

    SHARED = "3 rms, shared"
    PER_PANEL = "3 rms, per panel"
    SHARED_MAX = "maximum, shared"

    @property
    def next(self) -> ColourScale:
        """The choice that follows, round and round."""
        every = list(ColourScale)
        return every[(every.index(self) + 1) % len(every)]

    def scales(self, magnitudes: list[Magnitude]) -> list[float]:
        """The scale of each panel: min(max|w|, 3 rms) of its own weights or of all, or max|w| of all.

        Never 0, so that it can be divided by.
        """
        every = together(magnitudes)
        match self:
            case ColourScale.SHARED:
                chosen = [_three_rms(every)] * len(magnitudes)
            case ColourScale.PER_PANEL:
                chosen = [_three_rms(magnitude) for magnitude in magnitudes]
            case ColourScale.SHARED_MAX:
                chosen = [every.max_abs] * len(magnitudes)
        return [scale or 1.0 for scale in chosen]


def _three_rms(magnitude: Magnitude) -> float:
    return min(magnitude.max_abs, 3 * magnitude.rms)
