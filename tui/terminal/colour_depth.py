"""How many colours a terminal can show, as far as it says."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from rich.console import Console


class ColourDepth(Enum):
    """The colours of a terminal; the value is their number."""

    FULL = 2**24
    EIGHT_BIT = 256
    STANDARD = 16


_DEPTHS = {
    "truecolor": ColourDepth.FULL,
    "256": ColourDepth.EIGHT_BIT,
    "standard": ColourDepth.STANDARD,
    "windows": ColourDepth.STANDARD,
}


def depth_of_terminal(environment: Mapping[str, str]) -> ColourDepth:
    """The depth of the terminal that the process runs in, or what TEXTUAL_COLOR_SYSTEM says instead."""
    chosen = environment.get("TEXTUAL_COLOR_SYSTEM", "auto")
    if chosen in _DEPTHS:
        return _DEPTHS[chosen]
    console = Console(force_terminal=True, legacy_windows=False, _environ=environment)
    return colour_depth(console.color_system, environment)


def colour_depth(colour_system: str | None, environment: Mapping[str, str]) -> ColourDepth:
    """The depth of the terminal for which rich has found this `Console.color_system`.

    Terminal.app of macOS is taken to have 256 colours whatever it says: most of its versions paint what they
    are sent in 24 bit in wrong colours, or blink, and COLORTERM is handed on to it by shells and
    multiplexers that were started elsewhere, and no variable tells its new versions from the old ones.
    """
    depth = _DEPTHS.get(colour_system or "", ColourDepth.STANDARD)
    if environment.get("TERM_PROGRAM") == "Apple_Terminal" and depth is ColourDepth.FULL:
        return ColourDepth.EIGHT_BIT
    return depth
