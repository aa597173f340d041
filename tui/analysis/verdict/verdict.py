"""The verdict on a fusion as data and as words: right or wrong, and the share of its rounding budget."""

from __future__ import annotations

from dataclasses import dataclass

from tui.analysis.numerics.pixel import Pixel
from tui.analysis.side import WrongSide
from tui.analysis.verdict.in_words import listed_channels, multiple, percent
from tui.analysis.verdict.not_finite import ALL_FINITE, NotFinite
from tui.analysis.verdict.reason import Reason, Ruling
from tui.analysis.verdict.stored import StoredVerdict
from tui.fusion.specs.block_spec import Dtype


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
    Reason.TRANSFORMED: "looks like Winograd or FFT",
    Reason.NOTHING: "nothing finite to compare",
    Reason.DATA: "NaN or infinite data",
    Reason.WEIGHTS: "the fused weights are wrong",
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
        not_finite: what else is known of what is NaN or infinite.
        side: which side is wrong, where the algebra is.
        stored: the verdict by its weights on a fused kernel that came finished; None where none did.
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
    not_finite: NotFinite = ALL_FINITE
    side: WrongSide = WrongSide.FUSED
    stored: StoredVerdict | None = None

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
            case Reason.TRANSFORMED:
                return (
                    f"The algebra is right, but float32 differs by {multiple(self.budget_used)} its rounding "
                    "budget: that looks like a convolution by Winograd's or Fourier's transform, whose "
                    "errors are relative to the largest values near by."
                )
            case Reason.OVERFLOW if self.stored is not None and self.stored.overflowed:
                return self.stored.sentence
            case Reason.OVERFLOW:
                narrow = (
                    self.dtype is not Dtype.FLOAT64
                )  # else it is what the algebra would have been seen in
                known = "The algebra is right, but" if narrow else "No more can be said:"
                return (
                    f"{known} {self.dtype} overflowed: it cannot hold the values on the way, which "
                    "became infinite or NaN."
                )
            case Reason.NOTHING:
                return f"Nothing can be said of {self._nowhere_finite}."
            case Reason.DATA:
                return self._of_data
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
            case Reason.WEIGHTS:
                return (
                    f"nothing can be said by outputs of {self._nowhere_finite}; but the fused weights of "
                    f"{listed_channels(self.not_finite.wrong)} are not what the branches come to."
                )
            case Reason.STORED if self.stored is not None:
                return f"this input does not show it, but {self.stored.fault}."
            case Reason.ALGEBRA:
                return (
                    f"in float64 the difference is {multiple(self.algebra_used)} the largest that rounding "
                    f"can make; {self.side.sentence}."
                )
        return (
            f"in float64 all is well, but in {self.dtype} the difference is {multiple(self.budget_used)} the "
            "rounding budget, more than rounding can make: the fusion is right; suspect torch's own "
            f"{self.dtype} convolution."
        )

    @property
    def _nowhere_finite(self) -> str:
        channels = self.not_finite.channels
        if not channels or len(channels) == self.out_channels:
            return f"{self.dtype}: every value is NaN or infinite on both sides"
        return (
            f"{listed_channels(channels)} in {self.dtype}: every value there is NaN or infinite on both sides"
        )

    @property
    def _of_data(self) -> str:
        found = self.not_finite
        if found.channels:
            return f"{found.data.capitalize() if found.cause == 'input' else found.data} is not finite: " + (
                f"nothing can be said of {self._nowhere_finite}."
            )
        values = "value" if found.unfused == 1 else "values"
        return (
            f"The algebra is right, but {found.data} is not finite: that made {found.unfused} {values} of "
            f"the unfused output NaN or infinite and {found.fused} of the fused one, where a weight of 0 "
            "times NaN or infinity is NaN too."
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
            case Reason.STORED if self.stored is not None:
                return self.stored.summary
            case Reason.ALGEBRA:
                return f"{self.side.before_a_figure}{multiple(self.algebra_used)} its bound"
        return _SUMMARIES[self.reason]

    @property
    def place(self) -> Pixel | None:
        """The element that `summary` tells of; None where it tells of none."""
        decided = (Reason.WITHIN, Reason.COARSE, Reason.ARITHMETIC, Reason.ALGEBRA)
        return self.worst.index if self.reason in decided else None

    @property
    def caveat(self) -> str:
        """What this dtype alone could not have shown; empty where there is nothing to say."""
        unknown = self.not_finite.channels or self.reason is Reason.DATA
        if self.dtype not in _CAVEATS or self.ruling is Ruling.WRONG or unknown:
            return ""
        if self.stored is not None:
            return f"In {self.dtype} outputs hide small mistakes of a kernel: it was judged by its weights."
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
                f"{_elements(self.non_finite)} NaN or infinite on both sides alike and left out"
                + (f", as {self.not_finite.data} is not finite" if self.not_finite.cause else "")
            )
        return "; ".join(parts) + "." if parts else ""


def _elements(number: int) -> str:
    return "1 element is" if number == 1 else f"{number} elements are"
