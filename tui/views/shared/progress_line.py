"""How far long work is, in one line."""

from __future__ import annotations

from textual.content import Content

from tui.analysis.quantities import time_in_words
from tui.views.shared.styles import MUTED
from tui.widgets.bar import bar

BAR = 24
"""Columns of the bar."""
TRACK = "─"
"""Where the bar is still to come."""


def progress_line(words: str, share: float, seconds_left: float | None = None) -> Content:
    """ "fusing  ━━━━━━━────  64 %   about 8 s left"; the time only where it is known."""
    done = bar(share, BAR).rstrip()
    left = "" if seconds_left is None else f"   {time_in_words(seconds_left)} left"
    return Content.assemble(
        (f"{words}  ", "bold"),
        (done, "$primary"),
        (TRACK * (BAR - len(done)), MUTED),
        f" {100 * share:3.0f} %",
        (left, MUTED),
    )
