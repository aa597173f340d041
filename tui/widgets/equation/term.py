"""One kernel of an equation, and where its labels stand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto

from tui.fusion.tap import Tap
from tui.widgets.grid.weight_source import WeightSource


@dataclass(frozen=True, eq=False)
class Term:
    """One weight of an equation; each of its rows shows one kernel of it.

    Attributes:
        source: the weight.
        title: what it is called.
        sign: what stands before it.
        origin: from a tap of the last term to that of this one beside it. One outside the taps for none; of a
            channel -1 where no kernel stands beside it.
        scale: the |value| of full colour where it is another than the equation's.
    """

    source: WeightSource
    title: str
    sign: str = ""
    origin: Callable[[Tap], Tap] = field(default=lambda tap: tap)
    scale: float | None = None

    def beside(self, tap: Tap) -> Tap | None:
        """The tap of this weight that belongs to a tap of the last term, the nearest one; None for none."""
        found = self.origin(tap)
        return None if min(found.out, found.in_) < 0 else found.clamped(self.source.shape)


class Named(Enum):
    """What the rows of an equation are called by, and where."""

    KERNELS = auto()
    """ "out 0, in 0", behind the row."""
    CHANNELS = auto()
    """ "out 0", before the row: a column sum."""
    MAPS = auto()
    """ "out 0", behind the row, of the channel; the first axis is the batch."""

    def label(self, out: int, in_: int, shape: tuple[int, int, int, int]) -> tuple[str, ...]:
        """The name of a row, in one or two words that may stand below each other."""
        match self:
            case Named.KERNELS:
                return f"out {out}", f"in {in_}"
            case Named.CHANNELS:
                return (f"out {out}",)
            case Named.MAPS:
                return (f"out {in_}", f"input {out}") if shape[0] > 1 else (f"out {in_}",)
