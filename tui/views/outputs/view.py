"""The view of the outputs: input, both outputs and their difference as maps of one channel."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Size
from textual.reactive import var
from textual.widgets import Static

from tui.analysis.alterations.alterations import INPUT
from tui.analysis.alterations.places import EditablePlace, NotEditableError
from tui.analysis.numerics.pixel import Pixel
from tui.fusion.specs.block_spec import Pair
from tui.fusion.specs.padding import centre
from tui.fusion.specs.receptive_field import Area, ReceptiveField
from tui.fusion.tap import Tap
from tui.views.outputs.output_lines import element_line, field_line, reader_line, tap_line
from tui.views.outputs.output_maps import OutputMaps
from tui.views.shared.breaking import broken
from tui.views.shared.study_view import StudyView
from tui.widgets.foot_key import FootKey
from tui.widgets.grid.heat_grid import HeatGrid
from tui.widgets.grid.lit import Lit
from tui.widgets.grid.zoom import Zoom
from tui.widgets.help_line import HelpLine

if TYPE_CHECKING:
    from tui.analysis.outputs.channel_maps import ChannelMaps
    from tui.analysis.study import Study


VERY_LOW = 12
"""Rows of the pane below which only the element is told."""
NARROW = 60
"""Columns below which that takes three rows."""


def _binding(keys: str, action: str, name: str, tooltip: str) -> Binding:
    return Binding(keys, action, tooltip, show=False, id=f"outputs.{name}", tooltip=tooltip)


class OutputsView(StudyView):
    """Input, both outputs and their difference as maps of one channel, and which element reads which."""

    HELP_LINES: ClassVar[tuple[HelpLine, ...]] = (
        HelpLine(
            "w",
            "to the worst element; once more: to the one that uses most of its budget",
            ("outputs.worst", "probe.worst"),
        ),
        HelpLine(
            "[ ]",
            "another output channel",
            ("outputs.previous-out", "outputs.next-out", "probe.previous-out", "probe.next-out"),
        ),
        HelpLine(
            ", . < >",
            "another input channel, another input of the batch",
            (
                *("outputs.previous-in", "outputs.next-in", "outputs.previous-input", "outputs.next-input"),
                *("probe.previous-in", "probe.next-in", "probe.previous-input", "probe.next-input"),
            ),
        ),
        HelpLine(
            "space, shift+arrows",
            "in Outputs: one tap of the kernel and all that it reads; another tap",
            ("outputs.tap", "outputs.tap-left", "outputs.tap-right", "outputs.tap-up", "outputs.tap-down"),
        ),
        HelpLine(
            "tab, shift+tab",
            "in Outputs: on the input, the outputs that read an element are lit; on an output, what it reads",
            ("outputs.next-map", "outputs.previous-map"),
        ),
        HelpLine("enter", "in Outputs: another number for the element of the input under the cursor"),
    )
    FOOT_KEYS: ClassVar[tuple[FootKey, ...]] = (
        FootKey("worst", ("outputs.worst",)),
        FootKey("channel", ("outputs.previous-out", "outputs.next-out")),
        FootKey("one tap", ("outputs.tap",)),
        FootKey("budget", ("bench.scale",)),
        FootKey("one grid", ("bench.one-grid",)),
        FootKey("input channel", ("outputs.previous-in", "outputs.next-in")),
        FootKey("zoom", ("outputs.zoom-in", "outputs.zoom-out")),
        FootKey("next map", ("tab",)),
        FootKey("set input", ("bench.edit",)),
        FootKey("probe", ("bench.probe",)),
    )
    DEFAULT_CSS = """
    OutputsView {
        height: 1fr;
        & #output-lines { height: 2; padding: 0 2; background: $surface; text-wrap: nowrap; }
    }
    .-narrow OutputsView, .-low OutputsView {
        & #output-lines { padding: 0 1; }
    }
    """
    SCOPED_CSS = False
    BINDINGS: ClassVar[list[BindingType]] = [
        _binding("plus,equals_sign", "zoom(-1)", "zoom-in", "Zoom in"),
        _binding("minus", "zoom(1)", "zoom-out", "Zoom out"),
        _binding("left_square_bracket", "channel(-1)", "previous-out", "The previous output channel"),
        _binding("right_square_bracket", "channel(1)", "next-out", "The next output channel"),
        _binding("comma,left_curly_bracket", "input_channel(-1)", "previous-in", "The input channel before"),
        _binding("full_stop,right_curly_bracket", "input_channel(1)", "next-in", "The next input channel"),
        _binding("less_than_sign", "batch(-1)", "previous-input", "The previous input of the batch"),
        _binding("greater_than_sign", "batch(1)", "next-input", "The next input of the batch"),
        _binding("tab", "next_map(1)", "next-map", "The next map"),
        _binding("shift+tab", "next_map(-1)", "previous-map", "The map before"),
        _binding("w", "worst", "worst", "The largest difference; again: the largest share of the budget"),
        _binding("space", "switch_tap", "tap", "One tap of the kernel, or all of them"),
        _binding("shift+left,H", "move_tap(0, -1)", "tap-left", "The tap to the left"),
        _binding("shift+right,L", "move_tap(0, 1)", "tap-right", "The tap to the right"),
        _binding("shift+up,K", "move_tap(-1, 0)", "tap-up", "The tap above"),
        _binding("shift+down,J", "move_tap(1, 0)", "tap-down", "The tap below"),
    ]

    zoom: var[Zoom | None] = var[Zoom | None](None)
    """The zoom level of all maps, None for the one that fits each."""
    as_share: var[bool] = var(False)
    """Whether the difference is shown as a share of the rounding budget."""
    tap: var[Pair | None] = var[Pair | None](None)
    """The tap (ky, kx) of the fused kernel that is looked at; None for all of them."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._group_channel = 0
        self._lines = 0
        self._place: Pair = (0, 0)
        self._hovered: tuple[HeatGrid, Tap] | None = None
        self._shown: tuple[object, ...] = ()
        self._found: ChannelMaps | None = None

    def compose(self) -> ComposeResult:
        """The maps, then the two lines."""
        yield OutputMaps()
        yield Static("", id="output-lines", markup=False)

    @property
    def maps(self) -> OutputMaps:
        """The four maps."""
        return self.query_one(OutputMaps)

    @property
    def in_channel(self) -> int:
        """The input channel that is shown: of those that the output channel reads."""
        if self.study is None or self.pixel is None:
            return 0
        spec = self.study.spec
        width = spec.in_channels // spec.fused_groups
        group = self.pixel.channel // (spec.out_channels // spec.fused_groups)
        return group * width + min(self._group_channel, width - 1)

    def focus_content(self) -> None:
        """Put the focus on the difference."""
        self.maps.outputs[-1].focus()

    def weight_under_cursor(self) -> EditablePlace:
        """The element of the input under the cursor, where the input is in focus."""
        if self.pixel is None:
            raise NotEditableError("There is no result yet.")
        if not self.maps.source.has_focus:
            raise NotEditableError("An output cannot be edited. The input can: tab goes from map to map.")
        return EditablePlace(INPUT, (self.pixel.batch, self.in_channel, *self._place))

    def show_study(self, study: Study) -> None:
        """Show the maps of the pixel's channel, unless they are there, and the pixel in them."""
        if self.pixel is None:
            return
        shown = (study, self.pixel.batch, self.pixel.channel, self.in_channel, self.as_share)
        if shown != self._shown:
            if study not in self._shown:
                self._stay_inside(study)
            self._shown = shown
            self._show_maps(study, self.pixel)
            self._arrange()
        self._link()

    def _stay_inside(self, study: Study) -> None:
        """Keep places of another study where this one's input and kernel reach."""
        (height, width), (rows, columns) = study.spec.input_shape, study.spec.fused_kernel_size
        self._hovered = None
        self._place = min(self._place[0], height - 1), min(self._place[1], width - 1)
        if self.tap is not None:
            self.set_reactive(OutputsView.tap, (min(self.tap[0], rows - 1), min(self.tap[1], columns - 1)))

    def forget(self) -> None:
        """Let go of the maps."""
        self._shown, self._found = (), None

    def _show_maps(self, study: Study, pixel: Pixel) -> None:
        # torch is here as soon as there is a study; the first paint has to do without it.
        from tui.analysis.outputs.channel_maps import channel_maps

        self._found = channel_maps(study, pixel.batch, pixel.channel, self.in_channel)
        batch = study.spec.batch_size > 1
        self.maps.show(self._found, pixel, self.in_channel, batch=batch, as_share=self.as_share)

    def _arrange(self) -> None:
        """Give the maps the room beside the lines, and no more than they can use."""
        if not (self.room and self.is_mounted):
            return
        self.set_class(self.room.width >= 110, "-wide")
        small = self.screen.has_class("-narrow") or self.screen.has_class("-low")
        lines = self._rows_of_lines(small=small)
        if lines != self._lines:
            self._lines = lines
            self.query_one("#output-lines").styles.height = lines
        room = self.room - Size(0, lines)
        self.styles.height = self.maps.share_out(room, framed=not small) + lines

    def _rows_of_lines(self, *, small: bool) -> int:
        """The rows for the text: those that it takes in this width, for the element at least."""
        if self.room.height < VERY_LOW:
            return 3 if self.room.width < NARROW else 2
        return 4 if small else 2 if self.has_class("-wide") else 3

    def watch_room(self) -> None:
        """Share another room out."""
        self._arrange()
        self._describe()

    @on(HeatGrid.CursorMoved)
    def _move_cursor(self, event: HeatGrid.CursorMoved) -> None:
        event.stop()
        if event.grid is self.maps.source:
            self._place = (event.tap.ky, event.tap.kx)
            self._link()
        else:
            self._choose(row=event.tap.ky, column=event.tap.kx)

    @on(HeatGrid.Hovered)
    def _hover(self, event: HeatGrid.Hovered) -> None:
        event.stop()
        self._hovered = None if event.tap is None else (event.grid, event.tap)
        source, outputs = self.maps.source, self.maps.outputs
        source.hover = event.tap if event.grid is source else None
        for grid in outputs:
            grid.hover = None if event.grid is source else event.tap
        self._describe()

    def on_descendant_focus(self) -> None:
        """Seen from the input, other elements are lit than seen from an output."""
        self._link()

    def _choose(self, **places: int) -> None:
        """Ask for another output element."""
        if self.pixel is not None:
            pixel = self.pixel._replace(**places)
            if pixel != self.pixel:
                self.post_message(self.PixelChosen(pixel))

    def _link(self) -> None:
        """Put the cursors on the pixel and on what it reads, and light what belongs to them."""
        if self.study is None or self.pixel is None:
            return
        field = ReceptiveField.of(self.study.spec)
        here = (self.pixel.row, self.pixel.column)
        source, outputs = self.maps.source, self.maps.outputs
        read: Area | None = None
        readers: Area | None = None
        if source.has_focus:
            readers = field.readers(self._place)
            self._tell_legend("what reads it")
        else:
            tap = self.tap or _centre_of(self.study)
            self._place = field.place(here, tap) or self._place
            read = field.read_by_tap(tap) if self.tap else field.read(here)
            self._tell_legend("what the tap reads" if self.tap else "what it reads")
        source.lit = None if read is None else Lit(*read)
        source.cursor = Tap(0, 0, *self._place)
        for grid in outputs:
            grid.lit = None if readers is None else Lit(*readers)
            grid.cursor = Tap(0, 0, *here)
        self.maps.align()
        self._describe()

    def _tell_legend(self, lit: str) -> None:
        self.legend = f"{'bold' if self.app.no_color else 'green'}: {lit}"

    def _describe(self) -> None:
        """Say in words what the cursor, or the mouse, is on."""
        study, pixel = self.study, self.pixel
        if study is None or pixel is None or self._found is None:
            return
        from tui.analysis.outputs.output_element import output_element

        place, from_input = self._place, self.maps.source.has_focus
        if self._hovered is not None:
            grid, tap = self._hovered
            from_input = grid is self.maps.source
            if from_input:
                place = (tap.ky, tap.kx)
            else:
                pixel = pixel._replace(row=tap.ky, column=tap.kx).clamped(study.spec.output_nchw)
        field = ReceptiveField.of(study.spec)
        if from_input:
            value = float(self._found.input[0, 0, place[0], place[1]])
            link = reader_line(field, place, self.in_channel, value)
        elif self.tap is not None:
            link = tap_line(
                field, pixel, self.in_channel, self.tap, self._factors(study, field, pixel, self.tap)
            )
        else:
            link = field_line(field, pixel, self.in_channel, _superlative(study, pixel))
        lines = [element_line(study, output_element(study, pixel), pixel), link]
        shown = self.query_one("#output-lines", Static)
        width = self.room.width - shown.styles.padding.width
        indent = 2 if width >= NARROW else 0
        element, link = (broken(line, width, indent=indent) for line in lines)
        both = Content("\n").join([element, link])
        shown.update(both if both.plain.count("\n") < self._lines else element, layout=False)

    def _factors(
        self, study: Study, field: ReceptiveField, pixel: Pixel, tap: Pair
    ) -> tuple[float, float | None] | None:
        """The weight at a tap and the input that it meets, None in the padding."""
        if study.fused_kernel.kernel.kernel_size != study.frame or self._found is None:
            return None
        in_ = self.in_channel % study.fused_kernel.kernel.weight.shape[1]
        place = field.place((pixel.row, pixel.column), tap)
        weight = float(study.fused_kernel.kernel.weight[pixel.channel, in_, tap[0], tap[1]])
        return weight, None if place is None else float(self._found.input[0, 0, place[0], place[1]])

    def action_channel(self, steps: int) -> None:
        """Go to another output channel, round and round."""
        if self.study is not None and self.pixel is not None:
            self._choose(channel=(self.pixel.channel + steps) % self.study.spec.out_channels)

    def action_batch(self, steps: int) -> None:
        """Go to another input of the batch, round and round."""
        if self.study is not None and self.pixel is not None:
            self._choose(batch=(self.pixel.batch + steps) % self.study.spec.batch_size)

    def action_input_channel(self, steps: int) -> None:
        """Show another input channel of those that the output channel reads, round and round."""
        if self.study is not None:
            width = self.study.spec.in_channels // self.study.spec.fused_groups
            self._group_channel = (min(self._group_channel, width - 1) + steps) % width
            self.refresh_content()

    def action_worst(self) -> None:
        """Go to the largest difference; from there, to the largest share of the budget."""
        if self.study is not None and self.pixel is not None:
            absolute, relative = Pixel(*self.study.comparison.worst), Pixel(*self.study.verdict.worst.index)
            worst = relative if self.pixel == absolute else absolute
            self._choose(**worst._asdict())

    def action_next_colour_scale(self) -> None:
        """Show the difference itself, or as a share of the rounding budget."""
        self.as_share = not self.as_share
        self.refresh_content()

    def action_switch_tap(self) -> None:
        """Look at one tap, first the centre, or at all of them again."""
        if self.study is not None:
            self.tap = None if self.tap else _centre_of(self.study)
            self._link()

    def action_move_tap(self, down: int, across: int) -> None:
        """Look at the next tap in a direction."""
        if self.study is not None:
            height, width = self.study.spec.fused_kernel_size
            ky, kx = self.tap or _centre_of(self.study)
            self.tap = max(0, min(ky + down, height - 1)), max(0, min(kx + across, width - 1))
            self._link()

    def action_zoom(self, steps: int) -> None:
        """Zoom out (1) or in (-1), from the level in effect; no farther than half blocks."""
        now = self.zoom or self.maps.outputs[-1].zoom_in_effect
        self.zoom = now.nearer() if steps < 0 else now.farther() if now is not Zoom.HALF else now

    def watch_zoom(self) -> None:
        """Set all maps to the level."""
        if self.is_mounted:
            self.maps.set_zoom(self.zoom)
            self._arrange()

    def action_zoom_fit(self) -> None:
        """Show the whole maps again."""
        self.zoom = None

    def action_one_grid(self) -> None:
        """Show the map in focus alone, or all of them again."""
        self.maps.one = not self.maps.one
        self._arrange()
        self.post_message(self.Arranged(self))

    @property
    def is_one_grid(self) -> bool:
        """Whether a person chose to see one map only."""
        return any(maps.one for maps in self.query(OutputMaps))

    def action_next_map(self, step: int) -> None:
        """From map to map; where there is one only, show the next instead."""
        if self.maps.focus_next(step):
            self._arrange()
        else:
            (self.screen.focus_next if step > 0 else self.screen.focus_previous)()


def _centre_of(study: Study) -> Pair:
    height, width = study.spec.fused_kernel_size
    return centre(height), centre(width)


def _superlative(study: Study, pixel: Pixel) -> str:
    """What an element is known for."""
    if not study.comparison.max_abs_diff:
        return ""
    known = {
        "largest difference": study.comparison.worst,
        "largest share": study.verdict.worst.index,
    }
    return ", ".join(words for words, index in known.items() if tuple(pixel) == index)
