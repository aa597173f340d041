"""Where the block of the form comes from, and what was read and assumed."""

from __future__ import annotations

from textual.content import Content
from textual.reactive import var
from textual.widgets import Static

from tui.analysis.origin import Origin
from tui.fusion.quoting import printable

MUTED = "$foreground 60%"
READ_ONLY = "As it was read: only its run can be changed here."


class OriginPane(Static):
    """Its title, what it is a part of, and a line for each remark; nothing for a block that was chosen."""

    DEFAULT_CSS = """
    OriginPane { height: auto; display: none; }
    """

    origin: var[Origin | None] = var[Origin | None](None)
    """Where the block comes from; None for one that was chosen in the form."""

    def watch_origin(self, origin: Origin | None) -> None:
        """Tell."""
        self.display = origin is not None
        if origin is None:
            return
        lines = [Content.styled(printable(origin.title), "bold")]
        if origin.container:
            lines.append(Content.styled(f"of {printable(origin.container)}", MUTED))
        lines += [Content(printable(remark)) for remark in origin.remarks]
        lines.append(Content.styled(READ_ONLY, MUTED))
        self.update(Content("\n").join(lines))
