"""The line under the grids that adds up the weights under the cursor, and the one that adds up the biases."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.content import Content

from tui.fusion.tap import Tap
from tui.views.kernels.stars import add_up
from tui.views.shared.breaking import broken, tied
from tui.views.shared.styles import MUTED
from tui.widgets.grid.number_format import precise
from tui.widgets.grid.weight_source import WeightSource

if TYPE_CHECKING:
    from tui.analysis.study import FusedKernels, Summand


def weight_line(kernels: FusedKernels, tap: Tap, width: int) -> Content:
    """out 0 in 1 tap (1,1): kxk +0.1034 + 1x1 +0.0211 + identity 0 = fused +0.1245.

    It says ≠ where the fused kernel is not the sum, and not at this tap either. Where the line is wider
    than `width` columns, the place is an index: weight[0,1,1,1]; and where that does not help, there are more
    lines, none of which breaks between a name and its number.
    """

    def weight(branch: Summand) -> float:
        return WeightSource(branch.kernel.weight, kernels.frame).at(*tap)

    index = ",".join(map(str, tap))
    places = (f"out {tap.out} in {tap.in_} tap ({tap.ky},{tap.kx})", f"weight[{index}]", f"[{index}]")
    lines = [_sum(place, kernels, weight) for place in places]
    fitting = next((line for line in lines if line.cell_length <= width), None)
    if fitting is not None:
        return broken(fitting, width)
    texts = [broken(line, width, indent=2) for line in lines]
    return min(texts, key=lambda text: text.plain.count("\n"))


def bias_line(kernels: FusedKernels, out: int, width: int) -> Content:
    """out 0 bias: kxk +0.0034 + 1x1 +0.0211 = fused +0.0245; in more lines where it is wider than `width`."""

    def bias(branch: Summand) -> float | None:
        return None if branch.kernel.bias is None else float(branch.kernel.bias[out])

    return broken(_sum(f"out {out} bias", kernels, bias), width, indent=2)


def _sum(place: str, kernels: FusedKernels, number: Callable[[Summand], float | None]) -> Content:
    summands = [(branch.name, number(branch)) for branch in kernels.summands]
    fused = number(kernels.fused_kernel)
    parts: list[str | tuple[str, str]] = [(f"{tied(place)}: ", MUTED)]
    for position, (name, value) in enumerate(summands):
        sign = tied("+ ") if position else ""
        parts += [(" " * bool(position), MUTED), (tied(f"{sign}{name} "), MUTED), (_shown(value), "bold")]
    if kernels.adds_up or add_up([value or 0.0 for _, value in summands], fused or 0.0, kernels.spec.dtype):
        parts.append((f" {tied('= fused ')}", MUTED))
    else:
        parts += [(f" {tied('≠ ')}", "bold $text-error"), (tied("fused "), MUTED)]
    return Content.assemble(*parts, (_shown(fused), "bold"))


def _shown(value: float | None) -> str:
    return "none" if value is None else precise(value)
