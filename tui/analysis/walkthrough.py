"""The way from the branches to one convolution, one step at a time, each with a check that was run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tui.analysis.progress import Progress
from tui.analysis.study import Study


@dataclass(frozen=True, eq=False)
class Walkthrough:
    """The steps in order."""


def walkthrough(study: Study) -> Iterator[Progress | Walkthrough]:
    """Yield a Progress before each check, and the Walkthrough last."""
    yield Walkthrough()
