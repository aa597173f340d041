"""A block as a drawing in characters: x, its branches, their sum, y; beside it the one convolution it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.content import Content
from textual.widgets import Static

from tui.widgets.bar import bar

MUTED = "$foreground 60%"
GAP = 4
"""Columns between the block, the convolution and the shares."""
BAR = 12
"""Columns of the longest bar."""
PERCENT = 6
"""Columns of " 100 %"."""


@dataclass(frozen=True, slots=True)
class BlockDrawing:
    """What is drawn.

    Attributes:
        branches: the steps of each branch, "k×k conv", "norm"; a branch without one is the identity's wire.
        names: of the branches, as the shares name them.
        after: the steps between the sum and y.
        fused: the one convolution.
        costs: a line under the block, and one under the convolution.
        shares: of each branch, from 0 to 1; empty where they are not known.
    """

    branches: tuple[tuple[str, ...], ...]
    names: tuple[str, ...]
    after: tuple[str, ...]
    fused: str
    costs: tuple[str, str]
    shares: tuple[float, ...] = ()

    @property
    def height(self) -> int:
        """Rows: one for each branch, and the costs."""
        return len(self.branches) + 1


class BlockDiagram(Static):
    """Shows a BlockDrawing, of which what has no room is left out."""

    DEFAULT_CSS = "BlockDiagram { height: auto; text-wrap: nowrap; }"

    _shown: tuple[BlockDrawing, int] | None = None
    _rows = 0

    def show(self, drawing: BlockDrawing, width: int) -> bool:
        """Draw it in that many columns; False where not even the block has room."""
        if self._shown != (drawing, width):
            self._shown = drawing, width
            lines = diagram_lines(drawing, width)
            self.update(Content("\n").join(lines), layout=len(lines) != self._rows)
            self._rows = len(lines)
        return bool(self.content)


def diagram_lines(drawing: BlockDrawing, width: int) -> list[Content]:
    """The block, the convolution, and each branch's share as a bar, as many of them as fit; [] if none."""
    block = _padded([*_block(drawing), Content.styled(drawing.costs[0], MUTED)])
    fused = _padded(_fused(drawing))
    choices = [[block, fused, shares] for shares in _shares(drawing)] + [[block, fused], [block]]
    for parts in choices:
        if sum(_width(part) for part in parts) + GAP * (len(parts) - 1) <= width:
            gap = Content(" " * GAP)
            return [gap.join(row).rstrip() for row in zip(*parts, strict=True)]
    return []


def _block(drawing: BlockDrawing) -> list[Content]:
    """A line for each branch, all as wide, between the fork and the sum."""
    count = len(drawing.branches)
    middle = (count - 1) // 2
    chains = [" ─ ".join(steps) for steps in drawing.branches]
    widest = max(map(len, chains))
    tail = "".join(f"── {step} " for step in drawing.after) + "── y"
    lines = []
    for place, chain in enumerate(chains):
        on_wire = place == middle
        fork, join = _junctions(place, count, middle) if count > 1 else ("─", "─")
        before, after = ("x ──", f"─(+){tail}") if on_wire else ("    ", "")
        after = after.replace("─(+)", "") if count == 1 else after
        wire = "─" * (widest - len(chain))
        lines.append(Content.assemble((f"{before}{fork} ", MUTED), chain, (f" {wire}{join}{after}", MUTED)))
    return lines


def _junctions(place: int, count: int, middle: int) -> tuple[str, str]:
    """Where a branch leaves the wire from x and where it comes to the sum."""
    above, below, across = place > 0, place < count - 1, place == middle
    forms = {
        (False, True, False): ("┌", "┐"),
        (True, False, False): ("└", "┘"),
        (True, True, False): ("├", "┤"),
        (False, True, True): ("┬", "┬"),
        (True, True, True): ("┼", "┼"),
    }
    return forms[above, below, across]


def _fused(drawing: BlockDrawing) -> list[Content]:
    """The convolution in the row in which the block has x and y."""
    count = len(drawing.branches)
    lines = [Content("")] * count
    lines[(count - 1) // 2] = Content.assemble(("x ── ", MUTED), (drawing.fused, "bold"), (" ── y", MUTED))
    return [*lines, Content.styled(drawing.costs[1], MUTED)]


def _shares(drawing: BlockDrawing) -> list[list[Content]]:
    """The bars with the branches' names; without them, for they stand beside the branches; the figures."""
    if not drawing.shares:
        return []
    largest = max(drawing.shares) or 1.0
    names = max(map(len, drawing.names))
    bars = [Content.styled(bar(share / largest, BAR), "$primary") for share in drawing.shares]
    figures = [Content(f"{100 * share:.0f} %".rjust(PERCENT)) for share in drawing.shares]
    named = [
        Content.assemble((name.ljust(names + 1), MUTED), each, figure)
        for name, each, figure in zip(drawing.names, bars, figures, strict=True)
    ]
    unnamed = [each + figure for each, figure in zip(bars, figures, strict=True)]
    whole = Content.styled("share of the kernels' norms", MUTED)
    return [
        _padded(
            [*named, whole if _width(named) >= whole.cell_length else Content.styled("of the norms", MUTED)]
        ),
        _padded([*unnamed, Content.styled("of the norms", MUTED)]),
        _padded([*figures, Content("")]),
    ]


def _width(lines: Sequence[Content]) -> int:
    return max((line.cell_length for line in lines), default=0)


def _padded(lines: Sequence[Content]) -> list[Content]:
    """All lines as wide as the widest."""
    width = _width(lines)
    return [line.pad_right(width - line.cell_length) for line in lines]
