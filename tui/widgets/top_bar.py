"""The line on top: the program's name, the views, and the block in few words or what is going on."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.reactive import var
from textual.widgets import Static

from tui.fusion.pair_text import show_pair
from tui.fusion.specs.block_spec import BlockSpec
from tui.widgets.view_tabs import ViewTabs

ROOMY = 100
"""Columns from which on the titles stand apart."""


def summary(spec: BlockSpec) -> str:
    """The block in one line: "2→2 3×3 float32 on 1×2×9×9"; what is as usual is left out.

    What matters most comes first: where room is short, words are left out from the end.
    """
    words = [f"{spec.in_channels}→{spec.out_channels}", show_pair(spec.fused_kernel_size)]
    words += [f"/{show_pair(spec.stride)}"] if spec.stride != (1, 1) else []
    words += [f"dilation {show_pair(spec.dilation)}"] if spec.dilation != (1, 1) else []
    words += [f"{spec.groups} groups"] if spec.groups > 1 else []
    words += [spec.dtype, "on", "×".join(map(str, spec.input_nchw))]
    return " ".join(words).replace("x", "×")


def whole_words(text: str, width: int) -> str:
    """As many words from its beginning as that many columns have room for; at least the first.

    >>> whole_words("2→2 3×3 float32 on 1×2×9×9", 20)
    '2→2 3×3 float32'
    """
    while cell_len(text) > width and " " in text:
        text = text.rpartition(" ")[0].removesuffix(" on").rstrip()
    return text


class Status(Static):
    """Words of which the last are left out where there is no room for them."""

    def render(self) -> Content:
        """As many as there is room for."""
        return Content(whole_words(str(self.content), self.content_size.width))


class TopBar(Horizontal):
    """The titles of the views on the left; on the right `busy` while something runs, else `spec`."""

    spec: var[BlockSpec | None] = var(None)
    """The block on the screen."""
    title: var[str] = var("")
    """What it is called where it comes from; empty for one that was chosen here."""
    busy: var[str] = var("")
    """What is going on; empty for nothing."""

    def __init__(self, titles: Sequence[str], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._titles = titles

    def compose(self) -> ComposeResult:
        """Name, tabs and a text on one line."""
        yield Static("repfuse-tui", id="program", markup=False)
        yield ViewTabs(self._titles)
        yield Status("", id="status", markup=False)

    def on_resize(self, event: events.Resize) -> None:
        """Spread the titles where there is room."""
        tabs = self.query_one(ViewTabs)
        tabs.wide, tabs.room = event.size.width >= ROOMY, self.content_size.width

    def watch_spec(self) -> None:
        """Say which block it is."""
        self._say()

    def watch_title(self) -> None:
        """Say which block it is."""
        self._say()

    def watch_busy(self) -> None:
        """Say what is going on."""
        self._say()

    def _say(self) -> None:
        line = self.query_one("#status", Status)
        named = f"{self.title}  " if self.title else ""
        line.update(self.busy or (named + summary(self.spec) if self.spec else ""), layout=False)
        line.set_class(bool(self.busy), "-busy")
