"""Stage: one step on the way from branches to one kernel, with its numbers and a check that was run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tui.analysis.numerics.magnitude import Magnitude, magnitude_of
from tui.fusion.kernel import Kernel
from tui.fusion.padding import centre
from tui.fusion.spec import Pair

Place = tuple[int, int, int, int]
"""(out, in, ky, kx) of a weight."""


class Written(str):
    """A number that is written out already, in as many digits as its dtype has."""

    __slots__ = ()


Line = tuple[str | float, ...]
"""A line of arithmetic: words and signs as text, the numbers as numbers."""


@dataclass(frozen=True, eq=False)
class StagedKernel:
    """A kernel as a stage shows it.

    Attributes:
        title: what it is.
        kernel: float64, in a size of its own.
        frame: (kH, kW) of the zeros that it is shown in, its centre on theirs.
        magnitude: how large its weights are.
        origin: from a place in the stage's `after` to the place here that it came from; the nearest one
            where it came from none.
    """

    title: str
    kernel: Kernel
    frame: Pair
    magnitude: Magnitude
    origin: Callable[[Place], Place] = field(default=lambda place: place)

    @property
    def shape(self) -> Place:
        """(out_channels, in_channels / groups, kH, kW) with the taps of the frame."""
        return int(self.kernel.weight.shape[0]), int(self.kernel.weight.shape[1]), *self.frame

    def holds(self, place: Place) -> bool:
        """Whether the place is one of the kernel's own taps, not of the zeros around."""
        return all(0 <= tap < size for tap, size in zip(self._own(place), self._own_size, strict=True))

    def at(self, place: Place) -> float:
        """The weight at a place in the frame."""
        if not self.holds(place):
            return 0.0
        ky, kx = self._own(place)
        return float(self.kernel.weight[place[0], place[1], ky, kx])

    def bias_at(self, out: int) -> float:
        """The bias of an output channel, 0 for none."""
        return 0.0 if self.kernel.bias is None else float(self.kernel.bias[out])

    @property
    def _own_size(self) -> Pair:
        return self.kernel.kernel_size

    def _own(self, place: Place) -> Pair:
        before = (centre(outer) - centre(own) for outer, own in zip(self.frame, self._own_size, strict=True))
        top, left = before
        return place[2] - top, place[3] - left


def staged(
    title: str, kernel: Kernel, frame: Pair | None = None, origin: Callable[[Place], Place] | None = None
) -> StagedKernel:
    """The kernel in that frame, or in none but its own."""
    return StagedKernel(
        title, kernel, frame or kernel.kernel_size, magnitude_of(kernel), origin or (lambda place: place)
    )


@dataclass(frozen=True, slots=True)
class Check:
    """What was run to see that a stage holds.

    Attributes:
        words: the two things that were compared.
        figure: the largest |difference| of their outputs, in float64.
        allowed: what rounding may make of it: 1e-9 of the largest number on the way. None where the
            study's verdict decides.
        passed: whether the figure is no larger.
        part: the part of the input that it was run on; "" for all of it.
    """

    words: str
    figure: float
    allowed: float | None
    passed: bool
    part: str = ""


@dataclass(frozen=True, eq=False)
class Stage:
    """One step: before, what was done, after, and whether it holds.

    Attributes:
        branch: the name of the branch that it belongs to, "" for the whole block.
        title: what was done, in a few words.
        words: why that is right, for somebody who has not seen it before.
        before: the kernels that went in; none where the branch has no weight, or a run has no kernel.
        after: the kernel that came out.
        operation: the arithmetic of one weight of `after`, in a few lines.
        check: what was run.
        diagonal: what to call the kernels of `after` that are not zero, where they form a table of such
            and zero kernels; "" where they do not.
    """

    branch: str
    title: str
    words: str
    before: tuple[StagedKernel, ...]
    after: StagedKernel
    operation: Callable[[Place], tuple[Line, ...]]
    check: Check
    diagonal: str = ""


@dataclass(frozen=True, eq=False)
class Walkthrough:
    """The stages in order: those of each branch, then those of the block."""

    stages: tuple[Stage, ...]

    def first_of(self, branch: str) -> int | None:
        """The place of the first stage of that branch, None where it has none."""
        return next((place for place, stage in enumerate(self.stages) if stage.branch == branch), None)
