"""The table of the four dtypes: one line each, one of them chosen."""

from __future__ import annotations

from dataclasses import dataclass
from math import isinf
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from tui.analysis.numerics.precision import FINEST_FIRST
from tui.analysis.quantities import two_digits
from tui.analysis.verdict.reason import Reason
from tui.analysis.verdict.verdict import Verdict
from tui.fusion.specs.block_spec import Dtype
from tui.views.shared.styles import MUTED, RULING_STYLES
from tui.widgets.bar import bar

if TYPE_CHECKING:
    from tui.analysis.dtypes.dtype_table import DtypeRow, DtypeTable
    from tui.analysis.study import Study
    from tui.analysis.verdict.error_split import ErrorSplit, Nearer

Part = str | tuple[str, str]

_NAME, _NUMBER, _BUDGET, _BAR, _USED, _VERDICT = 13, 7, 9, 7, 10, 11
"""Columns, which with "nearer to float64" come to 77."""
_SLIM = 50
"""Columns below which a line has no bar and no words; what is left takes 37."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What a line says.

    Attributes:
        largest: max |fused - unfused|. `budget`: the rounding budget there.
        verdict: on the run in this dtype.
        last: what stands in the last column.
    """

    largest: float
    budget: float
    verdict: Verdict
    last: Part


class DtypeLine(Static):
    """One dtype's line."""

    @dataclass
    class Chosen(Message):
        """A click on a line."""

        dtype: Dtype

    def __init__(self, dtype: Dtype) -> None:
        super().__init__(markup=False)
        self.dtype = dtype

    def on_click(self) -> None:
        """Choose it."""
        self.post_message(self.Chosen(self.dtype))


class DtypeRows(Vertical):
    """A header, the lines from the finest dtype to the coarsest, and what the mark means."""

    DEFAULT_CSS = """
    DtypeRows {
        height: auto;
        & Static { height: 1; text-wrap: nowrap; text-overflow: ellipsis; }
        & .quiet { color: $foreground 60%; }
        & DtypeLine.-chosen { background: $primary 20%; }
    }
    """

    def compose(self) -> ComposeResult:
        """The lines, empty."""
        yield Static("", id="dtype-header", classes="quiet", markup=False)
        yield from map(DtypeLine, FINEST_FIRST)
        yield Static(
            "• the block's own; the other rows take its numbers, rounded to their dtype",
            id="dtype-own",
            classes="quiet",
            markup=False,
        )

    _shown: tuple[Study, DtypeTable | None, Dtype] | None = None

    def on_resize(self) -> None:
        """Say more, or less."""
        if self._shown is not None:
            self.show(*self._shown)

    def forget(self) -> None:
        """Let go of the study; what is written stays till another comes."""
        self._shown = None

    def show(self, study: Study, table: DtypeTable | None, chosen: Dtype) -> None:
        """Write all lines; of a table that is still to come, the study's own."""
        self._shown = study, table, chosen
        slim = 0 < self.size.width < _SLIM
        self.query_one("#dtype-own").display = not slim
        wrong = study.verdict.reason is Reason.ALGEBRA
        last = "without float64" if wrong else "nearer to float64"
        self.query_one("#dtype-header", Static).update(
            _slim_header() if slim else _header() + last, layout=False
        )
        for line in self.query(DtypeLine):
            own = line.dtype is study.spec.dtype
            figures = (
                figures_of_row(table.row(line.dtype)) if table else figures_of_study(study) if own else None
            )
            line.set_class(line.dtype is chosen, "-chosen")
            written = slim_line_of if slim else line_of
            line.update(written(line.dtype, figures, own=own, chosen=line.dtype is chosen), layout=False)


def _header() -> str:
    used = f"{'used at most':<{_BAR + 1 + _USED}}"
    start = f"{'  dtype':<{_NAME}}{'max |d|':>{_NUMBER}}{'budget':>{_BUDGET}}"
    return f"{start}  {used}{'verdict':<{_VERDICT}}"


