"""One step on the screen: why it is right, its kernels, its arithmetic, its PyTorch, its check."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.geometry import Size
from textual.widgets import Static

from tui.fusion.tap import Tap
from tui.views.steps.step_grids import StepGrids
from tui.views.steps.step_text import check_line, operation_lines, place_line
from tui.widgets.key_line import KeyLine

if TYPE_CHECKING:
    from tui.analysis.steps.step import Step


class StepPane(Vertical):
    """Shows a step. The kernels get the room that the words leave."""

    SCOPED_CSS: ClassVar[bool] = False  # the screen's size is told by its own classes
    DEFAULT_CSS = """
    StepPane {
        width: 1fr; height: 1fr; padding: 0 0 0 1;
        & #step-line { height: 1; margin: 1 0; padding: 0 1; }
        & #step-place { width: 1fr; }
        & #step-keys { width: auto; color: $text-muted; }
        & #step-words { height: auto; min-height: 3; max-height: 6; padding: 0 1; margin: 0 0 1 0; }
        & #step-operation { height: auto; min-height: 2; max-height: 8; padding: 0 1; margin: 1 0 0 0; }
        & #step-code { height: auto; max-height: 6; padding: 0 1; color: $text-secondary; }
        & #step-check { height: auto; max-height: 3; padding: 0 1; background: $surface; }
    }
    .-narrow StepPane { padding: 0; }
    .-low StepPane {
        & #step-line, & #step-words, & #step-operation { margin: 0; }
        & #step-words { min-height: 2; max-height: 3; }
        & #step-operation { min-height: 2; max-height: 5; }
    }
    .-narrow StepPane, .-low StepPane {
        & #table { border: none; border-top: solid $border-blurred; padding: 0 0 0 1; }
    }
    """

    def compose(self) -> ComposeResult:
        """Where the step stands, why it is right, its kernels, its arithmetic, its code, its check."""
        with Horizontal(id="step-line"):
            yield Static("", id="step-place", markup=False)
            yield KeyLine({"n": "next", "N": "back"}, gap=3, id="step-keys")
        yield Static("", id="step-words", markup=False)
        yield StepGrids()
        yield Static("", id="step-operation", markup=False)
        yield Static("", id="step-code", markup=False)
        yield Static("", id="step-check", markup=False)

    @property
    def grids(self) -> StepGrids:
        """The kernels."""
        return self.query_one(StepGrids)

    def say(self, words: Content) -> None:
        """Put words in the place of the step's name."""
        self._write("place", words)

    def show(self, step: Step, number: int, count: int, tap: Tap) -> float:
        """Show this step, the cursor on a tap of its last kernel; return the scale of the colours."""
        self._write("place", place_line(step, number, count))
        self._write("words", Content(step.words))
        self._write("operation", operation_lines(step, tap))
        self._write("code", Content(step.code.text))
        self._write("check", check_line(step.check))
        scale = self.grids.show(step, tap)
        self.share_out()
        return scale

    def point_at(self, step: Step, tap: Tap) -> None:
        """Put the cursor on a tap, and tell its arithmetic."""
        self.grids.point_at(tap)
        if self._write("operation", operation_lines(step, tap)):
            self.share_out()

    def _write(self, name: str, content: Content) -> bool:
        """Change a text; lay the screen out anew, and tell, only if it takes more or fewer rows now."""
        text = self.query_one(f"#step-{name}", Static)
        width, height = text.content_size
        rows = content.get_height({}, width) if width else 0
        least = text.styles.min_height
        changes = max(rows, int(least.value) if least else 1) != height
        text.update(content, layout=changes)
        return changes

    def share_out(self) -> None:
        """Give the kernels the room that the words leave, and no more than they can use."""
        room = self.content_size
        if not room:
            return
        taken = 1 + self.query_one("#step-line").styles.margin.height
        for text in self.query("#step-words, #step-operation, #step-code, #step-check").results(Static):
            taken += self._rows_of(text, room.width)
        low = self.screen.has_class("-low")  # there no margin parts the words from the kernels
        self.grids.claim(Size(room.width, room.height - taken), air=1 if low else 0)

    def _rows_of(self, text: Static, width: int) -> int:
        """The rows that a text will take, with its margin."""
        styles = text.styles
        content = text.content if isinstance(text.content, Content) else Content(str(text.content))
        rows = content.get_height({}, width - styles.gutter.width - styles.margin.width)
        least, most = styles.min_height, styles.max_height
        rows = max(rows, int(least.value) if least else 0)
        return min(rows, int(most.value) if most else rows) + styles.margin.height
