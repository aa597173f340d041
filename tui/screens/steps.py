"""The steps by which one branch became its kernel, side by side under one cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.analysis.magnitude import magnitude_of
from tui.fusion.branch_spec import Pair
from tui.fusion.padding import centre
from tui.views.colour_scale import ColourScale
from tui.views.kernel_panel import KernelPanel
from tui.views.summands import Summand
from tui.widgets.heat_grid import HeatGrid
from tui.widgets.number_format import precise
from tui.widgets.tap import Tap

if TYPE_CHECKING:
    from tui.analysis.study import BranchKernel


class StepsScreen(ModalScreen[None]):
    """A panel a step, each with a colour scale of its own; escape closes it."""

    DEFAULT_CSS = """
    StepsScreen {
        align: center middle;
        & > Vertical {
            width: 100%; height: 100%; max-width: 160; max-height: 44; margin: 1 2;
            border: round $primary; background: $background; padding: 0 1;
            border-title-color: $foreground; border-subtitle-color: $text-muted;
        }
        & #steps { layout: grid; grid-size: 2; grid-gutter: 0 1; height: 1fr; overflow-y: auto; }
        & #steps.-many { grid-size: 3; }
        & KernelPanel {
            height: 1fr; min-height: 8;
            border: round $border-blurred; border-title-color: $text-muted;
        }
        & KernelPanel:focus-within { border: round $primary; border-title-color: $foreground; }
        & HeatGrid { height: 1fr; width: 1fr; background: $background; }
        & #step-line { height: auto; max-height: 3; background: $surface; padding: 0 1; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,s,q", "dismiss", "Close", show=False)]

    def __init__(self, branch: BranchKernel) -> None:
        super().__init__()
        self._branch = branch

    def compose(self) -> ComposeResult:
        """The panels, and a line with the weight under the cursor after each step."""
        with Vertical() as dialog:
            dialog.border_title = Content(f"How {self._branch.name} becomes a kernel")
            dialog.border_subtitle = "escape closes"
            with Container(id="steps", classes="-many" if len(self._branch.steps) > 4 else ""):
                for number, step in enumerate(self._branch.steps, start=1):
                    yield KernelPanel(Summand(step.title, f"{number}", step.title))
            yield Static("", id="step-line", markup=False)

    def on_mount(self) -> None:
        """Put the kernels into the panels and the cursor on the centre."""
        for panel, step in zip(self._panels, self._branch.steps, strict=True):
            panel.show(step.kernel, step.kernel.kernel_size)
            panel.grid.scale = ColourScale.PER_PANEL.scales([magnitude_of(step.kernel)])[0]
            panel.grid.dark = self.app.current_theme.dark
            panel.grid.monochrome = self.app.no_color
        self._move(Tap(0, 0, 0, 0), None)
        self._panels[-1].grid.focus()

    @property
    def _panels(self) -> list[KernelPanel]:
        return list(self.query(KernelPanel))

    @on(HeatGrid.CursorMoved)
    def _cursor_moved(self, event: HeatGrid.CursorMoved) -> None:
        event.stop()
        grids = [panel.grid for panel in self._panels]
        moved = next((grid for grid in grids if grid.has_focus), grids[-1])
        self._move(event.tap, moved.source.frame if moved.source else None)

    def _move(self, tap: Tap, kernel_size: Pair | None) -> None:
        """Put the cursor on the tap in every panel; where the kernel has another size, on its centre."""
        parts: list[str | tuple[str, str]] = []
        for number, panel in enumerate(self._panels, start=1):
            source = panel.grid.source
            assert source is not None
            same = source.frame == kernel_size
            there = tap if same else tap._replace(ky=centre(source.frame[0]), kx=centre(source.frame[1]))
            there = there.clamped(source.shape)
            panel.grid.cursor = there
            place = f"{number} [{','.join(map(str, there))}] "
            parts.append(("   " * bool(parts) + place, "$foreground 60%"))
            parts.append((precise(source.at(*there)), "bold"))
        self.query_one("#step-line", Static).update(Content.assemble(*parts))
