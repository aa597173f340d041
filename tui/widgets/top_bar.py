"""The line on top: the program's name, the block in few words, and what is going on."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.reactive import reactive
from textual.widgets import Static

from tui.fusion.spec import BlockSpec, show_pair


def summary(spec: BlockSpec) -> str:
    """The block in one line: "2→2  3×3  on 1×2×9×9  float32"; what is as usual is left out."""
    words = [f"{spec.in_channels}→{spec.out_channels}", show_pair(spec.fused_kernel_size)]
    words += [f"/{show_pair(spec.stride)}"] if spec.stride != (1, 1) else []
    words += [f"dilation {show_pair(spec.dilation)}"] if spec.dilation != (1, 1) else []
    words += [f"{spec.groups} groups"] if spec.groups > 1 else []
    words += ["on", "×".join(map(str, spec.input_nchw)), spec.dtype]
    return " ".join(words).replace("x", "×")


class TopBar(Horizontal):
    """Shows `spec` on the left; on the right `busy` while something runs, else `legend`."""

    spec: reactive[BlockSpec | None] = reactive(None)
    """The block on the screen."""
    legend: reactive[str] = reactive("")
    """What the colours mean."""
    busy: reactive[str] = reactive("")
    """What is going on; empty for nothing."""

    def compose(self) -> ComposeResult:
        """Three texts on one line."""
        yield Static("repfuse-tui", id="program", markup=False)
        yield Static("", id="block-summary", markup=False)
        yield Static("", id="legend", markup=False)

    def watch_spec(self) -> None:
        """Say which block it is."""
        self.query_one("#block-summary", Static).update(summary(self.spec) if self.spec else "")

    def watch_legend(self) -> None:
        """Say what the colours mean."""
        self._say()

    def watch_busy(self) -> None:
        """Say what is going on."""
        self._say()

    def _say(self) -> None:
        line = self.query_one("#legend", Static)
        line.update(self.busy or self.legend, layout=False)
        line.set_class(bool(self.busy), "-busy")
