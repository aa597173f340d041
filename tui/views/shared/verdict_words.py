"""How verdicts on the blocks of a tree are told: a sign, a tone, the order from the worst to the best."""

from __future__ import annotations

from math import isnan

from textual.content import Content

from tui.analysis.quantities import two_digits
from tui.analysis.verdict.reason import Ruling
from tui.fusion.quoting import printable
from tui.widgets.rows.row import Tone

Verdict = tuple[Ruling, str]
"""What was ruled on a fused kernel, and why."""
SIGNS = {Ruling.EXACT: "✓", Ruling.ROUNDING: "✓", Ruling.SUSPICIOUS: "!", Ruling.WRONG: "✗"}
TONES = {
    Ruling.EXACT: Tone.GOOD,
    Ruling.ROUNDING: Tone.GOOD,
    Ruling.SUSPICIOUS: Tone.WARNING,
    Ruling.WRONG: Tone.BAD,
}
_BADNESS = {Ruling.WRONG: 0, Ruling.SUSPICIOUS: 1, Ruling.ROUNDING: 2, Ruling.EXACT: 3}


def worst_first(ruling: Ruling, share: float | None) -> tuple[int, float]:
    """What sorts the worst to the top; `share`: of what rounding explains."""
    return _BADNESS[ruling], -float("inf") if share is None or isnan(share) else -share


def share_in_words(share: float) -> str:
    """A share of what rounding explains: "43 %", "1.2e+05 ×", "not finite"."""
    if isnan(share):
        return "not finite"
    return f"{100 * share:.0f} %" if share < 10 else f"{two_digits(share)} ×"


def plain(text: str) -> str:
    """Words of ours with names out of a file in them: what keeps a number together may break here."""
    return printable(text.replace("\N{NO-BREAK SPACE}", " "))


def verdict_line(ruling: Ruling, sentence: str, style: str) -> Content:
    """The ruling in its colour, and why."""
    return Content.assemble((f"{SIGNS[ruling]} {ruling}", f"bold {style}"), f"  {plain(sentence)}")
