"""The keys of a checkpoint's screen, and what help and foot say of them."""

from __future__ import annotations

from textual.binding import Binding, BindingType

from tui.widgets.foot_key import FootKey
from tui.widgets.help_line import HelpLine

EVERYWHERE: tuple[FootKey, ...] = (
    FootKey("presets", ("app.presets",)),
    FootKey("another file", ("app.open-file",)),
    FootKey("keys", ("app.help",)),
    FootKey("quit", ("app.quit",)),
)
"""What the foot tells of in every place, the most useful last."""
HELP_LINES: tuple[HelpLine, ...] = (
    HelpLine(
        "F",
        "fuse all: every block fused, verified and written to another file; the verdicts, worst first",
        ("checkpoint.fuse",),
    ),
    HelpLine(
        "e, E",
        "another eps, which is in no file: for all blocks of the family, or for this block alone",
        ("checkpoint.eps", "checkpoint.eps-of-block"),
    ),
)
SIGNS: tuple[HelpLine, ...] = (
    HelpLine("◆, △", "a block that can be fused; what looks like one and is left alone, with the reason"),
    HelpLine("✓, ✗, !", "a fused kernel that is right; one that is wrong; numbers that are NaN or infinite"),
    HelpLine("+", "in a comparison: a name that only the other file has"),
)
"""What stands before a name."""
BINDINGS: list[BindingType] = [
    Binding(
        "F",
        "fuse",
        "Fuse all",
        show=False,
        id="checkpoint.fuse",
        tooltip="Every block fused and verified, and written to another file",
    ),
    Binding(
        "w",
        "ranges",
        "Weight ranges",
        show=False,
        id="checkpoint.ranges",
        tooltip="By output channel, for quantising: outliers first",
    ),
    Binding(
        "e",
        "eps(True)",
        "Eps of the family",
        show=False,
        id="checkpoint.eps",
        tooltip="Another eps for all blocks of this one's family",
    ),
    Binding(
        "E",
        "eps(False)",
        "Eps of the block",
        show=False,
        id="checkpoint.eps-of-block",
        tooltip="Another eps for this block alone",
    ),
]
