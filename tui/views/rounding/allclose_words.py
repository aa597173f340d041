"""What torch.allclose says, with its numbers, and why that is not the verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from tui.analysis.quantities import count, two_digits
from tui.views.shared.place_link import place_link
from tui.views.shared.styles import MUTED

if TYPE_CHECKING:
    from tui.analysis.study import Study


def allclose_words(study: Study) -> Content:
    """torch.allclose no: |d| <= 1e-08 + 1e-05 |unfused| fails in 3 of 162; atol 2e-7 would pass."""
    closeness = study.comparison.closeness
    rule = f"|d| ≤ {closeness.atol:.0e} + {closeness.rtol:.0e} |unfused|"
    parts: list[str | Content | tuple[str, str]] = [("torch.allclose ", "bold")]
    if closeness.farthest is None:
        parts += [("yes", "bold"), (f": {rule} holds in all {count(closeness.elements)} elements", MUTED)]
    else:
        where = place_link(closeness.farthest, study.spec.batch_size)
        parts += [
            ("no", "bold $text-warning"),
            (f": {rule} fails in ", MUTED),
            f"{count(closeness.failing)} of {count(closeness.elements)}",
            (" elements, farthest at ", MUTED),
            where,
            ("; atol ", MUTED),
            two_digits(closeness.least_atol),
            (" would pass", MUTED),
        ]
    return Content.assemble(*parts, (f". {_why(study)}", MUTED))


def _why(study: Study) -> str:
    """Where it says another thing than the verdict: why."""
    passes, agrees = study.comparison.closeness.passes, study.verdict.ruling.agrees
    if agrees and not passes:
        return (
            "It grants each element a part of its own size, the same in every dtype. Where large terms "
            "cancel, a sum near 0 is rounded by more; the rounding budget knows the terms and the dtype."
        )
    if passes and not agrees:
        return "The fault is smaller than its tolerance, which asks neither the terms nor the dtype."
    return "It asks neither how large the terms of a sum were nor how the dtype rounds; the verdict does."
