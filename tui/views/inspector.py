"""The line under the grids that adds up the weights under the cursor, and the one that adds up the biases."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.content import Content

from tui.widgets.number_format import precise
from tui.widgets.tap import Tap
from tui.widgets.weight_source import WeightSource

if TYPE_CHECKING:
    from tui.analysis.study import BranchKernel, Study


MUTED = "$foreground 60%"


def weight_line(study: Study, tap: Tap, width: int) -> Content:
    """out 0 in 1 tap (1,1): kxk +0.1034 + 1x1 +0.0211 + identity 0 = fused +0.1245.

    Where that is wider than `width` columns, and an index is not, the place is one: weight[0,1,1,1].
    """

    def weight(branch: BranchKernel) -> str:
        return precise(WeightSource(branch.kernel.weight, study.frame).at(*tap))

    index = ",".join(map(str, tap))
    places = (f"out {tap.out} in {tap.in_} tap ({tap.ky},{tap.kx})", f"weight[{index}]", f"[{index}]")
    lines = [_sum(place, study, weight) for place in places]
    return next((line for line in lines if line.cell_length <= width), lines[0])


def bias_line(study: Study, out: int) -> Content:
    """out 0 bias: kxk +0.0034 + 1x1 +0.0211 = fused +0.0245."""

    def bias(branch: BranchKernel) -> str:
        return "none" if branch.kernel.bias is None else precise(float(branch.kernel.bias[out]))

    return _sum(f"out {out} bias", study, bias)


def _sum(place: str, study: Study, number: Callable[[BranchKernel], str]) -> Content:
    parts: list[str | tuple[str, str]] = [(f"{place}: ", MUTED)]
    for position, branch in enumerate((*study.branches, study.fused)):
        sign = "" if position == 0 else " = " if branch is study.fused else " + "
        parts += [(f"{sign}{branch.name} ", MUTED), (number(branch), "bold")]
    return Content.assemble(*parts)
