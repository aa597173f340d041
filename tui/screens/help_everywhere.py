"""What the help says of the keys that work on every screen."""

from __future__ import annotations

from tui.widgets.help_line import HelpLine

HELP_EVERYWHERE: tuple[HelpLine, ...] = (
    HelpLine("o", "open a checkpoint: its blocks, with their numbers", ("app.open-file",)),
    HelpLine(
        "t, ctrl+p, q", "dark or light, remembered; everything by name; quit", ("app.theme", "app.quit")
    ),
    HelpLine("ctrl+z", "back to the shell for a while, until its fg", ("app.suspend",)),
)
