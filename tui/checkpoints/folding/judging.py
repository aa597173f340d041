"""The verdict on a fused block: its numbers rounded once, its answers those of the branches."""

from __future__ import annotations

import math

from tui.analysis.quantities import count
from tui.analysis.verdict.in_words import multiple
from tui.analysis.verdict.reason import Ruling
from tui.checkpoints.folding.folded import Answer, Folded
from tui.checkpoints.found import FoundBlock
from tui.checkpoints.inspection.value_problems import ValueProblem


def judged(
    folded: Folded, found: FoundBlock, on_image: Answer | None, problems: tuple[ValueProblem, ...]
) -> tuple[Ruling, str]:
    """The ruling, and the sentence that says why."""
    dtype = found.dtype
    if math.isnan(folded.share):
        return Ruling.SUSPICIOUS, _not_finite(problems)
    if math.isinf(folded.share):
        return (
            Ruling.SUSPICIOUS,
            f"{dtype} overflowed: it cannot hold every number that the block comes to",
        )
    if folded.share > 1:
        return (
            Ruling.WRONG,
            f"a number is {multiple(folded.share)} further off than rounding once to {dtype} explains",
        )
    for answer, given in ((folded.answer, "patch"), (on_image, "image")):
        if answer is not None and not answer.agrees:
            return Ruling.WRONG, (
                f"in float64 a random {given} is answered by {answer.difference:.2g} otherwise, "
                f"{multiple(answer.share)} what rounding explains"
            )
    numbers = sum(entry.numel for entry in found.fused)
    return Ruling.EXACT, f"each of its {count(numbers)} numbers is what the block comes to, rounded once"


def _not_finite(problems: tuple[ValueProblem, ...]) -> str:
    first = next((problem for problem in problems if problem.unfusable), None)
    if first is None:
        return "what the block comes to is NaN or infinite"
    return f"what the block comes to is NaN or infinite, as {first.words}"
