"""The kernels of one step as an equation: those that went in, and the one that came out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult, RenderResult
from textual.containers import Horizontal
from textual.content import Content
from textual.geometry import Size
from textual.reactive import reactive, var
from textual.widget import Widget

from tui.fusion.tap import Tap
from tui.views.shared.colour_scale import ColourScale
from tui.views.steps.step_text import kernel_table
from tui.widgets.equation.equation import Equation
from tui.widgets.equation.term import Named, Term
from tui.widgets.grid.weight_source import WeightSource

if TYPE_CHECKING:
    from tui.analysis.steps.step import Step, StepKernel

TABLE_GAP = 2
"""Columns between the table and the kernels."""


class KernelTable(Widget):
    """Which kernels of `step` are not zero: as much of out × in as fits, around `tap`."""

    step: var[Step | None] = var["Step | None"](None)
    """The step, None for an empty table."""
    tap: reactive[Tap] = reactive(Tap(0, 0, 0, 0))
    """The weight under the cursor."""

    def on_mount(self) -> None:
        """Say what it is."""
        self.border_title = Content("its kernels, out × in")

    def watch_step(self) -> None:
        """Write it anew."""
        self.refresh()

    def render(self) -> RenderResult:
        """The table."""
        return kernel_table(self.step, self.tap, *self.content_size) if self.step else ""


class StepGrids(Horizontal):
    """Shows a step's kernels as an equation, beside a table where none went in."""

    DEFAULT_CSS = """
    StepGrids {
        height: 1fr;
        & #table {
            width: 1fr; height: 1fr; border: round $border-blurred; border-title-color: $text-muted;
            padding: 0 1; margin: 0 2 0 0;
        }
        & Equation { width: 1fr; height: 1fr; padding: 0 0 0 1; }
    }
    """

    colour_scale = ColourScale.SHARED
    """How the colours are scaled; the terms of a sum are on one scale always."""

    def compose(self) -> ComposeResult:
        """What the kernels are, and the kernels."""
        yield KernelTable(id="table")
        yield Equation()

    @property
    def equation(self) -> Equation:
        """The kernels."""
        return self.query_one(Equation)

    @property
    def table(self) -> KernelTable:
        """Which of them are not zero."""
        return self.query_one(KernelTable)

    def show(self, step: Step, tap: Tap) -> float:
        """Show this step with the cursor on a tap of its last kernel; return the scale of the colours."""
        from tui.analysis.steps.step import Shows

        of_maps = step.shows is Shows.MAPS
        shared = [*step.before] if of_maps else [*step.before, step.after]
        scale = self.colour_scale.scales([kernel.magnitude for kernel in shared])[0]
        own = self.colour_scale.scales([step.after.magnitude])[0] if of_maps else None
        named = {Shows.KERNELS: Named.KERNELS, Shows.BIASES: Named.CHANNELS, Shows.MAPS: Named.MAPS}[
            step.shows
        ]
        terms = *(_term(kernel) for kernel in step.before), _term(step.after, own)
        self.table.display = bool(step.diagonal)
        self.table.step = step if step.diagonal else None
        self.equation.show(terms, named, scale, tap, wraps=not of_maps)
        self.point_at(tap)
        return scale

    def forget(self) -> None:
        """Let go of the step."""
        self.table.step = None
        self.equation.forget()

    def claim(self, room: Size, air: int) -> None:
        """Take of a room of that size what the equation can fill, and no more; with `air` rows below it."""
        columns = (room.width - TABLE_GAP) // 2 if self.table.display else room.width
        rows = self.equation.claim(Size(max(1, columns - 1), max(1, room.height)), air)
        self.styles.max_height = max(rows, self._rows_of_table())

    def _rows_of_table(self) -> int:
        """Its border, its header and its rows."""
        return 3 + self.table.step.after.shape[0] if self.table.step else 0

    def point_at(self, tap: Tap) -> None:
        """Put the cursor on the tap, and mark where its number came from."""
        self.equation.cursor = tap
        self.table.tap = tap


def _term(kernel: StepKernel, scale: float | None = None) -> Term:
    source = WeightSource(kernel.kernel.weight, kernel.frame)
    return Term(source, kernel.title, kernel.sign, lambda tap: Tap(*kernel.origin(tap)), scale)
