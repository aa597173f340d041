"""The difference of the fused and the unfused output in one output channel, as a grid of pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from tui.analysis.numerics.pixel import Pixel
from tui.analysis.numerics.precision import FLOAT64_NOISE
from tui.analysis.verdict.reason import Reason
from tui.fusion.tap import Tap
from tui.views.shared.styles import MUTED
from tui.views.shared.units import unit_of
from tui.widgets.grid.heat_grid import HeatGrid
from tui.widgets.grid.labels import Labels
from tui.widgets.grid.number_format import precise
from tui.widgets.grid.weight_source import WeightSource

if TYPE_CHECKING:
    from torch import Tensor

    from tui.analysis.study import Study


def outputs_of(study: Study) -> tuple[Tensor, Tensor]:
    """The fused and the unfused output in which the difference is to be seen.

    Of the float64 run where that found the fusion wrong: there no rounding hides what the mistake does.
    """
    if study.verdict.reason is Reason.ALGEBRA:
        return study.outputs64.fused, study.outputs64.unfused
    return study.outputs.fused, study.outputs.unfused


class ErrorMap(HeatGrid):
    """Posts CursorMoved with the tap (0, 0, row, column), and ChannelWanted."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("pageup", "channel(-1)", "The output channel before", show=False, id="mistakes.map-before"),
        Binding("pagedown", "channel(1)", "The next output channel", show=False, id="mistakes.map-next"),
    ]

    @dataclass
    class ChannelWanted(Message):
        """Another output channel is to be shown, so many farther."""

        step: int

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.labels = Labels.PIXELS

    _shown_of: tuple[Study, int, int] | None = None

    def show(self, study: Study, pixel: Pixel) -> None:
        """Show the channel of the pixel, the cursor on it."""
        shown = (study, pixel.batch, pixel.channel)
        if shown != self._shown_of:
            self._shown_of = shown
            unit, scale = unit_of(scale_of(study)).size, scale_of(study)
            self.source = WeightSource.of(difference_of(study, pixel) / unit)
            self.scale = scale / unit
        self.cursor = Tap(0, 0, pixel.row, pixel.column)

    def forget(self) -> None:
        """Let go of the study; its map stays till another comes."""
        self._shown_of = None

    def action_channel(self, step: int) -> None:
        """Ask for another output channel."""
        self.post_message(self.ChannelWanted(step))


def difference_of(study: Study, pixel: Pixel) -> Tensor:
    """(1, 1, H, W) of the pixel's channel. In float64, what is rounding is 0: it is no part of a mistake."""
    fused, unfused = outputs_of(study)
    here = slice(pixel.batch, pixel.batch + 1), slice(pixel.channel, pixel.channel + 1)
    difference = fused[here].double() - unfused[here].double()
    if study.verdict.reason is Reason.ALGEBRA:
        noise = FLOAT64_NOISE * study.float64.max_abs
        difference.masked_fill_(difference.abs() <= noise, 0.0)
    return difference


def scale_of(study: Study) -> float:
    """The |difference| of full colour: the largest of all channels; 1 where there is none, or no number."""
    comparison = study.float64 if study.verdict.reason is Reason.ALGEBRA else study.comparison
    largest = comparison.max_abs_diff
    return largest if 0 < largest < float("inf") else 1.0


def map_title(study: Study, pixel: Pixel) -> Content:
    """fused − unfused in float64, out 0 (4,7), in 1e-07."""
    run = " in float64" if study.verdict.reason is Reason.ALGEBRA else ""
    unit = unit_of(scale_of(study)).words
    parts = (f"fused − unfused{run}", pixel.words(study.spec.batch_size), unit)
    return Content(", ".join(filter(None, parts)))


def pixel_line(study: Study, pixel: Pixel) -> Content:
    """+0.0221 = fused +0.3105 − unfused +0.2884."""
    fused, unfused = (float(output[pixel]) for output in outputs_of(study))
    return Content.assemble(
        (precise(fused - unfused), "bold"),
        (" = fused ", MUTED),
        precise(fused),
        (" − unfused ", MUTED),
        precise(unfused),
    )
