"""What the bench is doing about the subject in its form."""

from __future__ import annotations

from dataclasses import dataclass

from tui.analysis.estimate import Estimate
from tui.analysis.progress import Doing, Failed


@dataclass(frozen=True, slots=True)
class Idle:
    """Nothing runs; the result on the screen is the form's."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """The run is costly and waits for the user's word. `too_large`: this machine has not the memory."""

    estimate: Estimate
    too_large: bool


@dataclass(frozen=True, slots=True)
class Stopped:
    """The user stopped the run; the result on the screen is that of an older subject."""


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The form holds no valid spec; the result on the screen is that of the last valid one."""


RunState = Withdrawn | Idle | Doing | Waiting | Stopped | Failed
