"""The ids by which the settings may name a binding."""

from __future__ import annotations

from textual.binding import Binding

from tui.screens.bench.screen import BenchScreen
from tui.screens.checkpoint.screen import CheckpointScreen

_WITHOUT_A_LINE = ("app.help", "app.presets")


def binding_ids() -> frozenset[str]:
    """Those that the help of the screens tells of, and those of the screens themselves."""
    screens = (BenchScreen, CheckpointScreen)
    lines = [line for screen in screens for section in screen.help_sections().values() for line in section]
    bound = [
        each.id for screen in screens for each in screen.BINDINGS if isinstance(each, Binding) and each.id
    ]
    return frozenset([*(name for line in lines for name in line.bindings), *bound, *_WITHOUT_A_LINE])
