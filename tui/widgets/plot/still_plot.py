"""StillPlot: a plot to be looked at, whose keys and mouse stay those of what it stands in."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Self

from rich.style import Style
from textual import on
from textual.app import ComposeResult
from textual.containers import Grid
from textual.events import Mount, MouseDown, MouseMove, MouseScrollDown, MouseScrollUp, MouseUp
from textual.geometry import Region
from textual.strip import Strip
from textual_hires_canvas import Canvas
from textual_plot import PlotWidget
from textual_plot.plot_widget import Legend


class _WholeCanvas(Canvas):
    """A Canvas each of whose lines has its whole width, and a style.

    Till the next drawing a canvas that has grown lacks some, and what has no style ends a program whose
    colours are filtered, as they are under NO_COLOR.
    """

    _ground: Style | None = None

    @property
    def rich_style(self) -> Style:
        """Its colours; made once for all lines that are painted together, for each line it takes longest."""
        return super().rich_style if self._ground is None else self._ground

    def render_lines(self, crop: Region) -> list[Strip]:
        """Those of its lines that are in the crop."""
        self._ground = super().rich_style
        try:
            return super().render_lines(crop)
        finally:
            self._ground = None

    def render_line(self, y: int) -> Strip:
        """What is drawn there, and blanks."""
        line = super().render_line(y)
        width, style = self.size.width, self.rich_style
        return line.adjust_cell_length(width, style) if line.cell_length else Strip.blank(width, style)


class StillPlot(PlotWidget, can_focus=False):
    """A PlotWidget that takes no focus, and is neither moved nor zoomed: the wheel scrolls what is around it.

    Its frame and its words are quiet, so that what is plotted stands out.
    """

    DEFAULT_CSS = """
    StillPlot {
        & > .plot--axis { color: $foreground 35%; }
        & > .plot--tick { color: $foreground 70%; text-style: none; }
        & > .plot--label { color: $foreground 70%; text-style: none; }
        & Canvas { background: $background; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, allow_pan_and_zoom=False)

    def compose(self) -> ComposeResult:
        """The same parts as every plot has, by the same names."""
        with Grid():
            for part in ("margin-top", "margin-left", "plot", "margin-bottom"):
                yield _WholeCanvas(1, 1, id=part)
        yield Legend(id="legend")

    def on_mount(self, event: Mount) -> None:  # type: ignore[override]
        """Let the plot set itself up, which clears it, and draw then; and again in each other theme."""
        event.prevent_default()  # it would be called once more, after this
        super().on_mount()
        self.app.theme_changed_signal.subscribe(self, lambda _: self.draw())
        self.draw()

    def refresh(
        self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False
    ) -> Self:
        """Draw on the canvases, too: that is done where the plot itself is asked for its lines.

        Nobody asks, for the canvases lie in front of all of them.
        """
        if self.is_attached:
            self.call_after_refresh(self.render)
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def draw(self) -> None:
        """Plot what there is to be plotted, in the colours of the theme."""

    def _render_plot(self) -> None:
        """Draw all of it, and ask for its parts to be painted once, not at each of their pixels."""
        with ExitStack() as drawn:
            for canvas in self.query(Canvas):
                drawn.enter_context(canvas.batch_refresh())
            super()._render_plot()

    @on(MouseScrollDown)
    @on(MouseScrollUp)
    @on(MouseDown)
    @on(MouseMove)
    @on(MouseUp)
    def _let_pass(self, event: MouseScrollDown | MouseScrollUp | MouseDown | MouseMove | MouseUp) -> None:
        """Keep the plot's own handlers from it, one of which ends the wheel's way up."""
        event.prevent_default()
