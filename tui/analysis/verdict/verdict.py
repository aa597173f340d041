"""The verdict on a fusion as data and as words: right or wrong, and the share of its rounding budget."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from tui.analysis.numerics.pixel import Pixel
from tui.fusion.spec import Dtype


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
    """One side became infinite where the other did not, or both everywhere: the dtype is too narrow."""
    NOTHING = "nothing"
    """Every element is NaN or infinite on both sides alike, and no overflow made it so."""
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
            case Reason.COARSE | Reason.TF32 | Reason.OVERFLOW | Reason.NOTHING:
                return Ruling.SUSPICIOUS
            case _:
                return Ruling.WRONG


@dataclass(frozen=True, slots=True)
class Worst:
    """The element that decided.

    Attributes:
        index: its place.
        fused, unfused: the two values there.
        difference: fused - unfused.
        ulps: |difference| in spacings of the dtype's numbers at |unfused|.
    """

    index: Pixel
    fused: float
    unfused: float
    difference: float
    ulps: float


_CAVEATS = {
    Dtype.BFLOAT16: "a scale that is off by 1 %",
    Dtype.FLOAT16: "a scale that is off by 0.1 %",
}


_SUMMARIES = {
    Reason.SAME: "no element differs",
    Reason.TF32: "looks like TF32",
    Reason.NOTHING: "every value is NaN or infinite",
    Reason.SHAPE: "the shapes differ",
    Reason.NOT_FINITE: "NaN or infinite on one side only",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was ruled, and on what grounds.

    Attributes:
        dtype: the arithmetic that was judged.
        budget_used: the largest |fused - unfused| / rounding budget, 0 where nothing differs.
        bound: the rounding budget at the worst element.
        algebra_used: the largest |fused - unfused| / largest possible rounding error, in float64.
        worst: the element with the largest share of its budget; of the float64 run where that decided.
        channels: how many of the out_channels were judged.
        non_finite: elements that are NaN or infinite on both sides alike, and were left out.
    """

    reason: Reason
    dtype: Dtype
    budget_used: float
    bound: float
    algebra_used: float
    worst: Worst
    channels: int
    out_channels: int
    non_finite: int = 0

    @property
    def ruling(self) -> Ruling:
        """What the difference is."""
        return self.reason.ruling

    @property
    def sentence(self) -> str:
        """The answer, in one sentence."""
        match self.reason:
            case Reason.SAME:
                return f"They agree: in {self.dtype} both sides give the same values, every one."
            case Reason.WITHIN:
                return (
                    f"They agree: what differs in {self.dtype} is rounding, "
                    f"{percent(self.budget_used)} of the rounding budget at most."
                )
            case Reason.COARSE:
                return (
                    f"The algebra is right, but {self.dtype} differs by {multiple(self.budget_used)} its "
                    "rounding budget: more than rounding is likely to make, less than it can."
                )
            case Reason.TF32:
                return (
                    f"The algebra is right, but float32 differs by {multiple(self.budget_used)} its rounding "
                    "budget: that looks like TF32, which keeps 10 bits of each factor."
                )
            case Reason.OVERFLOW:
                return (
                    f"The algebra is right, but {self.dtype} overflowed: it cannot hold the values on the "
                    "way, which became infinite or NaN."
                )
            case Reason.NOTHING:
                return f"Nothing can be said of {self.dtype}: every value is NaN or infinite on both sides."
        return f"They do NOT agree: {self._fault}"

    @property
    def _fault(self) -> str:
        match self.reason:
            case Reason.SHAPE:
                return "their outputs have different shapes."
            case Reason.NOT_FINITE:
                return (
                    "NaN or infinite values stand where the other side has none, and no overflow explains it."
                )
            case Reason.ALGEBRA:
                return (
                    f"in float64 the difference is {multiple(self.algebra_used)} the largest that rounding "
                    "can make; the fused kernel is wrong."
                )
        return (
            f"in float64 all is well, but in {self.dtype} the difference is {multiple(self.budget_used)} the "
            "rounding budget, more than rounding can make: the fusion is right; suspect torch's own "
            f"{self.dtype} convolution."
        )

    @property
    def summary(self) -> str:
        """What goes with the ruling, in a few words: "41 % of the budget"."""
        match self.reason:
            case Reason.WITHIN:
                return f"{percent(self.budget_used)} of its budget"
            case Reason.COARSE | Reason.ARITHMETIC:
                return f"{multiple(self.budget_used)} its budget"
            case Reason.OVERFLOW:
                return f"{self.dtype} overflowed"
            case Reason.ALGEBRA:
                return f"{multiple(self.algebra_used)} its bound"
        return _SUMMARIES[self.reason]

    @property
    def place(self) -> Pixel | None:
        """The element that `summary` tells of; None where it tells of none."""
        decided = (Reason.WITHIN, Reason.COARSE, Reason.ARITHMETIC, Reason.ALGEBRA)
        return self.worst.index if self.reason in decided else None

    @property
    def caveat(self) -> str:
        """What this dtype alone could not have shown; empty where there is nothing to say."""
        if self.dtype not in _CAVEATS or self.ruling is Ruling.WRONG:
            return ""
        return (
            f"In {self.dtype} alone one weight off by 10 %, {_CAVEATS[self.dtype]} or a batch norm's eps of "
            "1e-3 for 1e-5 would have looked like rounding; the float64 run rules them out."
        )

    @property
    def passes_alone(self) -> bool:
        """Whether the run in this dtype shows nothing that rounding would not: all fits into the budget."""
        return self.budget_used <= 1

    @property
    def scope(self) -> str:
        """What was not judged; empty where everything was."""
        parts = []
        if self.channels < self.out_channels:
            parts.append(
                f"{self.channels} of {self.out_channels} output channels were judged: those that differ "
                "most, and some between"
            )
        if self.non_finite:
            parts.append(
                f"{self.non_finite} elements are NaN or infinite on both sides alike and were left out"
            )
        return "; ".join(parts) + "." if parts else ""


def percent(used: float) -> str:
    """A part of a budget: "41 %"."""
    return "less than 1 %" if 0 < used < 0.01 else f"{100 * used:.0f} %"


def multiple(used: float) -> str:
    """A budget that was exceeded: "1.3 times", "6.7e+05 times"."""
    if not math.isfinite(used):
        return "any number of times"
    return f"{used:.1f} times" if used < 100 else f"{used:.1e} times"
