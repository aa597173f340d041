"""Reason: why a fusion was ruled what it was, and the Ruling that follows."""

from __future__ import annotations

from enum import StrEnum


class Ruling(StrEnum):
    """What a difference between the fused and the unfused output is."""

    EXACT = "exact"
    ROUNDING = "rounding"
    SUSPICIOUS = "suspicious"
    WRONG = "wrong"

    @property
    def agrees(self) -> bool:
        """Whether the fused convolution may stand for the block."""
        return self in (Ruling.EXACT, Ruling.ROUNDING)


class Reason(StrEnum):
    """Why it was ruled so."""

    SAME = "same"
    """No element differs."""
    WITHIN = "within"
    """Every difference fits into the rounding budget."""
    COARSE = "coarse"
    """Some difference is larger than rounding is likely to make it, none larger than it can."""
    TF32 = "tf32"
    """float32 whose differences are those of factors cut to TF32."""
    OVERFLOW = "overflow"
    """One side is infinite where the other is not, or both in a whole channel: the dtype is too narrow."""
    TRANSFORMED = "transformed"
    """float32 whose differences are those of a convolution by Winograd's or Fourier's transform."""
    NOTHING = "nothing"
    """Some channel is NaN or infinite on both sides alike at every element, and no overflow made it so."""
    DATA = "data"
    """The input or a weight is not finite, and so is what the other side has finite, or a whole channel."""
    WEIGHTS = "weights"
    """Of a channel that is nowhere finite outputs say nothing, but its fused weights are other ones."""
    STORED = "stored"
    """The outputs show nothing, but of a finished kernel some weight is further off than storing explains."""
    SHAPE = "shape"
    """The outputs have different shapes."""
    NOT_FINITE = "not finite"
    """NaN and infinity stand in different places, and no overflow explains it."""
    ALGEBRA = "algebra"
    """In float64 some difference is larger than rounding can make it."""
    ARITHMETIC = "arithmetic"
    """In float64 all is well; in the dtype some difference is larger than rounding can make it."""

    @property
    def ruling(self) -> Ruling:
        """What follows from it."""
        match self:
            case Reason.SAME:
                return Ruling.EXACT
            case Reason.WITHIN:
                return Ruling.ROUNDING
            case Reason.COARSE | Reason.TF32 | Reason.TRANSFORMED | Reason.OVERFLOW:
                return Ruling.SUSPICIOUS
            case Reason.NOTHING | Reason.DATA:
                return Ruling.SUSPICIOUS
        return Ruling.WRONG
