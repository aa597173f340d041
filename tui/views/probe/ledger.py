"""What each branch adds at one output element, and the sum so far: a line for each, one of them chosen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.content import Content
from textual.events import Click
from textual.message import Message

from tui.fusion.pair_text import show_pair
from tui.fusion.specs.block_spec import Dtype, Pair
from tui.views.shared.styles import MUTED
from tui.widgets.digits import all_digits
from tui.widgets.steady_text import SteadyText

if TYPE_CHECKING:
    from tui.analysis.probe.probe import Probe, Unfused
    from tui.analysis.probe.written import Applied, WrittenStage

WARNING = "$text-warning"
INPUT = "input"
"""What a row reads that reads no other step."""
HEADER = 1
"""Lines above the first row."""
GAP = 3
"""Blanks between two columns, where there is room."""


@dataclass(frozen=True, eq=False)
class Row:
    """One line of the ledger.

    Attributes:
        title: what it is called.
        stage: the sum behind it; None for a batch norm after the sum, which is `applied`.
        adds: what it adds, None where it is no summand. so_far: the sum up to here, None where it is no part.
        note: what else is in it.
        between: whether it reads the channels between the last two steps of a chain.
        source: what gave the channels that it reads.
    """

    title: str
    stage: WrittenStage | None
    adds: float | None
    so_far: float | None
    note: str = ""
    between: bool = False
    source: str = INPUT
    applied: Applied | None = None


def rows_of(probe: Probe, *, adds_up: bool = True) -> list[Row]:
    """The branches in the order of the sum, the post norm, and the fused convolution last.

    `adds_up`: whether the fused kernel is the sum of the branches' kernels.
    """
    rows = list(_unfused_rows(probe.unfused)) if probe.unfused is not None else []
    return [*rows, Row("= fused" if adds_up else "≠ fused", probe.fused, None, probe.fused.value)]


def _unfused_rows(unfused: Unfused) -> Iterator[Row]:
    sign = ""
    for branch, total in zip(unfused.branches, unfused.sums, strict=True):
        count, title, source = branch.steps, f"{sign}{branch.name}", INPUT
        if branch.inner is not None:
            size = show_pair(_kernel_size(branch.inner), "×")
            note = f"its {size}: ch {branch.inner_channel} at the centre tap"
            before = INPUT if count == 2 else "from the step before"
            yield Row(f"{branch.name} {count - 1}/{count}", branch.inner, None, None, note, source=before)
            title, source = f"{title} {count}/{count}", f"from the {size}"
        note = ", ".join(applied.title for applied in branch.stage.applied)
        adds = branch.stage.value
        yield Row(title, branch.stage, adds, total, note and f"with {note}", source != INPUT, source)
        sign = "+ "
    if unfused.post is not None:
        yield Row("→ post norm", None, None, unfused.post.value, applied=unfused.post)


def _kernel_size(stage: WrittenStage) -> Pair:
    height, width = stage.sum.padding.shape
    return int(height), int(width)


class ProbeLedger(SteadyText):
    """The rows as text; a click chooses one."""

    @dataclass
    class RowChosen(Message):
        """The user wants that row written out."""

        number: int

    def show_rows(
        self,
        rows: Sequence[Row],
        chosen: int,
        dtype: Dtype,
        width: int,
        *,
        obstacle: str = "",
        hexadecimal: bool = False,
    ) -> None:
        """Write the rows in so many columns, numbers under each other; under them, why there are no more."""
        ledger = _ledger(rows, chosen, dtype, hexadecimal)
        if max(len(line.rstrip()) for line in ledger.plain.split("\n")) > width:
            ledger = _ledger(rows, chosen, dtype, hexadecimal, gap=1)
        self.show(Content("\n").join([ledger, Content.styled(obstacle, WARNING)]) if obstacle else ledger)

    def on_click(self, event: Click) -> None:
        """Choose the row under the mouse."""
        if event.y >= HEADER:
            self.post_message(self.RowChosen(event.y - HEADER))


def _ledger(rows: Sequence[Row], chosen: int, dtype: Dtype, hexadecimal: bool, *, gap: int = GAP) -> Content:
    titles = max(len(row.title) for row in rows) + gap
    adds = _column("adds", [row.adds for row in rows], dtype, hexadecimal, gap)
    sums = _column("sum so far", [row.so_far for row in rows], dtype, hexadecimal, gap)
    lines = [Content.assemble(" " * (titles + 2), (f"{adds[0]}{sums[0]}".rstrip(), MUTED))]
    for number, row in enumerate(rows):
        is_chosen = number == chosen
        lines.append(
            Content.assemble(
                "▸ " if is_chosen else "  ",
                (row.title.ljust(titles), "bold" if is_chosen else ""),
                adds[number + 1],
                (sums[number + 1], "bold" if number >= len(rows) - 2 else ""),
                (row.note, MUTED),
            ).rstrip()
        )
    return Content("\n").join(lines)


def _column(
    title: str, values: Sequence[float | None], dtype: Dtype, hexadecimal: bool, gap: int
) -> list[str]:
    """The title and the values, all of one width."""
    present = [value for value in values if value is not None]
    texts = iter(all_digits(present, dtype, hexadecimal=hexadecimal))
    cells = [title, *("" if value is None else next(texts) for value in values)]
    width = max(map(len, cells)) + gap
    return [cell.ljust(width) for cell in cells]
