"""time_all(candidates): time one block after the other, of a file or of a model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from torch import Tensor, nn

from tui.analysis.failure import CANNOT, in_words
from tui.analysis.numerics.devices import device_named
from tui.analysis.progress import Doing
from tui.analysis.speed.conditions import Conditions
from tui.analysis.speed.expected import expected_seconds
from tui.analysis.speed.measuring import Step, measure_sides
from tui.analysis.speed.memory import bytes_for, refuse_too_large
from tui.analysis.speed.outcomes import Item, LeftOut, Planned, Timed
from tui.analysis.speed.report import Side, SpeedReport
from tui.analysis.speed.sides import sides_of
from tui.fusion.block import ReparamBlock
from tui.fusion.specs.block_spec import BlockSpec


class Made(NamedTuple):
    """What is timed: the sides, and what they run on."""

    sides: Mapping[Side, nn.Module]
    x: Tensor


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something that is to be timed.

    Attributes:
        make: reads it when its turn has come.
        specs: the block that it is, or those that are in it, which tell how long it takes; empty where that
            cannot be.
    """

    title: str
    make: Callable[[], Made]
    is_whole: bool = False
    specs: tuple[BlockSpec, ...] = ()


def refuse_spec(spec: BlockSpec, device: str) -> None:
    """Stop before its input is made, which alone may be more than there is.

    Raises:
        MeasuringError: it does not fit.
        DeviceError: the device is not here.
    """
    refuse_too_large(bytes_for(spec, device), device_named(device))


def made_of(block: ReparamBlock, x: Tensor) -> Made:
    """A block beside its fused convolution."""
    return Made(sides_of(block, block.fuse()), x)


class Measure(Protocol):
    """As `measure_sides`."""

    def __call__(
        self, sides: Mapping[Side, nn.Module], x: Tensor, conditions: Conditions, *, with_peaks: bool
    ) -> Iterator[Step]:
        """Yield what is done, and reports."""
        ...


def time_all(
    candidates: Sequence[Candidate], conditions: Conditions, measure: Measure = measure_sides
) -> Iterator[Item]:
    """Yield what is planned, a Doing before each piece of work, and each candidate when more is known of it.

    The machine's peaks are measured once.

    One that cannot be timed is left out, and does not end the others; what the first cannot for its
    conditions, no device for instance, is the caller's to find out before. To stop it, stop iterating:
    between two rounds nothing runs.
    """
    yield _planned(candidates, conditions)
    has_peaks = False
    for number, candidate in enumerate(candidates, 1):
        yield Doing(candidate.title, number, len(candidates))
        try:
            sides, x = candidate.make()
            for step in measure(sides, x, conditions, with_peaks=not has_peaks):
                if isinstance(step, SpeedReport):
                    has_peaks = has_peaks or step.peaks is not None
                    yield Timed(number, candidate.title, step, candidate.is_whole)
                else:
                    words = f"{candidate.title}: {step.words}" if candidate.title else step.words
                    yield Doing(words, number, len(candidates))
        except CANNOT as error:
            yield LeftOut(number, candidate.title, in_words(error))


def _planned(candidates: Sequence[Candidate], conditions: Conditions) -> Planned:
    """How many they are, and how long each takes."""
    whole = sum(each.is_whole for each in candidates)
    seconds = tuple(expected_seconds(each.specs, conditions) for each in candidates)
    return Planned(len(candidates) - whole, whole > 0, seconds)
