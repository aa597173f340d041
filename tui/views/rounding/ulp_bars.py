"""How many elements are how many ulps apart: a bar and a count for each distance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from tui.analysis.quantities import count
from tui.views.shared.styles import MUTED
from tui.widgets.bar import bar

if TYPE_CHECKING:
    from tui.analysis.dtypes.ulp_histogram import UlpHistogram

_LABEL = 6
_WIDEST_BAR = 40


def ulp_bars_text(ulps: UlpHistogram, width: int) -> Content:
    """The histogram in `width` columns: 0, ≤ 1, ≤ 2 and so on, at last > 16 ulps."""
    labels = ["0", *(f"≤ {edge}" for edge in ulps.edges[1:]), f"> {ulps.edges[-1]}"]
    most = max(ulps.counts)
    digits = len(count(most))
    room = min(_WIDEST_BAR, width - _LABEL - digits - 1)
    lines = [Content.assemble(("Ulps apart", "bold"), (f"  {count(ulps.elements)} elements", MUTED))]
    for label, number in zip(labels, ulps.counts, strict=True):
        line = Content.assemble(
            (f"{label:>{_LABEL - 1}} ", MUTED),
            (bar(number / most if most else 0, room), "$primary"),
            (f" {count(number):>{digits}}", "" if number else MUTED),
        )
        lines.append(line)
    if ulps.left_out:
        lines.append(Content.assemble((f"{count(ulps.left_out)} more: NaN or infinite", "$text-warning")))
    return Content("\n").join(lines)
