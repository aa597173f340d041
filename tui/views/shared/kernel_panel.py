"""One summand of the fused kernel, or the fused kernel: a titled frame around a grid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content

from tui.fusion.specs.branch_spec import Pair
from tui.views.shared.panel_titles import PanelTitle
from tui.widgets.grid.heat_grid import HeatGrid
from tui.widgets.grid.weight_source import Starred, WeightSource

if TYPE_CHECKING:
    from tui.fusion.kernel import Kernel


class KernelPanel(Vertical):
    """The grid of one kernel, under its title and over what was folded into it."""

    def __init__(self, summand: PanelTitle) -> None:
        super().__init__()
        self.grid = HeatGrid()
        self._framed, self._alone, self._unit = True, False, ""
        self.entitle(summand)

    def compose(self) -> ComposeResult:
        """The grid."""
        yield self.grid

    def entitle(self, summand: PanelTitle, edits: int = 0, brought: int = 0) -> None:
        """Be the panel of this summand: how many numbers were set by hand, or came with another file."""
        self.summand = summand
        by_hand = "" if not edits else "* 1 number set by hand" if edits == 1 else f"* {edits} set by hand"
        if summand.sign == "≠":
            from_file = f", {brought} from the other file" if brought else ""
            by_hand = f"* not the sum{from_file}" + (f", {edits} set by hand" if edits else "")
        self._notes = [note for note in (summand.folded, by_hand) if note]
        self._title_it()
        self.set_class(summand.sign in ("=", "≠"), "-fused")
        self.set_class(summand.sign == "≠", "-spoilt")

    def titled(self, *, framed: bool, alone: bool) -> None:
        """Write the notes under the grid, or where there is no frame, beside the title.

        `alone`: other panels have no room, and tab shows them.
        """
        if (framed, alone) != (self._framed, self._alone):
            self._framed, self._alone = framed, alone
            self._title_it()

    def say_unit(self, unit: str) -> None:
        """Say what one cell is, where that is not one number."""
        if unit != self._unit:
            self._unit = unit
            self._title_it()

    def _title_it(self) -> None:
        title = f"{self.summand.sign} {self.summand.title}".strip()
        notes = [*self._notes, *filter(None, [self._unit])]
        beside = [] if self._framed else notes
        self.border_title = Content(" · ".join((title, *beside, *(["tab: the others"] * self._alone))))
        self.border_subtitle = Content(" · ".join(notes) if self._framed else "")

    def show(self, kernel: Kernel, frame: Pair, starred: Starred | None = None) -> None:
        """Put the kernel into the grid, centred in a frame of that kernel size."""
        self.grid.source = WeightSource(kernel.weight, frame, starred)
        self.grid.bias = None if kernel.bias is None else kernel.bias.tolist()
