"""ToTime: the blocks of a file or of a module, ready to be timed one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.analysis.deferred import load_torch
from tui.analysis.progress import Doing
from tui.analysis.speed.conditions import Conditions
from tui.analysis.speed.outcomes import Item, Planned
from tui.analysis.subject import Subject
from tui.fusion.specs.block_spec import Dtype, Pair

if TYPE_CHECKING:  # what is timed is known before torch is there
    from tui.analysis.speed.several import Candidate

USUAL_INPUT = (56, 56)
"""Rows and columns that a block out of a file is timed on: no file says what reaches it."""
WHOLE = "the whole model"


@dataclass(frozen=True, slots=True)
class RunOn:
    """What blocks are run on that come without an input.

    Attributes:
        input_shape: rows and columns.
        dtype: None for each block's own.
    """

    input_shape: Pair = USUAL_INPUT
    batch_size: int = 1
    dtype: Dtype | None = None


@dataclass(frozen=True, eq=False)
class ToTime:
    """The blocks of a file or of a module; the same object as long as they are the same blocks.

    Attributes:
        name: that of the file or the module.
        titles: of the blocks, in the order of their places from 1 on.
        has_inputs: whether each block has an input of its own: what reached it in a run of the module.
        has_whole: whether the whole that they are parts of is timed too, after them.
        candidates: what is timed, on what and on which device; it needs torch, and reads nothing yet.
        subject: a block, by its place from 1 on, as the bench takes it; it raises a Refusal where that
            cannot be.
    """

    name: str
    titles: tuple[str, ...]
    has_inputs: bool
    has_whole: bool
    candidates: Callable[[RunOn, str], Sequence[Candidate]]
    subject: Callable[[int], Subject]

    @property
    def planned(self) -> Planned:
        """What is going to be timed."""
        return Planned(len(self.titles), self.has_whole)


def time_them(to_time: ToTime, run_on: RunOn, conditions: Conditions) -> Iterator[Item]:
    """Yield what is done, and what is known of each block, as `time_all` does; torch is imported first.

    Raises:
        DeviceError: the device is not here.
    """
    yield Doing("loading torch")
    load_torch()
    from tui.analysis.numerics.devices import device_named
    from tui.analysis.speed.several import time_all

    device_named(conditions.device)
    yield from time_all(to_time.candidates(run_on, conditions.device), conditions)
