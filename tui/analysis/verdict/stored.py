"""The verdict on a finished kernel by its weights, as data and as words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tui.analysis.bounds.making import Making
from tui.analysis.quantities import count
from tui.analysis.verdict.in_words import listed_channels, multiple, percent
from tui.analysis.verdict.reason import Ruling
from tui.fusion.refusal import Refusal
from tui.fusion.specs.block_spec import Dtype, Pair


class StoredShapeError(Refusal, ValueError):
    """A finished kernel that cannot be the block's; the message says both shapes."""


@dataclass(frozen=True, slots=True)
class Rival:
    """A mistake whose own kernel a finished one is.

    Attributes:
        name: the gallery's; "eps" and "var-scaled" for those with a number of their own.
        title: what it is called.
        number: the eps, or the factor of the variances; None where it has none.
    """

    name: str
    title: str
    number: float | None = None


class StoredReason(StrEnum):
    """Why a finished kernel was ruled what it was."""

    SAME = "same"
    """Every number is the fold's in float64, rounded once."""
    WITHIN = "within"
    """Every number lies within what a fold and one rounding explain."""
    STEP_BY_STEP = "step by step"
    """Some number lies beyond that, none beyond what a fold in 16 bit explains, each step rounded."""
    OVERFLOW = "overflow"
    """Some number is infinite, as what the block comes to there is too large for its dtype."""
    DATA = "data"
    """What the block comes to is itself NaN or infinite somewhere; all else agrees."""
    NOT_FINITE = "not finite"
    """Some number is NaN or infinite, and what the block comes to is not."""
    MISTAKE = "mistake"
    """A mistake of the gallery explains every number in a finer arithmetic than the right fold does."""
    BEYOND = "beyond"
    """Some number lies beyond all that rounding explains."""

    @property
    def ruling(self) -> Ruling:
        """What follows from it."""
        match self:
            case StoredReason.SAME:
                return Ruling.EXACT
            case StoredReason.WITHIN | StoredReason.STEP_BY_STEP:
                return Ruling.ROUNDING
            case StoredReason.OVERFLOW | StoredReason.DATA:
                return Ruling.SUSPICIOUS
        return Ruling.WRONG


@dataclass(frozen=True, slots=True)
class StoredNumber:
    """One number of a finished kernel.

    Attributes:
        tensor, index: its place: "weight" and (out, in, ky, kx), or "bias" and (out,).
        given: as it is stored.
        right: what the block comes to there, in float64.
        bound: how far rounding may have brought the two apart.
    """

    tensor: str
    index: tuple[int, ...]
    given: float
    right: float
    bound: float

    @property
    def share(self) -> float:
        """|given - right| / bound; infinite or NaN where either is not finite."""
        return abs(self.given - self.right) / self.bound

    @property
    def place(self) -> str:
        """As people write it: "weight[0,1,2,2]"."""
        return f"{self.tensor}[{','.join(map(str, self.index))}]"


