"""One summand of the fused kernel, or the fused kernel: a titled frame around a grid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content

from tui.fusion.spec import BranchKind, Pair
from tui.widgets.heat_grid import HeatGrid
from tui.widgets.weight_source import WeightSource

if TYPE_CHECKING:
    from tui.analysis.study import BranchKernel

LABELS = {BranchKind.KXK: "k×k conv", BranchKind.POINTWISE: "1×1 conv", BranchKind.IDENTITY: "identity"}


class KernelPanel(Vertical):
    """The grid of one kernel. `sign` joins it to the panel before: "", "+" or "="."""

    def __init__(self, branch_name: str, sign: str, *, norm: bool = False) -> None:
        super().__init__(id=f"panel-{branch_name.replace('1x1', 'pointwise')}")
        self.branch_name = branch_name
        self._sign = sign
        self._norm = norm
        self.grid = HeatGrid()
        self.set_class(sign == "=", "-fused")

    def compose(self) -> ComposeResult:
        """The grid."""
        yield self.grid

    def show(self, branch: BranchKernel, frame: Pair, *, norm: bool) -> None:
        """Put this kernel into the grid, in the frame of the fused kernel."""
        self._norm = norm
        self.entitle(branch.kernel.kernel_size, frame)
        bias = branch.kernel.bias
        self.grid.source = WeightSource(branch.kernel.weight, frame)
        self.grid.bias = None if bias is None else bias.tolist()

    def entitle(self, kernel_size: Pair, frame: Pair) -> None:
        """Say above the grid what it shows."""
        size = f"{frame[0]}×{frame[1]}"
        if self._sign == "=":
            title = f"fused {size} conv"
        else:
            title = LABELS[BranchKind(self.branch_name)]
            title += f", as {size}" if kernel_size != frame else ""
            self.border_subtitle = Content("batch norm folded" if self._norm else "")
        self.border_title = Content(f"{self._sign} {title}".strip())
