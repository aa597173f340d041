"""Which of the well-known mistakes a wrong difference looks like."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tui.analysis.progress import Progress
from tui.analysis.study import Study


@dataclass(frozen=True, eq=False)
class Likenesses:
    """The mistakes that fit, the likeliest first."""


def likenesses(study: Study) -> Iterator[Progress | Likenesses]:
    """Yield a Progress before each mistake that is tried, and the result last."""
    yield Likenesses()