@dataclass(frozen=True, slots=True)
class StoredVerdict:
    """What was ruled on a finished kernel by its weights, and on what grounds.

    Attributes:
        making: the finest arithmetic in which a right fold, then rounded once, explains every number, and
            the dtypes of weight and bias; where none does, those whose bound it is held against.
        used: the largest |W_given - W| / bound; infinite where a number is NaN or infinite on one side alone.
        worst: the number that has it.
        max_difference: the largest |W_given - W|, infinite likewise.
        numbers, out_channels: of the kernel, biases among them.
        beyond: how many numbers lie beyond the bound, in which output channels, which of their biases do,
            and at which taps (ky, kx) their weights do.
        first: a few of these numbers, the worst first.
        rough: where it agrees step by step, how many numbers lie beyond a finer fold and one rounding.
        unknown: numbers of which nothing can be said, as what the block comes to is NaN or infinite there.
        mistake: the one that explains all numbers, each rounded once, where that had to be asked.
    """

    reason: StoredReason
    making: Making
    used: float
    worst: StoredNumber
    max_difference: float
    numbers: int
    out_channels: int
    beyond: int = 0
    channels: tuple[int, ...] = ()
    biases: tuple[int, ...] = ()
    taps: tuple[Pair, ...] = ()
    kernel_size: Pair = (1, 1)
    first: tuple[StoredNumber, ...] = ()
    rough: int = 0
    unknown: int = 0
    mistake: Rival | None = None

    @property
    def dtype(self) -> Dtype:
        """What its numbers were rounded to: the coarser one of weight and bias."""
        return self.making.dtype

    @property
    def arithmetic(self) -> Dtype:
        """What it was folded in."""
        return self.making.arithmetic

    @property
    def ruling(self) -> Ruling:
        """What the kernel is."""
        return self.reason.ruling

    @property
    def overflowed(self) -> bool:
        """Whether its dtype cannot hold some number, and nothing else is wrong."""
        return self.reason is StoredReason.OVERFLOW

    @property
    def agrees(self) -> bool:
        """Whether it may stand for the block."""
        return self.ruling.agrees

    @property
    def sentence(self) -> str:
        """The answer, in one sentence."""
        match self.reason:
            case StoredReason.SAME:
                return (
                    f"The finished kernel is right: each of its {count(self.numbers)} numbers is what the "
                    f"block comes to, rounded once to {self.dtype}."
                )
            case StoredReason.WITHIN:
                return f"The finished kernel is right: {self._within}."
            case StoredReason.STEP_BY_STEP:
                lie = "lies" if self.rough == 1 else "lie"
                return (
                    f"The finished kernel is right, as folded in {self.arithmetic} step by step: "
                    f"{percent(self.used)} of what that can round; but {_of(self.rough, self.numbers)} {lie} "
                    "further off than one rounding at the end would leave."
                )
            case StoredReason.OVERFLOW:
                return (
                    f"The finished kernel overflowed: {self.dtype} cannot hold "
                    f"{_of(self.beyond, self.numbers)}, as {self._first}."
                )
            case StoredReason.DATA:
                return (
                    f"Nothing can be said of {_of(self.unknown, self.numbers)} of the finished kernel: what "
                    "the block comes to is itself NaN or infinite there. The others agree."
                )
        return f"The finished kernel is wrong: {self.fault}."

    @property
    def _first(self) -> str:
        return f"{self.first[0].place}, which should be {self.first[0].right:.3g}"

    @property
    def _mistake(self) -> str:
        return "" if self.mistake is None else self.mistake.title

    @property
    def _within(self) -> str:
        if self.arithmetic is self.dtype:
            rounded = f"what a fold in {self.dtype} rounds"
        else:
            rounded = f"one rounding to {self.dtype} of what the block comes to"
        return f"its numbers lie within {rounded}, {percent(self.used)} of it at most"

    @property
    def fault(self) -> str:
        """What is wrong, where it is, as a part of a sentence."""
        match self.reason:
            case StoredReason.NOT_FINITE:
                return (
                    f"{_of(self.beyond, self.numbers)} {'is' if self.beyond == 1 else 'are'} NaN or infinite "
                    f"where the block's are finite, as {self._first}"
                )
            case StoredReason.MISTAKE:
                return (
                    f"rounded once to {self.dtype}, all its numbers are those of a known mistake: "
                    f"{self._mistake}; {_of(self.beyond, self.numbers)} "
                    "are not those of the right fold"
                )
        lie = "lies" if self.beyond == 1 else "lie"
        return (
            f"{_of(self.beyond, self.numbers)}, {self.where}, {lie} further from what the block comes to "
            f"than rounding to {self.dtype} explains, {multiple(self.used)} as far at {self.worst.place}"
        )

    @property
    def where(self) -> str:
        """Where the numbers stand that lie beyond: "in out 1 and 5, at tap [1,1]", "biases alone"."""
        alone = "biases alone" if len(self.biases) == self.beyond else ""
        some = len(self.channels) < self.out_channels
        channels = f"in {listed_channels(self.channels)}" if some else "in every output channel"
        taps = ""
        if 0 < len(self.taps) < min(4, self.kernel_size[0] * self.kernel_size[1]):
            places = ", ".join(f"[{row},{column}]" for row, column in self.taps)
            taps = f"at tap{'s' if len(self.taps) > 1 else ''} {places}"
            taps += " and in biases" if self.biases else ""
        return ", ".join(filter(None, (alone, channels, taps)))

    @property
    def summary(self) -> str:
        """What goes with the ruling, in a few words: "97 % of one rounding to bfloat16"."""
        match self.reason:
            case StoredReason.SAME:
                return f"one rounding to {self.dtype}"
            case StoredReason.WITHIN if self.arithmetic is self.dtype:
                return f"{percent(self.used)} of a fold in {self.dtype}"
            case StoredReason.WITHIN:
                return f"{percent(self.used)} of one rounding to {self.dtype}"
            case StoredReason.STEP_BY_STEP:
                return f"folded in {self.arithmetic} step by step"
            case StoredReason.OVERFLOW:
                return f"{self.dtype} overflowed"
            case StoredReason.DATA:
                return f"{count(self.unknown)} numbers unknown"
            case StoredReason.NOT_FINITE:
                return f"{count(self.beyond)} NaN or infinite"
            case StoredReason.MISTAKE:
                return self._mistake
        return f"{count(self.beyond)} of {count(self.numbers)} numbers, {multiple(self.used)} the bound"


def _of(part: int, whole: int) -> str:
    return f"{count(part)} of its {count(whole)} numbers"
