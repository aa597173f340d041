"""Point: what became of one combination of values: its numbers, or why there are none."""

from __future__ import annotations

from dataclasses import dataclass

from tui.analysis.cost import Sides
from tui.analysis.quantities import memory_in_words
from tui.analysis.speed.report import Side, SpeedReport
from tui.analysis.speed.timing import Spread
from tui.analysis.sweep.axes import Value
from tui.analysis.verdict.reason import Ruling
from tui.fusion.specs.block_spec import BlockSpec


@dataclass(frozen=True, slots=True)
class Numbers:
    """What was found out about a block.

    Attributes:
        speed: the timing of its sides, complete.
        max_abs_diff: the largest |fused - unfused|, of a run of its own that was not timed.
        budget_used: the largest share of its rounding budget, of that run.
        bytes: the memory that studying it was estimated to take.
        macs: multiply-accumulates of both sides.
    """

    speed: SpeedReport
    max_abs_diff: float
    budget_used: float
    ruling: Ruling
    bytes: int
    macs: Sides

    @property
    def speed_up(self) -> Spread | None:
        """How many times as fast the fused side is as the block; None where one of them was not timed."""
        return self.speed.gain()

    def time(self, side: Side) -> Spread | None:
        """Seconds of one run of that side."""
        return self.speed.time(side)


@dataclass(frozen=True, slots=True)
class Skipped:
    """There is no such block; `words` are the block's own."""

    words: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The machine is too small for it.

    Attributes:
        bytes: that it was estimated to take.
        limit: that are free.
    """

    bytes: int
    limit: int

    @property
    def words(self) -> str:
        """Why it was not run."""
        return (
            f"needs about {memory_in_words(self.bytes)} of memory, and {memory_in_words(self.limit)} are free"
        )


@dataclass(frozen=True, slots=True)
class Broken:
    """It was run, and that failed; `words` say why."""

    words: str


Outcome = Numbers | Skipped | Refused | Broken


@dataclass(frozen=True, slots=True)
class Point:
    """One combination of values, and what became of it.

    Attributes:
        values: one of each axis.
        spec: the block; None where there is no such block.
        threads: that were asked for; None for as many as torch takes.
    """

    values: tuple[Value, ...]
    spec: BlockSpec | None
    threads: int | None
    outcome: Outcome

    @property
    def numbers(self) -> Numbers | None:
        """What was found out; None where nothing was."""
        return self.outcome if isinstance(self.outcome, Numbers) else None

    @property
    def state(self) -> str:
        """In a word what became of it: "done", "skipped", "refused", "failed"."""
        return _STATES[type(self.outcome)]

    @property
    def why(self) -> str:
        """Why there are no numbers; empty where there are."""
        return "" if isinstance(self.outcome, Numbers) else self.outcome.words


_STATES: dict[type[Outcome], str] = {
    Numbers: "done",
    Skipped: "skipped",
    Refused: "refused",
    Broken: "failed",
}
