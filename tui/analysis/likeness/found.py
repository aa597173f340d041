"""What a wrong difference looks like: one mistake, one with a number of its own, or two at once."""

from __future__ import annotations

from dataclasses import dataclass

from tui.analysis.alterations.gallery import MISTAKES
from tui.analysis.likeness.pattern import Pattern
from tui.analysis.verdict.in_words import percent

_TIMES = {2: "twice", 3: "three times", 4: "four times", 5: "five times"}


@dataclass(frozen=True, slots=True)
class Likeness:
    """A mistake and how well it accounts for a difference.

    Attributes:
        name: the mistake's in the gallery. Beside those: "eps", another eps than the gallery's, and
            "var-scaled", variances off by a factor.
        score: 1 where it makes this very difference, up to rounding. Below that the share of |d|^2 that the
            best positive multiple of what it makes accounts for, at most 0.99.
        multiple: that multiple; a whole number where the score is 1.
        channels: the output channels in which the difference is what it makes, where it is not found in
            others; empty where it is found in all.
        told: what it is called where that is not the gallery's title: "eps 1e-06 for 1e-05".
        number: the eps, or the factor of the variances, that fits; None where the mistake has none.
        about: whether that number is only known up to rounding, and is none that a person would choose.
        beside: the mistakes that were made at the same time.
    """

    name: str
    score: float
    multiple: float = 1.0
    channels: tuple[int, ...] = ()
    told: str = ""
    number: float | None = None
    about: bool = False
    beside: tuple[Likeness, ...] = ()

    @property
    def same(self) -> bool:
        """Whether this mistake makes the very difference."""
        return self.score == 1

    @property
    def names(self) -> tuple[str, ...]:
        """Its name, and those of the mistakes beside it."""
        return (self.name, *(other.name for other in self.beside))

    @property
    def title(self) -> str:
        """What it is called, with those beside it: "1×1 missing and identity missing"."""
        return " and ".join([self._own_title, *(other.title for other in self.beside)])

    @property
    def extent(self) -> str:
        """What goes with the title where it is not the very difference: where, or how much of it."""
        if self.same:
            return ""
        if self.channels:
            return f" in out {', '.join(map(str, self.channels))}"
        times = "" if 0.99 < self.multiple < 1.01 else f" × {self.multiple:.2g}"
        return f"{times} ({percent(self.score)} of it)"

    @property
    def _own_title(self) -> str:
        title = self.told or MISTAKES[self.name].title
        if not self.same or self.multiple == 1:
            return title
        if self.name == "identity-twice":
            return f"identity added {_TIMES[round(self.multiple) + 1]}"
        return f"{title} × {self.multiple:.0f}"


@dataclass(frozen=True, eq=False)
class Likenesses:
    """What is known of a wrong fusion beside its verdict.

    Attributes:
        found: the mistakes that fit, the best first; none where the fusion is right.
        nearest: where none fits, the one that comes nearest, if any points the same way.
        pattern: where the float64 outputs differ; None where the fusion is right.
    """

    found: tuple[Likeness, ...] = ()
    pattern: Pattern | None = None
    nearest: Likeness | None = None

    @property
    def how_exactly(self) -> str:
        """What follows those found: ", exactly", ": each exactly", or nothing where one is not the same."""
        if not self.found or not self.found[0].same or any(each.about for each in self.found):
            return ""
        return ", exactly" if len(self.found) == 1 else ": each exactly"

    @property
    def words(self) -> str:
        """What it looks like, in one line; empty where nothing is known."""
        if self.found:
            return "; ".join(each.title + each.extent for each in self.found) + self.how_exactly
        if self.pattern is None:
            return ""
        nearest = self.nearest
        return "none of the gallery" + (f"; nearest: {nearest.title}{nearest.extent}" if nearest else "")
