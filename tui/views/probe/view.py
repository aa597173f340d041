"""The view of one output element: what each side computes there, written out to be checked by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.css.scalar import Scalar
from textual.geometry import Region
from textual.reactive import var

from tui.analysis.numerics.pixel import Pixel
from tui.fusion.specs.block_spec import Dtype
from tui.views.probe.ledger import HEADER, INPUT, ProbeLedger, Row, rows_of
from tui.views.probe.two_totals import total_lines
from tui.views.probe.written_out import Page, applied_line, least_rows, stage_lines
from tui.views.shared.study_view import StudyView
from tui.views.shared.styles import MUTED
from tui.widgets.foot_key import FootKey
from tui.widgets.help_line import HelpLine
from tui.widgets.steady_text import SteadyText

if TYPE_CHECKING:
    from tui.analysis.probe.probe import Probe
    from tui.analysis.study import Study

TWO_STAGES = 140
"""Columns from which a branch and the fused kernel stand side by side."""
PLACE, TOTALS, MARGINS = 1, 4, 3
"""Rows of the line above the ledger, of the totals with a blank above them, and the blanks between."""
MOST_LEDGER, MOST_LEDGER_LOW = 12, 6
VERY_LOW = 12
"""Rows of the pane below which the totals are scrolled with what is written out."""
TAKEN = 8
"""Rows that stand around the ledger's rows and what is written out."""


def _binding(keys: str, action: str, name: str, tooltip: str) -> Binding:
    return Binding(keys, action, tooltip, show=False, id=f"probe.{name}", tooltip=tooltip)


