"""What became of several blocks that were timed one after the other, and their totals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tui.analysis.progress import Doing
from tui.analysis.speed.conditions import SHORTEST
from tui.analysis.speed.expected import rounds_within
from tui.analysis.speed.report import Side, SpeedReport


@dataclass(frozen=True, slots=True)
class Timed:
    """A block, or a whole model, and what was measured of it so far.

    Attributes:
        place: among all that are timed, counted from 1.
        title: where it stands: "stage1.0"; "" of one that stands alone.
        is_whole: whether it is the whole model, which the blocks are parts of.
    """

    place: int
    title: str
    report: SpeedReport
    is_whole: bool = False


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A block that could not be timed, and why."""

    place: int
    title: str
    why: str

    @property
    def words(self) -> str:
        """In a line."""
        return f"{self.title}: {self.why}" if self.title else self.why


@dataclass(frozen=True, slots=True)
class Planned:
    """What is going to be timed: so many blocks, and perhaps the whole model that they are parts of.

    Attributes:
        seconds: that each of them takes, by its place, the whole last; only the proportions count. Empty as
            long as that is not known.
    """

    blocks: int
    whole: bool
    seconds: tuple[float, ...] = ()


Item = Doing | Timed | LeftOut | Planned
"""What is told of several blocks that are timed: first what is planned, then what is done and found."""


@dataclass(slots=True)
class Found:
    """What is there so far.

    Attributes:
        planned: what is to be timed; of no blocks before that is known.
        timed: what was measured of each by its place.
    """

    planned: Planned = Planned(0, whole=False)
    timed: dict[int, Timed] = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)

    def take(self, item: Item) -> None:
        """Know what this tells besides; nothing, where it is only what is being done."""
        match item:
            case Planned():
                self.planned = item
            case Timed():
                self.timed[item.place] = item
            case LeftOut():
                self.timed.pop(item.place, None)
                self.left_out.append(item)

    @property
    def count(self) -> int:
        """How many are to be timed, the whole among them; 0 before that is known."""
        return self.planned.blocks + self.planned.whole

    @property
    def has_rounds(self) -> bool:
        """Whether there is a time of anything."""
        return any(each.report.rounds for each in self.timed.values())

    @property
    def complete(self) -> int:
        """How many are timed to their end."""
        return sum(each.report.is_done for each in self.timed.values())

    @property
    def is_complete(self) -> bool:
        """Whether nothing more is to come."""
        return self.count > 0 and self.complete + len(self.left_out) == self.count

    @property
    def share(self) -> float:
        """How much of the time that all takes is over, from 0 to 1; what was left out has taken none."""
        seconds = self.planned.seconds or (1.0,) * self.count
        left_out = {each.place for each in self.left_out}
        weights = {place: each for place, each in enumerate(seconds, 1) if place not in left_out}
        done = sum(_done(each.report) * weights.get(place, 0.0) for place, each in self.timed.items())
        whole = sum(weights.values())
        return done / whole if whole else float(self.is_complete)


@dataclass(frozen=True, slots=True)
class Totals:
    """One run of each of some blocks.

    Attributes:
        blocks: how many they are.
        seconds: the sum of their medians, of each side; where nothing was to be folded, as the block is.
    """

    blocks: int
    seconds: Mapping[Side, float]

    def gain(self, after: Side = Side.FUSED) -> float:
        """How many times as fast all of them are on that side as they are."""
        return self.seconds[Side.UNFUSED] / self.seconds[after]


def _done(report: SpeedReport) -> float:
    """How many of its rounds were made, from 0 to 1."""
    if report.is_done or not report.rounds:
        return float(report.is_done)
    round_ = sum(max(SHORTEST, timing.spread.median) for timing in report.timings.values())
    return min(1.0, report.rounds / rounds_within(round_, report.conditions.rounds))


def worst_first(each: Iterable[Timed]) -> list[Timed]:
    """Those that gain least first; what has no gain yet at the end."""
    return sorted(each, key=_gain)


def totals_of(each: Iterable[Timed]) -> Totals | None:
    """Of all blocks of which there is at least one round; None where there is none."""
    reports = [one.report for one in each if one.report.rounds and not one.is_whole]
    if not reports:
        return None
    return Totals(len(reports), {side: sum(_median(report, side) for report in reports) for side in Side})


def _gain(one: Timed) -> float:
    gain = one.report.gain()
    return float("inf") if gain is None else gain.median


def _median(report: SpeedReport, side: Side) -> float:
    time = report.time(side) or report.time(Side.UNFUSED)
    assert time is not None  # there is a round
    return time.median
