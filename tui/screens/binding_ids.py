"""The bindings, by the ids by which the settings may name them, and in words."""

from __future__ import annotations

from textual.binding import Binding

from tui.screens.bench.screen import BenchScreen
from tui.screens.checkpoint.screen import CheckpointScreen
from tui.screens.module.screen import ModuleScreen
from tui.screens.speed.screen import SpeedScreen
from tui.screens.sweep.screen import SweepScreen

_SCREENS = (BenchScreen, CheckpointScreen, ModuleScreen, SpeedScreen, SweepScreen)
_WITHOUT_A_LINE = ("app.help", "app.presets")


def binding_ids() -> frozenset[str]:
    """Those that the help of the screens tells of, and those of the screens themselves."""
    lines = [line for screen in _SCREENS for section in screen.help_sections().values() for line in section]
    bound = [
        each.id for screen in _SCREENS for each in screen.BINDINGS if isinstance(each, Binding) and each.id
    ]
    return frozenset([*(name for line in lines for name in line.bindings), *bound, *_WITHOUT_A_LINE])


def keys_in_words() -> str:
    """Every key and what it does, and the id of its binding, by heading."""
    parts: list[str] = []
    sections = {heading: lines for screen in _SCREENS for heading, lines in screen.help_sections().items()}
    for heading, lines in sections.items():
        parts.append(f"{heading}\n\n")
        for line in lines:
            ids = f"  [{', '.join(line.bindings)}]" if line.bindings else ""
            parts.append(f"  {line.keys}: {line.words}{ids}\n")
        parts.append("\n")
    return "".join(parts)
