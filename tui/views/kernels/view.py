"""The view of the kernels: each branch's and the fused one as grids that read as a sum, with one cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.content import Content
from textual.events import DescendantFocus
from textual.geometry import Size
from textual.reactive import var
from textual.widgets import Static

from tui.analysis.alterations.places import EditablePlace, NotEditableError, bias_place, weight_place
from tui.analysis.edits_told import brought_in
from tui.fusion.specs.block_spec import BlockSpec, Pair
from tui.fusion.specs.padding import centre
from tui.fusion.tap import Tap
from tui.views.kernels.arrangement import Arrangement, Panels
from tui.views.kernels.drawing import drawing_of
from tui.views.kernels.inspector import bias_line, weight_line
from tui.views.kernels.stars import stars_of
from tui.views.shared.colour_scale import ColourScale
from tui.views.shared.kernel_panel import KernelPanel
from tui.views.shared.panel_titles import PanelTitle, panel_titles
from tui.views.shared.study_view import StudyView
from tui.widgets.block_diagram import BlockDiagram
from tui.widgets.foot_key import FootKey
from tui.widgets.grid.geometry import GridGeometry, legible
from tui.widgets.grid.heat_grid import HeatGrid
from tui.widgets.grid.number_format import precise
from tui.widgets.grid.zoom import Zoom
from tui.widgets.help_line import HelpLine

if TYPE_CHECKING:
    from tui.analysis.study import FusedKernels, Study, Summand

MARGIN = 2
"""Columns to the left and to the right of the diagram."""


class KernelsView(StudyView):
    """Shows `kernels`; before the first ones, empty panels for the branches of the spec it was made with.

    They are there as soon as they are fused, before the study that runs them.
    """

    HELP_LINES: ClassVar[tuple[HelpLine, ...]] = (
        HelpLine(
            "enter, B",
            "another number for the weight under the cursor, for the bias of its output channel",
            ("bench.edit", "bench.edit-bias"),
        ),
        HelpLine("delete", "the block's own number again", ("bench.reset",)),
        HelpLine("n", "a kernel by name: Sobel, Gaussian, Laplacian, Dirac", ("bench.named-kernel",)),
        HelpLine(
            "m, tab, shift+tab",
            "one grid on the whole screen; there, the next one",
            ("kernels.next-grid", "kernels.previous-grid"),
        ),
        HelpLine("s", "the steps by which the branch in focus becomes a kernel", ("bench.steps",)),
        HelpLine(
            "b",
            "add up the biases instead of the weights, where there is room for one line only",
            ("bench.bias",),
        ),
    )
    FOOT_KEYS: ClassVar[tuple[FootKey, ...]] = (
        FootKey("set number", ("bench.edit",)),
        FootKey("steps", ("bench.steps",)),
        FootKey("next grid", ("kernels.next-grid",)),
        FootKey("colours", ("bench.scale",)),
        FootKey("one grid", ("bench.one-grid",)),
        FootKey("zoom", ("kernels.zoom-in", "kernels.zoom-out")),
        FootKey("by name", ("bench.named-kernel",)),
        FootKey("set bias", ("bench.edit-bias",)),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("plus,equals_sign", "zoom(-1)", "Zoom in", show=False, id="kernels.zoom-in"),
        Binding("minus", "zoom(1)", "Zoom out", show=False, id="kernels.zoom-out"),
        Binding("tab", "next_grid(1)", "The next grid", show=False, id="kernels.next-grid"),
        Binding("shift+tab", "next_grid(-1)", "The grid before", show=False, id="kernels.previous-grid"),
    ]

    kernels: var[FusedKernels | None] = var(None, init=False)
    """The kernels to show: the study's, or newer ones."""
    zoom: var[Zoom | None] = var[Zoom | None](None)
    """The zoom level of all grids, None for the one that fits."""
    colour_scale: var[ColourScale] = var(ColourScale.SHARED)
    """Which |weight| has full colour."""
    cursor: var[Tap | None] = var[Tap | None](None)
    """The tap under the cursor, in the frame of the fused kernel; None before the first study."""
    hover: var[Tap | None] = var[Tap | None](None)
    """The tap under the mouse."""
    reserve: var[int] = var(0)
    """Rows that are left free for what stands below."""

    def __init__(self, spec: BlockSpec, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._expected = spec
        self._place = 0  # of the panel that had the focus last
        self._frame: Pair | None = None
        self._painted: FusedKernels | None = None
        self._displayed: FusedKernels | None = None
        self._one = False  # whether a person wants to see one grid only
        self.rows = 0  # that it takes

    def compose(self) -> ComposeResult:
        """The panels, the inspector's two lines, and the block as a diagram where there is room."""
        with Container(id="panels"):
            yield from map(KernelPanel, panel_titles(self._expected))
        with Vertical(id="inspector"):
            yield Static("", id="weight-line", markup=False)
            yield Static("", id="bias-line", markup=False)
        diagram = BlockDiagram("", id="diagram", markup=False)
        diagram.display = False
        yield diagram

    @property
    def panels(self) -> list[KernelPanel]:
        """The panels in the order of the sum, the fused one last."""
        return list(self.query(KernelPanel))

    def watch_kernels(self) -> None:
        """Show the new kernels, or let go of the old ones."""
        if not self.in_sight:
            self.forget()
        elif self.kernels is not None and self.is_mounted:
            self._paint(self.kernels)

    def show_study(self, study: Study) -> None:
        """Show the kernels, if they are not shown yet."""
        self._paint(self.kernels or study)

    def _paint(self, kernels: FusedKernels) -> None:
        """As many panels as there were before stay in place."""
        if self._painted is None or kernels.summands is not self._painted.summands:
            self._painted = kernels
            self.call_next(self._show_kernels, kernels)

    def forget(self) -> None:
        """Let the study go; its kernels stay in the grids till others come."""
        self._painted = self._displayed = None

    async def _show_kernels(self, kernels: FusedKernels) -> None:
        summands = panel_titles(kernels.spec, adds_up=kernels.adds_up)
        if len(summands) != len(self.panels):
            await self._replace_panels(summands)
        self._place_cursor(kernels)
        shown = (*kernels.summands, kernels.fused_kernel)
        for panel, summand, branch, starred in zip(
            self.panels, summands, shown, stars_of(kernels), strict=True
        ):
            edits, brought = kernels.in_effect.count_of(summand.name), brought_in(kernels, summand.name)
            panel.entitle(summand, edits - brought, brought)
            panel.show(branch.kernel, kernels.frame, starred)
        self._displayed = kernels  # the panels are its own only now: there may be another number of them
        self._arrange()
        self._colour()
        self._inspect()

    async def _replace_panels(self, summands: list[PanelTitle]) -> None:
        had_focus = self.has_focus_within
        container = self.query_one("#panels")
        self._displayed = None
        with self.app.batch_update():
            await container.remove_children()
            await container.mount_all(map(KernelPanel, summands))
        self._place = 0
        if had_focus:
            self.focus_content()
        for panel in self.panels:
            panel.grid.zoom = self.zoom

    @on(HeatGrid.Resized)
    def _grid_resized(self, event: HeatGrid.Resized) -> None:
        event.stop()
        self.call_after_refresh(self._agree_on_zoom)

    @on(HeatGrid.Scrolled)
    def _scroll_along(self, event: HeatGrid.Scrolled) -> None:
        """Keep all grids at the same place, so that the same weights stand in sight."""
        event.stop()
        if not event.grid.mouse_hover:  # moved by the cursor, which moves them all, or by this very method
            return
        for panel in self.panels:
            if panel.grid is not event.grid:
                panel.grid.scroll_to(*event.grid.scroll_offset, animate=False)

    def _place_cursor(self, kernels: FusedKernels) -> None:
        """Keep the cursor where it is; in a frame of another size, put it on the centre tap."""
        out_channels, in_channels = kernels.fused_kernel.kernel.weight.shape[:2]
        tap = self.cursor or Tap(0, 0, 0, 0)
        if kernels.frame != self._frame:
            tap = tap._replace(ky=centre(kernels.frame[0]), kx=centre(kernels.frame[1]))
        self._frame = kernels.frame
        self.cursor = tap.clamped((out_channels, in_channels, *kernels.frame))

    @property
    def _inspector_rows(self) -> int:
        lines = [line for line in self.query("#inspector Static").results(Static) if line.display]
        return sum(str(line.content).count("\n") + 1 for line in lines)

    @property
    def _spec(self) -> BlockSpec:
        return self.kernels.spec if self.kernels else self._expected

    def _best(self, room: Size) -> Arrangement | None:
        """How the panels are arranged in a room; None where there is none for more than one."""
        spec = self._spec
        shape = (spec.out_channels, spec.in_channels // spec.fused_groups, *spec.fused_kernel_size)
        count = 1 if self._one else len(panel_titles(spec))
        small = self.screen.has_class("-narrow") or self.screen.has_class("-low")
        panels = Panels(count, shape, signs=self.panels[-1].grid.signs)
        return panels.arranged(room, frames=not small)

    def leaves(self, rows: int) -> bool:
        """Whether all numbers can be read in the room, less so many rows."""
        if not self.room or self._one:
            return False
        best = self._best(self.room - Size(0, self._inspector_rows + rows))
        return best is not None and best.reads

    def _arrange(self) -> None:
        """As many columns as read best, and no more rows of the screen than the grids have."""
        if not (self.room and self.is_mounted):
            return
        height = self.room.height - self._inspector_rows - self.reserve
        best = self._best(Size(self.room.width, height))
        single = self._one or best is None
        self._show_one(single)
        columns = 1 if best is None or single else best.columns
        self.query_one("#panels").styles.grid_size_columns = columns
        self.set_class(best is None or not best.framed, "-open")
        for place, panel in enumerate(self.panels):
            panel.set_class(place % columns == 0, "-first")
            panel.titled(framed=best is not None and best.framed, alone=single and not self._one)
        rows = height if best is None else min(height, self._rows_of(best))
        rows += self._inspector_rows
        rows += self._show_diagram(self.room.width, self.room.height - self.reserve - rows)
        self.styles.height = rows
        if rows != self.rows:
            self.rows = rows
            self.post_message(self.Arranged(self))

    def _rows_of(self, best: Arrangement) -> int:
        """The rows of all panels, at the level that fits or at a nearer one that a person chose."""
        if self.zoom is None or list(Zoom).index(self.zoom) >= list(Zoom).index(best.zoom):
            return best.height
        spec = self._spec
        shape = (spec.out_channels, spec.in_channels // spec.fused_groups, *spec.fused_kernel_size)
        nearer, fitting = (GridGeometry(shape, zoom, has_bias=True) for zoom in (self.zoom, best.zoom))
        panels = -(-len(self.panels) // best.columns)
        return best.height + panels * (nearer.size.height - fitting.size.height)

    def _show_one(self, single: bool) -> None:
        """Show the grid in focus alone, or all."""
        self.set_class(single, "-single")
        shown = self.panel_in_focus
        for panel in self.panels:
            panel.display = not single or panel is shown

    def _show_diagram(self, width: int, room: int) -> int:
        """Draw the block, if there are rows for it; returns the rows that it takes."""
        diagram, shown = self.query_one(BlockDiagram), self._displayed
        drawing = drawing_of(self._spec, shown.shares if shown and shown.spec == self._spec else ())
        rows = drawing.height + 1
        fits = not self._one and rows <= room
        diagram.display = fits and diagram.show(drawing, width - 2 * MARGIN)
        return rows if diagram.display else 0

    def _agree_on_zoom(self) -> None:
        """Show all grids at one level: the farthest that fits one of them (rows may differ in height)."""
        if self.zoom is None:
            grids = [panel.grid for panel in self.panels if panel.display]
            levels = {grid.fitting_zoom for grid in grids}
            common = max(levels, key=list(Zoom).index) if len(levels) > 1 else None
            alone = grids[0].source if grids and self.has_class("-single") and not self._one else None
            if alone is not None:  # between two blocks no panel may be in sight
                common = legible(alone.shape, grids[0].content_size.width - 1)
            for grid in grids:
                grid.zoom = common
        self._tell_legend()

    def _colour(self) -> None:
        shown = self._displayed
        if shown is None:
            return
        magnitudes = [branch.magnitude for branch in (*shown.summands, shown.fused_kernel)]
        for panel, scale in zip(self.panels, self.colour_scale.scales(magnitudes), strict=True):
            panel.grid.scale = scale
        self.call_after_refresh(self._agree_on_zoom)

    def _tell_legend(self) -> None:
        if self._displayed is None:
            return
        grid = self.panels[-1].grid
        scale = precise(grid.scale).lstrip("+")
        self.panels[-1].say_unit("a cell: rms of a kernel" if grid.zoom_in_effect is Zoom.NORM else "")
        of = "fused" if self.colour_scale is ColourScale.PER_PANEL else "colours"
        zoom = "" if self.zoom is None else f" · zoom: {self.zoom.label}"
        self.legend = f"{of} ±{scale} ({self.colour_scale.value}){zoom}"

    def watch_room(self) -> None:
        """Share another room out."""
        self._arrange()
        self.call_after_refresh(self._inspect)

    def watch_reserve(self) -> None:
        """Leave more or less room below."""
        self._arrange()

    def watch_zoom(self) -> None:
        """Set all grids to the level."""
        self._arrange()
        for panel in self.panels:
            panel.grid.zoom = self.zoom
        self.call_after_refresh(self._agree_on_zoom)

    def watch_colour_scale(self) -> None:
        """Colour all grids anew."""
        self._colour()

    def watch_cursor(self) -> None:
        """Move the cursor in all grids."""
        for panel in self.panels:
            if self.cursor is not None:
                panel.grid.cursor = self.cursor
        self._inspect()

    def watch_hover(self) -> None:
        """Light the tap up in all grids."""
        for panel in self.panels:
            panel.grid.hover = self.hover
        self._inspect()

    def on_resize(self) -> None:
        """What fits may be another now: zoom, words of the inspector."""
        self.call_after_refresh(self._agree_on_zoom)
        self.call_after_refresh(self._inspect)

    @on(HeatGrid.CursorMoved)
    def _move_cursor(self, event: HeatGrid.CursorMoved) -> None:
        event.stop()
        self.cursor = event.tap

    @on(HeatGrid.Hovered)
    def _hover(self, event: HeatGrid.Hovered) -> None:
        event.stop()
        self.hover = event.tap

    def _inspect(self) -> None:
        """Add up the weights, and the biases, under the mouse or else under the cursor."""
        tap = self.hover or self.cursor
        shown = self._displayed
        if shown is None or tap is None or not self.room:
            return
        tap = tap.clamped(self.panels[-1].grid.source.shape) if self.panels[-1].grid.source else tap
        # Of the room, which is known before the first layout, and before each on coming back into sight.
        width = self.room.width - self.query_one("#inspector").gutter.width
        before = self._inspector_rows
        self._say("#weight-line", weight_line(shown, tap, width))
        self._say("#bias-line", bias_line(shown, tap.out, width))
        if self._inspector_rows != before:
            self._arrange()

    def _say(self, name: str, content: Content) -> None:
        """Change a line of the inspector; lay the screen out anew only if it takes more or fewer rows now."""
        line = self.query_one(name, Static)
        rows = content.plain.count("\n") + 1
        line.update(content, layout=line.display and rows != line.content_size.height)

    def focus_content(self) -> None:
        """Put the focus on the grid that had it last, at first the first branch's."""
        self.panel_in_focus.grid.focus()

    @on(DescendantFocus)
    def _remember(self) -> None:
        focused = (place for place, panel in enumerate(self.panels) if panel.grid.has_focus)
        self._place = next(focused, self._place)

    @property
    def panel_in_focus(self) -> KernelPanel:
        """The panel whose grid has the focus, else the one that had it last, at first the first branch's."""
        panels, focused = self.panels, self.screen.focused
        place = min(self._place, len(panels) - 1)
        return next((panel for panel in panels if panel.grid is focused), panels[place])

    def weight_under_cursor(self) -> EditablePlace:
        """The weight behind the cell under the cursor, in the grid in focus."""
        spec, cursor = self._shown()
        return weight_place(spec, self.panel_in_focus.summand.name, cursor)

    def bias_under_cursor(self) -> EditablePlace:
        """The bias of the output channel under the cursor, in the grid in focus."""
        spec, cursor = self._shown()
        return bias_place(spec, self.panel_in_focus.summand.name, cursor.out)

    def _shown(self) -> tuple[BlockSpec, Tap]:
        if self.kernels is None or self.cursor is None:
            raise NotEditableError("There is no result yet.")
        return self.kernels.spec, self.cursor

    @property
    def branch_in_focus(self) -> Summand | None:
        """The branch whose grid has the focus, None for the fused kernel."""
        summands = self.kernels.summands if self.kernels else ()
        pairs = zip(self.panels, summands, strict=False)
        return next((branch for panel, branch in pairs if panel.grid.has_focus), None)

    def action_one_grid(self) -> None:
        """Show the grid in focus alone, or all of them again."""
        self._one = not self._one
        self._arrange()
        self.post_message(self.Arranged(self))
        self.call_after_refresh(self._agree_on_zoom)

    @property
    def is_one_grid(self) -> bool:
        """Whether a person chose to see one grid only."""
        return self._one

    def action_next_grid(self, step: int) -> None:
        """From grid to grid; where there is one only, show the next instead."""
        panels, here = self.panels, self.panels.index(self.panel_in_focus)
        if not self.has_class("-single"):
            (self.screen.focus_next if step > 0 else self.screen.focus_previous)()
            return
        chosen = panels[(here + step) % len(panels)]
        chosen.display = True
        self.screen.set_focus(chosen.grid)
        self._arrange()
        self.call_after_refresh(self._agree_on_zoom)

    def action_zoom(self, steps: int) -> None:
        """Zoom out (1) or in (-1), from the level in effect."""
        now = self.zoom or self.panels[-1].grid.zoom_in_effect
        self.zoom = now.farther() if steps > 0 else now.nearer()

    def action_zoom_fit(self) -> None:
        """Show the whole weight again."""
        self.zoom = None

    def action_next_colour_scale(self) -> None:
        """Choose the next way to scale the colours."""
        self.colour_scale = self.colour_scale.next