def _slim_header() -> str:
    return f"{'  dtype':<{_NAME - 1}}{'max |d|':>{_NUMBER}}{'budget':>{_BUDGET - 1}} used"


def figures_of_row(row: DtypeRow) -> Figures:
    """The figures of one row of the table."""
    return Figures(row.comparison.max_abs_diff, row.budget, row.verdict, _last(row.verdict, row.split))


def figures_of_study(study: Study) -> Figures:
    """The same figures of the study's own dtype, which need no other run."""
    there = study.budget.at(study.comparison.worst)
    budget = there[1] if there else float("nan")
    return Figures(study.comparison.max_abs_diff, budget, study.verdict, _last(study.verdict, study.split))


def _last(verdict: Verdict, split: ErrorSplit | None) -> Part:
    """Of a wrong fusion, whether this dtype alone shows it; else which side is nearer to the truth."""
    if verdict.dtype is Dtype.FLOAT64:
        return ("is the measure", MUTED)
    if verdict.reason is Reason.ALGEBRA:
        return ("would pass", "bold $text-warning") if verdict.passes_alone else "is seen too"
    return ("–", MUTED) if split is None else nearer_side(split.nearer)


def nearer_side(nearer: Nearer) -> str:
    """Which side is nearer to the float64 value more often, and on what part of the elements."""
    if nearer.fused == nearer.unfused:
        return "even" if nearer.fused else "both alike"
    side = "fused" if nearer.fused > nearer.unfused else "unfused"
    every = nearer.fused + nearer.unfused + nearer.equal
    return f"{side} {100 * max(nearer.fused, nearer.unfused) / every:.0f} %"


def slim_line_of(dtype: Dtype, figures: Figures | None, *, own: bool, chosen: bool) -> Content:
    """▸ float32 •2.4e-07 5.8e-07 41 %: what is left of a line where there is room for little."""
    name = f"{'▸' if chosen else ' '} {dtype}{' •' if own else ''}"
    start = (f"{name:<{_NAME - 1}}", "bold" if own else "")
    if figures is None:
        return Content.assemble(start, ("…".rjust(_NUMBER), MUTED))
    used, ruling = figures.verdict.budget_used, figures.verdict.ruling
    return Content.assemble(
        start,
        (f"{two_digits(figures.largest):>{_NUMBER}}", "bold"),
        f"{two_digits(figures.budget):>{_BUDGET - 1}} ",
        (times_used(used), f"bold {RULING_STYLES[ruling]}"),
    )


def line_of(dtype: Dtype, figures: Figures | None, *, own: bool, chosen: bool) -> Content:
    """▸ float32 •    2.4e-07  5.8e-07  ━━━     41 %      rounding   unfused 61 %."""
    name = f"{'▸' if chosen else ' '} {dtype} {'•' if own else ''}"
    start = (f"{name:<{_NAME}}", "bold" if own else "")
    if figures is None:
        return Content.assemble(start, ("…".rjust(_NUMBER), MUTED))
    used, ruling = figures.verdict.budget_used, figures.verdict.ruling
    return Content.assemble(
        start,
        (f"{two_digits(figures.largest):>{_NUMBER}}", "bold"),
        f"{two_digits(figures.budget):>{_BUDGET}}  ",
        (bar(used, _BAR), "$primary" if used <= 1 else "$text-error"),
        f" {times_used(used):<{_USED}}",
        (f"{ruling:<{_VERDICT}}", f"bold {RULING_STYLES[ruling]}"),
        figures.last,
    )


def times_used(used: float) -> str:
    """The share of a budget in at most 9 columns: "41 %", "1.3 ×", "6.7e+05 ×", "infinite"."""
    if 0 < used < 0.01:
        return "<1 %"
    if isinf(used):
        return "infinite"
    if used <= 1:
        return f"{100 * used:.0f} %"
    return f"{used:.1f} ×" if used < 100 else f"{used:.1e} ×"
