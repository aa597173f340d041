"""PlotPane: the plot of a sweep over one axis, and the keys that walk along it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.message import Message

from tui.widgets.plot.without_plots import WithoutPlots

if TYPE_CHECKING:
    from tui.widgets.plot.curve_plot import CurvePlot
    from tui.widgets.plot.curves import Curves


class PlotPane(Container, can_focus=True):
    """Shows curves and a cursor; posts Moved and Chosen. The plot is made when there is something to plot."""

    DEFAULT_CSS = """
    PlotPane { height: 1fr; width: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "step(-1)", "To the left", show=False, id="sweep-plot.left"),
        Binding("right,l", "step(1)", "To the right", show=False, id="sweep-plot.right"),
        Binding("home", "go(0)", "To the first point", show=False, id="sweep-plot.first"),
        Binding("end", "go(-1)", "To the last point", show=False, id="sweep-plot.last"),
        Binding("enter", "choose", "Choose", show=False, id="sweep-plot.choose"),
    ]

    @dataclass
    class Moved(Message):
        """The user wants the cursor at this place of the axis."""

        place: int

    class Chosen(Message):
        """The user wants what is under the cursor."""

    _plot: CurvePlot | None = None
    _count = 0
    _cursor: int | None = None

    def show(self, curves: Curves, cursor: int | None) -> None:
        """Plot these curves, with the cursor on that place; None where that is not among them."""
        self._count, self._cursor = len(curves.places), cursor
        if self._plot is None:
            try:  # it imports numpy, which takes a tenth of a second
                from tui.widgets.plot.curve_plot import CurvePlot
            except ImportError:
                if not self.query(WithoutPlots):
                    self.mount(WithoutPlots())
                return
            self._plot = CurvePlot(curves, cursor, id="sweep-plot")
            self.mount(self._plot)
            return
        self._plot.show(curves, cursor)

    def watch_has_focus(self, _has_focus: bool) -> None:
        """Keep all styles: none in it depends on the focus, and looking for them would draw the plot anew."""

    def action_step(self, step: int) -> None:
        """Ask for the next point in that direction."""
        self._ask(0 if self._cursor is None else self._cursor + step)

    def action_go(self, place: int) -> None:
        """Ask for the first point, or for the last one (-1)."""
        self._ask(place if place >= 0 else self._count - 1)

    def action_choose(self) -> None:
        """Choose the point under the cursor."""
        self.post_message(self.Chosen())

    def _ask(self, place: int) -> None:
        place = max(0, min(place, self._count - 1))
        if self._count and place != self._cursor:
            self.post_message(self.Moved(place))

    def on_click(self, event: events.Click) -> None:
        """Go to the nearest point; a second click chooses it."""
        event.stop()
        if self._plot is None:
            return
        place = self._plot.place_at(int(event.screen_x) - self._plot.region.x)
        if place is None:
            return
        if event.chain > 1 and place == self._cursor:
            self.action_choose()
        self._ask(place)
