"""What the bench is doing about the spec in its form."""

from __future__ import annotations

from dataclasses import dataclass

from tui.analysis.estimate import Estimate


@dataclass(frozen=True, slots=True)
class Idle:
    """Nothing runs; the result on the screen is the form's."""


@dataclass(frozen=True, slots=True)
class Running:
    """A study runs; `doing` is its present piece of work, in words."""

    doing: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """The run is costly and waits for the user's word. `too_large`: this machine has not the memory."""

    estimate: Estimate
    too_large: bool


@dataclass(frozen=True, slots=True)
class Failed:
    """The run broke off; `error` says why, in words."""

    error: str


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The form holds no valid spec; the result on the screen is that of the last valid one."""


RunState = Withdrawn | Idle | Running | Waiting | Failed
