"""The difference in the figures that other tools print, to be compared with theirs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from textual.content import Content

from tui.analysis.quantities import two_digits
from tui.views.shared.styles import MUTED

if TYPE_CHECKING:
    from tui.analysis.dtypes.dtype_table import DtypeRow


def figures_words(row: DtypeRow) -> Content:
    """As others say  relative 3.1e-08  half ≤ 0  99.9 % ≤ 6e-08  SQNR 150 dB  cosine 1."""
    figures = row.figures
    told = [
        ("relative", two_digits(figures.relative_error)),
        ("half ≤", two_digits(figures.median_abs_diff)),
        ("99.9 % ≤", two_digits(figures.abs_diff_99_9)),
        ("SQNR", _decibels(figures.sqnr_db)),
        ("cosine", f"{figures.cosine:.7g}"),
    ]
    parts = [Content.assemble((f"{name} ", MUTED), value) for name, value in told]
    return Content.assemble(("As others say  ", "bold"), Content("  ").join(parts))


def _decibels(ratio: float) -> str:
    if math.isfinite(ratio):
        return f"{ratio:.0f} dB"
    return "infinite" if math.isinf(ratio) else "nan"
