"""What became of several blocks that were timed one after the other, and their totals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

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
