"""Step: one step on the way from branches to one kernel, with its numbers and a check that was run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto

from tui.analysis.numerics.magnitude import Magnitude, magnitude_of
from tui.analysis.steps.code import Code
from tui.fusion.kernel import Kernel
from tui.fusion.specs.block_spec import Pair
from tui.fusion.specs.padding import offset_in
from tui.fusion.tap import Tap

Shape = tuple[int, int, int, int]


class Written(str):
    """A number that is written out already, in as many digits as its dtype has."""

    __slots__ = ()


Line = tuple[str | float, ...]
"""A line of arithmetic: words and signs as text, the numbers as numbers."""


class Shows(Enum):
    """What the weights of a step's kernels are."""

    KERNELS = auto()
    """Weights of convolutions, (out_channels, in_channels / groups, kH, kW)."""
    BIASES = auto()
    """Biases, as weights (out_channels, 1, 1, 1)."""
    MAPS = auto()
    """Outputs, (batch, out_channels, H, W)."""


@dataclass(frozen=True, eq=False)
class StepKernel:
    """A kernel as a step shows it.

    Attributes:
        title: what it is.
        kernel: float64, in a size of its own.
        frame: (kH, kW) of the zeros that it is shown in, its centre on theirs.
        magnitude: how large its weights are.
        origin: from a place in the step's `after` to the place here that it came from. One outside the taps
            where it came from none of them, and of channel -1 where it came from none of the kernels.
        sign: what stands between it and the kernel before it: "+", "=", "→".
    """

    title: str
    kernel: Kernel
    frame: Pair
    magnitude: Magnitude
    origin: Callable[[Tap], Tap] = field(default=lambda tap: tap)
    sign: str = ""

    @property
    def shape(self) -> Shape:
        """(out_channels, in_channels / groups, kH, kW) with the taps of the frame."""
        return int(self.kernel.weight.shape[0]), int(self.kernel.weight.shape[1]), *self.frame

    def holds(self, tap: Tap) -> bool:
        """Whether the tap is one of the kernel's own, not of the zeros around."""
        return all(0 <= own < size for own, size in zip(self._own(tap), self._own_size, strict=True))

    def at(self, tap: Tap) -> float:
        """The weight at a tap of the frame."""
        if not self.holds(tap):
            return 0.0
        ky, kx = self._own(tap)
        return float(self.kernel.weight[tap.out, tap.in_, ky, kx])

    def bias_at(self, out: int) -> float:
        """The bias of an output channel, 0 for none."""
        return 0.0 if self.kernel.bias is None else float(self.kernel.bias[out])

    @property
    def _own_size(self) -> Pair:
        return self.kernel.kernel_size

    def _own(self, tap: Tap) -> Pair:
        top, left = offset_in(self._own_size, self.frame)
        return tap.ky - top, tap.kx - left


def step_kernel(
    title: str,
    kernel: Kernel,
    frame: Pair | None = None,
    origin: Callable[[Tap], Tap] | None = None,
    sign: str = "",
) -> StepKernel:
    """The kernel in that frame, or in none but its own."""
    magnitude = magnitude_of(kernel)
    return StepKernel(
        title, kernel, frame or kernel.kernel_size, magnitude, origin or (lambda tap: tap), sign
    )


def bias_column(title: str, kernel: Kernel, sign: str = "") -> StepKernel:
    """The bias of a kernel as weights (out_channels, 1, 1, 1); of one without, none at all."""
    bias = kernel.weight.new_zeros(len(kernel.weight)) if kernel.bias is None else kernel.bias
    column = Kernel(bias.view(-1, 1, 1, 1), kernel.bias)
    return step_kernel(title, column, None, _nowhere if kernel.bias is None else None, sign)


def _nowhere(tap: Tap) -> Tap:
    return tap._replace(out=-1)


@dataclass(frozen=True, slots=True)
class Check:
    """What was run to see that a step holds.

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
class Step:
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
        code: the same in PyTorch.
        shows: what the weights of the kernels are.
        layers: those whose numbers the step shows, as `layers` names them, "alpha" and "gamma" for a scale.
    """

    branch: str
    title: str
    words: str
    before: tuple[StepKernel, ...]
    after: StepKernel
    operation: Callable[[Tap], tuple[Line, ...]]
    check: Check
    diagonal: str = ""
    code: Code = field(default=Code(""))
    shows: Shows = Shows.KERNELS
    layers: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Walkthrough:
    """The steps in order: those of each branch, then those of the block."""

    steps: tuple[Step, ...]

    def first_of(self, branch: str) -> int | None:
        """The place of the first step of that branch, None where it has none."""
        return next((place for place, step in enumerate(self.steps) if step.branch == branch), None)
