"""SweepResults: the points of a sweep as a plot, a heat map or a table, with one cursor on all of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.reactive import var
from textual.widgets import ContentSwitcher, Static

from tui.analysis.sweep.plan import Plan
from tui.analysis.sweep.point import Point
from tui.analysis.sweep.quantities import Quantity, briefly
from tui.views.shared.styles import MUTED
from tui.views.sweep.arranged import curves_of, heat_of, is_log_along, places_of
from tui.views.sweep.form import STOP
from tui.views.sweep.plot_pane import PlotPane
from tui.views.sweep.point_words import NOT_TIMED, TABLE_HEAD, TO_COME, row_of, words_on
from tui.widgets.foot_key import FootKey
from tui.widgets.heat_map import HeatMap
from tui.widgets.help_line import HelpLine
from tui.widgets.rows.row import cut
from tui.widgets.rows.row_list import GAP, MOST_OF_NAME, RowList

WIDE, SIDE = 160, 84
"""Columns from which on the table stands beside what is drawn, and its own."""
HEADING = 12
"""Columns that the values have at least; of a longer heading the rest is left out."""
SIGN = 2
"""Columns of a row's sign."""

NOTHING_YET = """\
A sweep runs the block over a range of values of one parameter, or of two,
and times it at each: as it is, with its batch norms folded, and fused.

Say above what varies, and press enter. What the block does not allow is
skipped and named; S stops it, and what is there by then stays."""


