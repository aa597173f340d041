"""The kernels of one step side by side: those that went in, and the one that came out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult, RenderResult
from textual.containers import Container, Horizontal
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive, var
from textual.widget import Widget

from tui.fusion.tap import Tap
from tui.views.shared.colour_scale import ColourScale
from tui.views.shared.kernel_panel import KernelPanel
from tui.views.shared.panel_titles import PanelTitle
from tui.views.steps.step_text import kernel_table
from tui.widgets.grid.geometry import GridGeometry, fit
from tui.widgets.grid.heat_grid import HeatGrid
from tui.widgets.grid.zoom import Zoom

if TYPE_CHECKING:
    from tui.analysis.steps.step import Step, StepKernel

MOST_BEFORE = 6
"""Kernels that are shown before the operation; the arithmetic names them all."""
PANEL_FRAME = 2
"""Rows that a panel's border takes."""


class BeforePanels(Container):
    """The kernels that went in. The cursor there follows that of the kernel that came out."""

    @on(HeatGrid.CursorMoved)
    @on(HeatGrid.Hovered)
    def _keep(self, event: Message) -> None:
        event.stop()


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
    """Shows a step's kernels, each with a colour scale of its own, or a table where none went in."""

    DEFAULT_CSS = """
    StepGrids {
        height: 1fr;
        & #before { layout: grid; grid-size: 1; grid-gutter: 0; width: 1fr; height: 1fr; }
        &.-before-2 #before { grid-size: 2; width: 3fr; }
        &.-before-2 #after { width: 2fr; }
        &.-before-3 #before { grid-size: 3; }
        & #table {
            width: 1fr; height: 1fr; border: round $border-blurred; border-title-color: $text-muted;
            padding: 0 1;
        }
        & #after { width: 1fr; height: 1fr; }
        & KernelPanel {
            height: 1fr; border: round $border-blurred;
            border-title-color: $text-muted; border-subtitle-color: $text-muted;
        }
        & #after KernelPanel { border: round $primary; border-title-color: $foreground; }
        &.-before-3 #before KernelPanel { border: none; border-top: solid $border-blurred; }
        & HeatGrid { height: 1fr; width: 1fr; background: $background; }
    }
    """

    zoom: var[Zoom | None] = var[Zoom | None](None, init=False)
    """The zoom level of all grids, None for the one that suits each."""

    def compose(self) -> ComposeResult:
        """What went in, as kernels or as a table, and what came out."""
        with BeforePanels(id="before"):
            yield KernelPanel(PanelTitle("", "", ""))
        yield KernelTable(id="table")
        with Container(id="after"):
            yield KernelPanel(PanelTitle("", "", ""))

    def on_mount(self) -> None:
        """Keep the keys in the kernel that came out."""
        self.before_panels[0].grid.can_focus = False

    @property
    def before_panels(self) -> list[KernelPanel]:
        """The panels left of the operation, those out of use too."""
        return list(self.query_one("#before").query(KernelPanel))

    @property
    def after(self) -> KernelPanel:
        """The panel of the kernel that came out."""
        return self.query_one("#after").query_one(KernelPanel)

    async def show(self, step: Step, tap: Tap) -> None:
        """Show this step with the cursor of the last kernel on the tap."""
        before = step.before[:MOST_BEFORE]
        await self._make_room(len(before))
        self._arrange(step, len(before))
        for panel, kernel in zip(self.before_panels, before, strict=False):
            self._fill(panel, kernel, "", kernel.title)
        left_out = len(step.before) - len(before)
        if before:
            rest = f"and {left_out} more" if left_out else ""
            self.before_panels[len(before) - 1].border_subtitle = Content(rest)
        self._fill(self.after, step.after, "→" if before or step.diagonal else "", step.after.title)
        self.fit()
        self.point_at(step, tap)

    async def _make_room(self, count: int) -> None:
        missing = [KernelPanel(PanelTitle("", "", "")) for _ in range(len(self.before_panels), count)]
        for panel in missing:
            panel.grid.can_focus = False
        if missing:
            await self.query_one("#before").mount_all(missing)
        for place, panel in enumerate(self.before_panels):
            panel.display = place < count

    def _arrange(self, step: Step, count: int) -> None:
        self.query_one("#before").display = count > 0
        self.query_one("#table").display = bool(step.diagonal)
        self.set_class(count in (2, 4), "-before-2")
        self.set_class(count in (3, 5, 6), "-before-3")
        rows = 2 if count > 3 else 1
        height = GridGeometry(step.after.shape, Zoom.NUMBER_8, has_bias=True).size.height
        self.styles.max_height = max(8, rows * (height + PANEL_FRAME))

    def _fill(self, panel: KernelPanel, kernel: StepKernel, sign: str, title: str) -> None:
        panel.entitle(PanelTitle("", sign, title))
        panel.show(kernel.kernel, kernel.frame)
        panel.grid.scale = ColourScale.PER_PANEL.scales([kernel.magnitude])[0]

    def watch_zoom(self) -> None:
        """Set all grids to the level."""
        self.fit()

    def fit(self) -> None:
        """Show each kernel whole in numbers, or else part of it: the arithmetic is that of one number."""
        for panel in self.query(KernelPanel):
            panel.grid.zoom = self.zoom or _legible(panel.grid)

    def point_at(self, step: Step, tap: Tap) -> None:
        """Put the cursor on the tap, and where its number came from."""
        self.after.grid.cursor = tap
        for panel, kernel in zip(self.before_panels, step.before, strict=False):
            panel.grid.cursor = Tap(*kernel.origin(tap)).clamped(kernel.shape)
        table = self.query_one(KernelTable)
        table.step, table.tap = step if step.diagonal else None, tap


def _legible(grid: HeatGrid) -> Zoom | None:
    """A level with numbers at which one kernel fits into the grid; None where there is no need or none."""
    if grid.source is None or grid.fitting_zoom.has_numbers:
        return None
    nearest = fit((1, 1, *grid.source.shape[2:]), *grid.content_size, has_bias=grid.bias is not None)
    return Zoom.NUMBER_4 if nearest.has_numbers else None
