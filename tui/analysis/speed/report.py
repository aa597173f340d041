"""SpeedReport: what has been measured of a block so far, and what it was measured on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from tui.analysis.speed.arithmetic import Peaks, Work
from tui.analysis.speed.conditions import Conditions
from tui.analysis.speed.timing import Spread, Timing, speed_up


class Side(StrEnum):
    """What is timed; the value is what the screen calls it."""

    UNFUSED = "as it is"
    """The block as its modules run."""
    FOLDED = "norms folded"
    """Its batch norms folded into the convolutions before them; branches and sum remain."""
    FUSED = "fused"
    """The one convolution."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What the timing was done on.

    Attributes:
        device: what it is called: the processor's name.
        threads: that one operation had.
        torch: its version.
    """

    device: str
    threads: int
    torch: str


@dataclass(frozen=True, slots=True)
class SpeedReport:
    """What is known so far; a later report of the same measurement knows more.

    Attributes:
        conditions: under which it is timed; not compiled where that did not work, as a remark says.
        work: of each side, from the shapes alone.
        timings: of the sides that have been timed, after at least one round.
        peaks: None until they are measured.
        remarks: what must be known beside the numbers: why nothing is compiled, what float16 means here.
        is_done: whether nothing more comes.
    """

    conditions: Conditions
    machine: Machine
    dtype: str
    input_nchw: tuple[int, int, int, int]
    work: Mapping[Side, Work]
    timings: Mapping[Side, Timing] = field(default_factory=dict)
    peaks: Peaks | None = None
    remarks: tuple[str, ...] = ()
    is_done: bool = False

    @property
    def rounds(self) -> int:
        """How many rounds are complete."""
        return min((len(self.timings[side].seconds) for side in Side if side in self.timings), default=0)

    def time(self, side: Side) -> Spread | None:
        """Seconds of one run of that side; None before it was timed."""
        timing = self.timings.get(side)
        return None if timing is None else timing.spread

    def gain(self, after: Side = Side.FUSED, before: Side = Side.UNFUSED) -> Spread | None:
        """How many times as fast `after` is, pair by pair; None before both were timed."""
        one, other = self.timings.get(before), self.timings.get(after)
        return speed_up(one, other) if one and other else None

    @property
    def is_noisy(self) -> bool:
        """Whether the times of any side lie far apart."""
        return any(timing.spread.is_noisy for timing in self.timings.values())

    @property
    def gain_by_macs(self) -> float:
        """The speed-up if multiply-accumulates alone counted."""
        return self.work[Side.UNFUSED].macs / max(self.work[Side.FUSED].macs, 1)

    @property
    def gain_by_traffic(self) -> float:
        """The speed-up if bytes moved alone counted."""
        return self.work[Side.UNFUSED].bytes / self.work[Side.FUSED].bytes

    def flops_reached(self, side: Side) -> float | None:
        """FLOP/s of that side, at its median; None before it was timed."""
        time = self.time(side)
        return None if time is None else self.work[side].flops / time.median

    def bandwidth_reached(self, side: Side) -> float | None:
        """Bytes/s of that side, at its median; None before it was timed."""
        time = self.time(side)
        return None if time is None else self.work[side].bytes / time.median


def rounds_in_words(reports: Sequence[SpeedReport]) -> str:
    """How many there were, of the fewest to the most: "31 rounds", "5 to 31 rounds", "1 round"."""
    fewest, most = min(each.rounds for each in reports), max(each.rounds for each in reports)
    return f"{most} {'round' if most == 1 else 'rounds'}" if fewest == most else f"{fewest} to {most} rounds"
