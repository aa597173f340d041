"""Questions about a finished study that take a while to answer, and are asked only where somebody looks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from tui.analysis.progress import Doing, Failed

if TYPE_CHECKING:
    from tui.analysis.dtypes.dtype_table import DtypeTable
    from tui.analysis.likeness.found import Likenesses
    from tui.analysis.steps.walkthrough import Walkthrough
    from tui.analysis.study import Study


class Question(StrEnum):
    """What can be asked; the value is the field of `Answers` that holds the answer."""

    WALKTHROUGH = "walkthrough"
    """By which steps do the branches become one kernel, and does each step hold?"""
    DTYPES = "dtypes"
    """What does the same block come to in each of the four dtypes?"""
    LIKENESS = "likeness"
    """Which of the well-known mistakes does a wrong difference look like?"""


@dataclass(frozen=True, eq=False)
class Answers:
    """What has been found out about one study; None where nobody has asked."""

    walkthrough: Walkthrough | Doing | Failed | None = None
    dtypes: DtypeTable | Doing | Failed | None = None
    likeness: Likenesses | Doing | Failed | None = None

    def to(self, question: Question) -> Walkthrough | DtypeTable | Likenesses | Doing | Failed | None:
        """The answer to that question, as far as there is one."""
        answer: Walkthrough | DtypeTable | Likenesses | Doing | Failed | None
        answer = getattr(self, question)
        return answer

    def having(
        self, question: Question, answer: Walkthrough | DtypeTable | Likenesses | Doing | Failed
    ) -> Answers:
        """With this answer to that question."""
        changes = {str(question): answer}
        return replace(self, **changes)  # type: ignore[arg-type]


def deferred_answer(
    question: Question, study: Study
) -> Iterator[Doing | Walkthrough | DtypeTable | Likenesses]:
    """Yield a Doing before each piece of work, and the answer last; what it needs is imported then.

    Raises:
        RuntimeError: torch could not do it, out of memory for instance.
    """
    match question:
        case Question.WALKTHROUGH:
            from tui.analysis.steps.walkthrough import walkthrough

            yield from walkthrough(study)
        case Question.DTYPES:
            from tui.analysis.dtypes.dtype_table import dtype_table

            yield from dtype_table(study)
        case Question.LIKENESS:
            from tui.analysis.likeness.likeness import likenesses

            yield from likenesses(study)