class SweepResults(Vertical):
    """Shows `points` of `plan`, and `quantity` of them; posts Moved and Chosen with a place in the plan."""

    DEFAULT_CSS = """
    SweepResults {
        height: 1fr;
        & #sweep-title { height: 1; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
        & #sweep-axis { height: 1; padding: 0 1; text-align: center; color: $foreground 70%; }
        & ContentSwitcher { height: 1fr; width: 1fr; }
        & #sweep-both { height: 1fr; }
        & #sweep-side { display: none; width: 84; margin: 0 0 0 2; }
        & #sweep-side Static { height: 1; }
        &.-beside #sweep-side { display: block; }
        & #sweep-empty { padding: 1 2; color: $text-muted; }
        & #sweep-heat { padding: 0 1; height: 1fr; }
        & #sweep-table { height: 1fr; }
        & #sweep-point { height: 3; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
        & #sweep-point.-why { text-wrap: wrap; }
        &.-remarked #sweep-point { height: 4; }
    }
    """
    HELP_LINES: ClassVar[tuple[HelpLine, ...]] = (
        HelpLine(
            "arrows",
            "walk from point to point; its numbers stand below, home and end are the first and the last",
            (
                *(f"sweep-plot.{name}" for name in ("left", "right", "first", "last")),
                *(f"heat-map.{name}" for name in ("left", "right", "up", "down", "first", "last")),
            ),
        ),
        HelpLine("~", "in the table: noisy, the quartiles of a side more than a fifth of its median apart"),
        HelpLine("enter", "the block of the point on the bench", ("sweep-plot.choose", "heat-map.choose")),
    )

    plan: var[Plan | None] = var[Plan | None](None)
    """What is swept; None shows what a sweep is."""
    points: var[tuple[Point, ...]] = var[tuple[Point, ...]](())
    """Those that are there."""
    is_running: var[bool] = var(True)
    """Whether the others are to come."""
    quantity: var[Quantity] = var(Quantity.SPEED_UP)
    """What plot and map show."""
    as_table: var[bool] = var(False)
    """Whether the table is in sight, and not what is drawn of it."""
    cursor: var[int] = var(0)
    """The place in the plan that is looked at."""

    @dataclass
    class Moved(Message):
        """The cursor is on another point."""

        place: int

    @dataclass
    class Chosen(Message):
        """The user wants the block of this point."""

        place: int

    def compose(self) -> ComposeResult:
        """What is shown, the drawing or the table, what the axis is, the point under the cursor."""
        yield Static("", id="sweep-title", markup=False)
        with Horizontal(id="sweep-both"):
            with ContentSwitcher(initial="sweep-empty", id="sweep-switch"):
                yield Static(NOTHING_YET, id="sweep-empty", markup=False)
                yield PlotPane(id="sweep-pane")
                yield HeatMap(id="sweep-heat")
                yield RowList(id="sweep-table")
            with Vertical(id="sweep-side"):
                yield Static("", id="sweep-side-title", markup=False)
                yield RowList(id="sweep-rows")
        yield Static("", id="sweep-axis", markup=False)
        yield Static("", id="sweep-point", markup=False)

    def on_mount(self) -> None:
        """Show what was set before."""
        self._show()

    def on_resize(self) -> None:
        """Let the heading stand over the columns, and the table beside the plot where it fits."""
        self._show()

    @property
    def shown(self) -> str:
        """The id of what is in sight."""
        if self.plan is None:
            return "sweep-empty"
        if self.as_table:
            return "sweep-table"
        return "sweep-pane" if len(self.plan.ranges) == 1 else "sweep-heat"

    def foot_keys(self) -> tuple[FootKey, ...]:
        """The keys of what is in sight."""
        walk, choose = {
            "sweep-pane": (("sweep-plot.left", "sweep-plot.right"), "sweep-plot.choose"),
            "sweep-heat": (
                tuple(f"heat-map.{name}" for name in ("left", "down", "up", "right")),
                "heat-map.choose",
            ),
            "sweep-table": (("rows.up", "rows.down"), "rows.choose"),
            "sweep-empty": ((), ""),
        }[self.shown]
        other = "the plot" if self.as_table and self.plan and len(self.plan.ranges) == 1 else "the map"
        return (
            STOP,
            FootKey("point", walk),
            FootKey("open it", (choose,)),
            FootKey(other if self.as_table else "the table", ("sweep.table",)),
            FootKey("what is shown", ("sweep.quantity",)),
            FootKey("fields", ("sweep.form",)),
            FootKey("run", ("sweep.run",)),
        )

    def focus_content(self) -> None:
        """Put the focus on what is in sight."""
        if self.plan is not None:
            self.query_one(f"#{self.shown}").focus()

    def watch_plan(self, before: Plan | None, plan: Plan | None) -> None:
        """Begin at the first point of another sweep."""
        if before is not plan:
            order = places_of(plan) if plan is not None and len(plan.ranges) == 1 else ()
            self.set_reactive(SweepResults.cursor, order[0] if order else 0)
            self._show()

    def watch_points(self, points: tuple[Point, ...]) -> None:
        """Show one more; keep room for remarks where there are any, whichever point is looked at."""
        remarked = any(point.numbers is not None and point.numbers.speed.remarks for point in points)
        self.set_class(remarked, "-remarked")
        self._show()

    def watch_is_running(self) -> None:
        """Say what becomes of the points that are not there."""
        self._show()

    def watch_quantity(self) -> None:
        """Show that."""
        self._show()

    def watch_as_table(self) -> None:
        """Show the one or the other, and keep the focus in it."""
        had_focus = self.has_focus_within
        self._show()
        if had_focus:
            self.focus_content()
        self.refresh_bindings()

    def watch_cursor(self) -> None:
        """Look at that point."""
        self._show()
        self.post_message(self.Moved(self.cursor))

    def _show(self) -> None:
        if not self.is_mounted:
            return
        self.query_one(ContentSwitcher).current = self.shown
        plan = self.plan
        self.query_one("#sweep-axis").display = plan is not None and not self.as_table
        self.query_one("#sweep-point").display = plan is not None
        if plan is None:
            self._say("#sweep-title", Content())
            return
        {"sweep-table": self._show_table, "sweep-pane": self._show_plot, "sweep-heat": self._show_heat}[
            self.shown
        ](plan)
        self._say("#sweep-point", words_on(plan, self.cursor, self.points, self._missing))
        timed = self.cursor < len(self.points) and self.points[self.cursor].numbers is not None
        self.query_one("#sweep-point").set_class(not timed, "-why")  # in as many rows as numbers take
        beside = self.size.width >= WIDE and not self.as_table
        self.set_class(beside, "-beside")
        if beside:
            heading = self._fill(self.query_one("#sweep-rows", RowList), plan, SIDE)
            self._say("#sweep-side-title", heading)

    @property
    def _missing(self) -> str:
        return TO_COME if self.is_running else NOT_TIMED

    def _show_plot(self, plan: Plan) -> None:
        order = places_of(plan)
        cursor = order.index(self.cursor) if self.cursor in order else None
        self.query_one(PlotPane).show(curves_of(plan, self.points, self.quantity), cursor)
        along = plan.ranges[0].axis.label
        self._say("#sweep-axis", Content(f"{along}, logarithmic" if is_log_along(plan) else along))
        neutral = self.quantity.neutral
        at = "" if neutral is None else f"; the line is at {briefly(self.quantity, neutral)}"
        self._say_title(f"{self.quantity.explained}{at}")

    def _show_heat(self, plan: Plan) -> None:
        down, across = plan.ranges
        heat = self.query_one(HeatMap)
        heat.table = heat_of(plan, self.points, self.quantity)
        heat.cursor = divmod(self.cursor, len(across.values))
        self._say("#sweep-axis", Content(f"down: {down.axis.label} · across: {across.axis.label}"))
        self._say_title(self.quantity.explained_in_a_map)

    def _say_title(self, explained: str) -> None:
        title = Content.assemble((self.quantity, "bold"), (f"   {explained}", MUTED))
        self._say("#sweep-title", title)

    def _show_table(self, plan: Plan) -> None:
        heading = self._fill(self.query_one("#sweep-table", RowList), plan, self.size.width)
        self._say("#sweep-title", heading)

    def _fill(self, rows: RowList, plan: Plan, width: int) -> Content:
        """Fill a table of that width; returns its heading."""
        names = [" · ".join(value.text for value in cell.values) for cell in plan.cells]
        heading = " · ".join(each.axis.label for each in plan.ranges)
        longest = max(HEADING, *map(cell_len, names)) + SIGN
        row_at = partial(row_of, plan, points=self.points, missing=self._missing)
        rows.show(row_at, plan.count, longest=longest, cursor=self.cursor)
        room = max(1, min(longest, int((width - 3) * MOST_OF_NAME)) - SIGN)
        title = f" {' ' * SIGN}{cut(heading, room):<{room + GAP}}{TABLE_HEAD}"
        return Content.styled(title, f"bold {MUTED}")

    def _say(self, line: str, words: Content) -> None:
        self.query_one(line, Static).update(words, layout=False)

    @on(PlotPane.Moved)
    def _plot_moved(self, event: PlotPane.Moved) -> None:
        event.stop()
        if self.plan is not None:
            self.cursor = places_of(self.plan)[event.place]

    @on(HeatMap.Moved)
    def _heat_moved(self, event: HeatMap.Moved) -> None:
        event.stop()
        if self.plan is not None:
            row, column = event.place
            self.cursor = row * len(self.plan.ranges[1].values) + column

    @on(RowList.Moved)
    def _row_moved(self, event: RowList.Moved) -> None:
        event.stop()
        if self.as_table or event.rows.has_focus:  # beside the plot it only follows, unless one walks in it
            self.cursor = event.place

    @on(PlotPane.Chosen)
    @on(HeatMap.Chosen)
    @on(RowList.Chosen)
    def _chosen(self, event: Message) -> None:
        event.stop()
        self.post_message(self.Chosen(self.cursor))
