"""What the help tells of the bench: the keys, those of each view under a heading of their own."""

from __future__ import annotations

from tui.screens.bench.keys import FORM_LINES, HELP_LINES
from tui.screens.bench.views import VIEWS, BenchView
from tui.widgets.grid.heat_grid import HeatGrid
from tui.widgets.help_line import HelpLine

IN_THE_FORM = "IN THE FORM"
"""A heading of the help."""
TOLD_TOGETHER = (("Kernels",), ("Steps",), ("Outputs", "Probe"), ("Rounding",), ("Mistakes",), ("Speed",))
"""The titles of the views whose keys stand under one heading of the help."""


def told_of_the_keys() -> dict[str, tuple[HelpLine, ...]]:
    """The lines of the help, by heading."""
    lines = {view.title: view.load().HELP_LINES for view in VIEWS}
    return {
        "VIEWS": tuple(
            HelpLine(f"{number} {view.title}", view.summary, (f"bench.view-{number}",))
            for number, view in enumerate(VIEWS, start=1)
        ),
        "KEYS": HeatGrid.HELP_LINES + HELP_LINES,
        IN_THE_FORM: FORM_LINES,
        **{
            _heading(titles): tuple(line for title in titles for line in lines[title])
            for titles in TOLD_TOGETHER
        },
    }


def heading_of(view: BenchView) -> str:
    """The heading under which the keys of that view are told."""
    return _heading(next(titles for titles in TOLD_TOGETHER if view.title in titles))


def _heading(titles: tuple[str, ...]) -> str:
    return f"IN {' AND '.join(titles).upper()}"