class ProbeView(StudyView, can_focus=True):
    """One output element by hand: patch × kernel = products, for each branch and the fused kernel."""

    HELP_LINES: ClassVar[tuple[HelpLine, ...]] = (
        HelpLine(
            "tab",
            "in Probe: write out the next branch; shift+up and shift+down scroll a large one",
            ("probe.next-row", "probe.previous-row", "probe.scroll-up", "probe.scroll-down"),
        ),
        HelpLine(
            "0",
            "in Probe: every sum bit by bit, as hex floats, and as decimals again",
            ("probe.hexadecimal",),
        ),
    )
    FOOT_KEYS: ClassVar[tuple[FootKey, ...]] = (
        FootKey("element", ("probe.left", "probe.down", "probe.up", "probe.right")),
        FootKey("worst", ("probe.worst",)),
        FootKey("channel", ("probe.previous-out", "probe.next-out")),
        FootKey("next branch", ("probe.next-row",)),
        FootKey("bit by bit", ("probe.hexadecimal",)),
        FootKey("input channel", ("probe.previous-in", "probe.next-in")),
    )
    SCOPED_CSS = False
    DEFAULT_CSS = """
    ProbeView {
        height: 1fr;
        & #probe-place { height: 1; padding: 0 2; background: $surface; text-wrap: nowrap; }
        & VerticalScroll { scrollbar-size-vertical: 1; padding: 0 1; }
        & #probe-ledger-scroll { height: auto; max-height: 12; margin: 1 0 0 0; }
        & Static { height: auto; }
        & #probe-ledger { text-wrap: nowrap; text-overflow: ellipsis; }
        & #probe-stages { height: auto; margin: 1 0 0 0; }
        & #probe-fused { margin: 1 0 0 0; }
        & #probe-totals { height: 4; margin: 1 0 0 0; padding: 0 2; background: $surface; text-wrap: nowrap; }
        &.-one-stage #probe-fused { display: none; }
        &.-beside #probe-stages { layout: horizontal; }
        &.-beside #probe-stages Static { width: 1fr; margin: 0; }
    }
    .-low ProbeView {
        & #probe-ledger-scroll { max-height: 6; margin: 0; }
        & #probe-stages { margin: 0; }
        & #probe-totals { margin: 0; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        _binding("left,h", "move(0, -1)", "left", "The element to the left"),
        _binding("right,l", "move(0, 1)", "right", "The element to the right"),
        _binding("up,k", "move(-1, 0)", "up", "The element above"),
        _binding("down,j", "move(1, 0)", "down", "The element below"),
        _binding("left_square_bracket", "out_channel(-1)", "previous-out", "The previous output channel"),
        _binding("right_square_bracket", "out_channel(1)", "next-out", "The next output channel"),
        _binding("comma,left_curly_bracket", "channel(-1)", "previous-in", "The previous input channel"),
        _binding("full_stop,right_curly_bracket", "channel(1)", "next-in", "The next input channel"),
        _binding("less_than_sign,pageup", "batch(-1)", "previous-input", "The previous input of the batch"),
        _binding("greater_than_sign,pagedown", "batch(1)", "next-input", "The next input of the batch"),
        _binding("w", "worst", "worst", "The largest difference; again: the largest share of the budget"),
        _binding("tab", "row(1)", "next-row", "The next branch"),
        _binding("shift+tab", "row(-1)", "previous-row", "The previous branch"),
        _binding("0,H", "hexadecimal", "hexadecimal", "Numbers bit by bit, as hex floats"),
        _binding("shift+up", "scroll_stages(-1)", "scroll-up", "What is written out, scrolled up"),
        _binding("shift+down", "scroll_stages(1)", "scroll-down", "What is written out, scrolled down"),
    ]

    chosen: var[int] = var(0)
    """The row of the ledger that is written out."""
    channel: var[int] = var(0)
    """The input channel whose products are shown, as far as a kernel reads it."""
    between: var[int] = var(0)
    """The channel between the two steps of a sequence whose products are shown."""
    hexadecimal: var[bool] = var(False)
    """Whether numbers are shown bit by bit."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._rows: list[Row] = []
        self._branch_row = 0

    def compose(self) -> ComposeResult:
        """Where it is, what is added there, a stage or two written out, and the totals."""
        yield SteadyText("", id="probe-place", markup=False)
        with VerticalScroll(id="probe-ledger-scroll", can_focus=False):
            yield ProbeLedger("", id="probe-ledger", markup=False)
        with VerticalScroll(id="probe-stages", can_focus=False):
            yield SteadyText("", id="probe-branch", markup=False)
            yield SteadyText("", id="probe-fused", markup=False)
        yield SteadyText("", id="probe-totals", markup=False)
        self.legend = "by hand: each step rounded once"

    def focus_content(self) -> None:
        """Take the keys."""
        self.focus()

    def watch_room(self) -> None:
        """More or less may fit now."""
        self.refresh_content()

    def show_study(self, study: Study) -> None:
        """Write the element out."""
        if self.pixel is None or not self.room:  # not known yet: watch_room follows
            return
        # Not at the top: it imports torch, which is there once there is a study.
        from tui.analysis.probe.probe import probe

        found = probe(study, self.pixel, self.between)
        self._rows = rows_of(found, adds_up=study.adds_up)
        self.set_reactive(ProbeView.chosen, min(self.chosen, len(self._rows) - 1))
        dtype = study.spec.dtype
        self._say("#probe-place", _place(study, self.pixel, found, self.room.width - 4))
        shown = self.query_one("#probe-ledger-scroll")
        ledger = self.query_one(ProbeLedger)
        ledger.show_rows(
            self._rows,
            self.chosen,
            dtype,
            self.room.width - shown.gutter.width,
            obstacle=found.obstacle,
            hexadecimal=self.hexadecimal,
        )
        shown.scroll_to_region(Region(0, self.chosen + HEADER, 1, 1), animate=False, force=True)
        totals = total_lines(found, self.room.width - 4, hexadecimal=self.hexadecimal)
        very_low = self.room.height < VERY_LOW
        self._show_stages(dtype, totals if very_low else None)
        self.query_one("#probe-totals").display = not very_low
        self._limit_stages(bool(found.obstacle), 0 if very_low else TOTALS)
        self._say("#probe-totals", totals)

    def _say(self, name: str, content: Content) -> None:
        self.query_one(name, SteadyText).show(content)

    def _show_stages(self, dtype: Dtype, totals: Content | None) -> None:
        """The row that was chosen, and beside or under it the fused kernel where there is room for both.

        `totals`: what stands under them where the pane is too low for a place of its own.
        """
        last = len(self._rows) - 1
        beside = self.room.width >= TWO_STAGES
        columns = (self.room.width - 4) // (2 if beside else 1)
        rows = self.room.height - TAKEN - len(self._rows)
        *branches, fused = [least_rows(row.stage, columns) for row in self._rows if row.stage is not None]
        both = bool(branches) and (beside or rows > max(branches) + fused)
        self.set_class(both and beside, "-beside")
        self.set_class(not both, "-one-stage")
        if self.chosen < last:
            self._branch_row = self.chosen
        row = self._rows[min(self._branch_row, last - 1) if both else self.chosen]
        page = Page(self.channel, columns, rows // 2 if both and not beside else rows)
        written = self._written(row, page, dtype)
        self._say("#probe-branch", written if totals is None else Content("\n").join([written, totals]))
        if both:
            self._say("#probe-fused", self._written(self._rows[-1], page, dtype))

    def _limit_stages(self, obstructed: bool, totals: int) -> None:
        """Leave the totals their rows; where the stages need fewer, the totals come right under them."""
        low = self.screen.has_class("-low")
        ledger = min(len(self._rows) + HEADER + obstructed, MOST_LEDGER_LOW if low else MOST_LEDGER)
        around = PLACE + ledger + totals + (0 if low else MARGINS)
        stages = self.query_one("#probe-stages")
        limit = Scalar.from_number(max(1, self.room.height - around))
        if stages.styles.max_height != limit:
            stages.styles.max_height = limit

    def _written(self, row: Row, page: Page, dtype: Dtype) -> Content:
        if row.source != INPUT:
            page = replace(page, channels="ch", source=row.source)
        if row.between:
            page = replace(page, channel=self.between)
        if row.stage is not None:
            title = row.title.strip("+= ")
            return stage_lines(title, row.stage, page, dtype, hexadecimal=self.hexadecimal)
        assert row.applied is not None
        return applied_line(row.applied, dtype, hexadecimal=self.hexadecimal)

    watch_chosen = watch_channel = watch_between = watch_hexadecimal = StudyView.refresh_content

    @on(ProbeLedger.RowChosen)
    def _row_chosen(self, event: ProbeLedger.RowChosen) -> None:
        event.stop()
        self.chosen = min(event.number, len(self._rows) - 1)

    def action_move(self, rows: int, columns: int) -> None:
        """Go to a neighbour of the output element."""
        if self.pixel is not None:
            self._go_to(self.pixel._replace(row=self.pixel.row + rows, column=self.pixel.column + columns))

    def action_out_channel(self, step: int) -> None:
        """Go to another output channel."""
        if self.pixel is not None:
            self._go_to(self.pixel._replace(channel=self.pixel.channel + step))

    def action_batch(self, step: int) -> None:
        """Go to another input of the batch."""
        if self.pixel is not None:
            self._go_to(self.pixel._replace(batch=self.pixel.batch + step))

    def action_worst(self) -> None:
        """Go to the largest difference; from there, to the largest share of the budget."""
        if self.study is not None:
            absolute, relative = Pixel(*self.study.comparison.worst), Pixel(*self.study.verdict.worst.index)
            self._go_to(relative if self.pixel == absolute else absolute)

    def _go_to(self, pixel: Pixel) -> None:
        if self.study is not None:
            self.post_message(self.PixelChosen(pixel.clamped(self.study.spec.output_nchw)))

    def action_channel(self, step: int) -> None:
        """Show the products of another channel that the chosen row reads."""
        row = self._rows[self.chosen] if self._rows else None
        if row is None or row.stage is None:
            return
        channels = row.stage.sum.channels
        now = self.between if row.between else self.channel
        nearest = max(channels.start, min(now, channels.stop - 1))
        channel = max(channels.start, min(nearest + step, channels.stop - 1))
        if row.between:
            self.between = channel
        else:
            self.channel = channel

    def action_row(self, step: int) -> None:
        """Write the next row of the ledger out; beyond the last, leave it to the next thing on the screen."""
        if 0 <= self.chosen + step < len(self._rows):
            self.chosen += step
        elif step > 0:
            self.screen.focus_next()
        else:
            self.screen.focus_previous()

    def action_hexadecimal(self) -> None:
        """Show numbers bit by bit, or as decimals again."""
        self.hexadecimal = not self.hexadecimal

    def action_scroll_stages(self, step: int) -> None:
        """Scroll what is written out, where it is higher than its room."""
        self.query_one("#probe-stages").scroll_relative(y=3 * step, animate=False)


def _place(study: Study, pixel: Pixel, found: Probe, width: int) -> Content:
    """out 1 (4,7) of input 0: 3 of 9 taps fall on the padding; in few columns not all of it."""
    batch, channel, row, column = pixel
    outside = found.fused.sum.padding
    count = int(outside.sum())
    taps = f"{count} of {outside.numel()} taps fall on the padding" if count else "all taps inside the image"
    where = f" of input {batch}" if study.spec.batch_size > 1 else ""
    is_worst = study.comparison.max_abs_diff and tuple(pixel) == study.comparison.worst
    place = Content.styled(f"out {channel} ({row},{column}){where}", "bold")
    words = [f"   {taps}", "   the worst element" if is_worst else ""]
    lines = [place + Content.styled(text, MUTED) for text in ("".join(words), *words)]
    return next((line for line in lines if line.cell_length <= width), place)
