"""A checkbox on one line whose state is a glyph, not a colour: ■ on, □ off."""

from __future__ import annotations

from textual.content import Content
from textual.geometry import Size
from textual.reactive import Reactive
from textual.widgets import Checkbox


class SquareToggle(Checkbox):
    """A Checkbox that reads the same without colours."""

    DEFAULT_CSS = """
    SquareToggle {
        border: none;
        padding: 0;
        height: 1;
        width: auto;
        background: transparent;
        &:focus { border: none; background-tint: transparent; }
        & > .toggle--button { color: $foreground 60%; background: transparent; }
        &.-on > .toggle--button { color: $primary; background: transparent; }
        &:focus > .toggle--label { background: $primary 25%; color: $foreground; text-style: bold; }
    }
    """

    # True from the start, and with its class: what changes later styles the box once more.
    compact: Reactive[bool] = Reactive(True, toggle_class="-textual-compact")

    def __init__(self, label: str, value: bool, *, id: str, classes: str, tooltip: str | None = None) -> None:
        classes += " -textual-compact -on" if value else " -textual-compact"
        super().__init__(Content(label), value, id=id, classes=classes, tooltip=tooltip, compact=True)

    def render(self) -> Content:
        """The glyph, then the label."""
        glyph = ("■" if self.value else "□", self.get_visual_style("toggle--button"))
        label = (
            (self.label if self.label else Content(" "))
            .pad(1, 1)
            .stylize_before(self.get_visual_style("toggle--label"))
        )
        return Content.assemble(glyph, label)

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """One glyph, the label, and a space on each side of it."""
        return 3 + max(1, self.label.cell_length)
