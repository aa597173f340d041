"""The result of a study in words: how far apart the two outputs are, where, and what each side costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Container, Horizontal, Vertical
from textual.content import Content
from textual.reactive import var
from textual.widgets import Static

from tui.analysis.alterations.gallery import MISTAKES
from tui.analysis.block_a import AgainstA, Beside
from tui.analysis.edits_told import edits_told
from tui.analysis.numerics.pixel import Pixel
from tui.analysis.quantities import count, times, two_digits
from tui.analysis.side import WrongSide
from tui.analysis.verdict.cautions import cautions_of
from tui.analysis.verdict.reason import Reason
from tui.fusion.pair_text import show_pair
from tui.fusion.quoting import printable
from tui.views.shared.beside_a import beside_a_lines
from tui.views.shared.place_link import place_link
from tui.views.shared.styles import MUTED, RULING_STYLES
from tui.widgets.steady_text import SteadyText

if TYPE_CHECKING:
    from tui.analysis.study import Study
    from tui.analysis.verdict.stored import StoredVerdict


EVERYWHERE = Content.styled(" everywhere", MUTED)
_NOT_THE_SAME = {
    WrongSide.FUSED: "the two are not the same map",
    WrongSide.UNFUSED: "the unfused run is wrong",
    WrongSide.BOTH: "both sides are wrong",
}


class ResultView(Vertical):
    """Two lines about the difference, one with parameters and MACs of both sides, and what must be known."""

    study: var[Study | None] = var(None, init=False)
    """The result to show."""
    legend: var[str] = var("", init=False)
    """What the colours of the view above mean."""
    beside: var[Beside | None] = var[Beside | None](None, init=False)
    """The block A and how the study differs from it; None while none is kept."""
    doing: var[str] = var("", init=False)
    """What is being run for a newer block, and how far it is; it stands in the place of the verdict."""

    def compose(self) -> ComposeResult:
        """The lines; where height is short, the remark stands beside the counts."""
        yield SteadyText("", id="difference", markup=False)
        yield SteadyText("", id="truth", markup=False)
        with Container(id="below"):
            with Horizontal(id="account"):
                yield Static("", id="counts", markup=False)
                yield Static("", id="ratio", markup=False)
                yield Static("", id="legend", markup=False)
            yield SteadyText("", id="remark", markup=False)
        yield Static("", id="beside-a", markup=False)

    def watch_study(self, study: Study | None) -> None:
        """Write the new figures."""
        if study is None:
            return
        self._tell()
        macs = study.cost.macs
        self.query_one("#ratio", Static).update(Content(times(macs.unfused, macs.fused)))
        remarks = remarks_of(study)
        self.query_one("#remark", SteadyText).show(Content("\n".join(remarks)))
        self.set_class(bool(remarks), "-remarked")
        self._compare()

    def watch_beside(self) -> None:
        """Lay the study beside A, or let A go."""
        self.set_class(self.beside is not None, "-compared")
        self._compare()

    def _compare(self) -> None:
        if self.beside is None:
            return
        shown = self.study.subject if self.study is not None else None
        current = isinstance(self.beside, AgainstA) and self.beside.subject == shown
        rows = 1 if self.screen.has_class("-low") else 2
        lines = beside_a_lines(self.beside, current, self.content_size.width, rows)
        self.query_one("#beside-a", Static).update(lines)

    def watch_doing(self) -> None:
        """Say what is being run, or the verdict again."""
        self._tell()

    def on_resize(self) -> None:
        """More or fewer words may fit now."""
        self._tell()
        self._compare()

    def _tell(self) -> None:
        line = self.query_one("#difference", SteadyText)
        line.set_class(bool(self.doing), "-doing")
        if self.doing:
            line.show(Content.assemble((self.doing, "bold $text-accent"), ("   S stops it", MUTED)))
        elif self.study is not None:
            width = self.content_size.width
            line.show(difference_line(self.study, width))
            self.query_one("#truth", SteadyText).show(truth_line(self.study, width))
            self.query_one("#counts", Static).update(_counts(self.study, width))
        else:
            line.show(Content())  # the first run has ended without a result

    def watch_legend(self) -> None:
        """Say what the colours mean."""
        self.query_one("#legend", Static).update(self.legend, layout=False)


def difference_line(study: Study, width: int) -> Content:
    """rounding  22 % of its budget at out 0 (1,4)   max |fused - unfused| 2.4e-07 at out 1 (0,2).

    The share of the budget and the largest difference may belong to two elements: each has its place. Where
    the line is wider than `width` columns, it has fewer words, and at last no places. The largest difference
    is never cut.
    """
    summary = study.verdict.summary
    shorter = summary.replace(" of its budget", "")
    ways = [
        (summary, "max |fused − unfused|"),
        (shorter, "max |fused − unfused|"),
        (shorter, "max |d|"),
        (shorter.removeprefix(study.verdict.side.before_a_figure), "max |d|"),  # the next line tells the side
    ]
    lines = [_difference(study, *words) for words in ways]
    largest = Content.assemble(("max |d| ", MUTED), (two_digits(study.comparison.max_abs_diff), "bold"))
    ruling = Content.styled(study.verdict.ruling, f"bold {RULING_STYLES[study.verdict.ruling]}")
    short = Content(ways[-1][0])
    there = _at(study.comparison.worst if study.comparison.max_abs_diff else None, study) or EVERYWHERE
    lines.append(Content("  ").join([ruling, short, largest + there]))
    lines.append(Content("  ").join([ruling, short, largest]))
    lines.append(Content("  ").join([ruling, largest, short]))
    return _first_that_fits(lines, width)


def _first_that_fits(lines: Sequence[Content], width: int) -> Content:
    """The first of the lines that is not wider, or else the last."""
    return next((line for line in lines if line.cell_length <= width), lines[-1])


def _difference(study: Study, summary: str, largest: str) -> Content:
    comparison, verdict = study.comparison, study.verdict
    one, other = verdict.place, comparison.worst
    ruling = (verdict.ruling, f"bold {RULING_STYLES[verdict.ruling]}")
    figure = (two_digits(comparison.max_abs_diff), "bold")
    if one == other:
        start = Content.assemble(ruling, f"  {summary}", (f", {largest} ", MUTED), figure, (", both", MUTED))
        return start + _at(other, study)
    there = _at(other if comparison.max_abs_diff else None, study) or EVERYWHERE
    start = Content.assemble(ruling, f"  {summary}") + _at(one, study)
    return start + Content.assemble((f"   {largest} ", MUTED), figure) + there


def _at(pixel: Pixel | None, study: Study) -> Content:
    """at out 1 (4,7); nothing for none."""
    if pixel is None:
        return Content("")
    return Content.styled(" at ", MUTED) + place_link(pixel, study.spec.batch_size, MUTED)


def truth_line(study: Study, width: int) -> Content:
    """mean 5.6e-08   allclose yes   in float64 8.9e-16: the algebra is right.

    Where it is wider than `width` columns, without the mean, and at last without the last words.
    """
    comparison = study.comparison
    algebra = ("the algebra is right", "$text-success")
    if study.verdict.reason is Reason.WEIGHTS:
        algebra = ("the fused weights are wrong", "bold $text-error")
    elif study.float64.non_finite:
        algebra = ("NaN and infinite values cannot be compared", "$text-warning")
    elif study.verdict.reason is Reason.ALGEBRA:
        algebra = (_NOT_THE_SAME[study.verdict.side], "bold $text-error")
    elif study.verdict.stored is not None:
        algebra = _by_weights(study.verdict.stored)
    mean = Content.assemble(("mean ", MUTED), two_digits(comparison.mean_abs_diff), "   ")
    allclose = Content.assemble(
        ("allclose ", MUTED), ("yes", "") if comparison.allclose else ("no", "bold $text-warning"), "   "
    )
    truth = Content.assemble(("in float64 ", MUTED), two_digits(study.float64.max_abs_diff))
    judged = truth + Content.assemble((": ", MUTED), algebra)
    return _first_that_fits([mean + allclose + judged, allclose + judged, judged, allclose + truth], width)


def _by_weights(stored: StoredVerdict) -> tuple[str, str]:
    """What its weights say of a finished kernel, in a few words."""
    if stored.agrees:
        return f"right by its weights, {stored.summary}", "$text-success"
    return f"by its weights {stored.ruling}", "bold $text-error"


def _counts(study: Study, width: int) -> Content:
    params, macs = study.cost.params, study.cost.macs
    ways = [("parameters ", "   MACs "), ("params ", "  MACs ")]
    lines = [
        Content.assemble(
            (first, MUTED),
            f"{count(params.unfused)} → {count(params.fused)}",
            (second, MUTED),
            f"{count(macs.unfused)} → {count(macs.fused)}",
        )
        for first, second in ways
    ]
    return _first_that_fits(lines, width)


def remarks_of(study: Study) -> list[str]:
    """What a reader must know to trust the figures."""
    alterations = study.in_effect
    remarks = []
    if alterations.mistake:
        remarks.append(MISTAKES[alterations.mistake].on_purpose)
    if study.verdict.stored is not None:
        remarks.append("A finished kernel was brought in: it is judged by its weights too.")
    else:
        remarks += map(printable, edits_told(study))
    kernel_size, given = study.spec.fused_kernel_size, study.spec.conv2d_frame.kernel_size
    if given != kernel_size:
        frames = show_pair(given, "×"), show_pair(kernel_size, "×")
        remarks.append("Fused is counted as {}: {} and zeros, as nn.Conv2d pads evenly.".format(*frames))
    remarks += (*cautions_of(study.spec), *study.ran_on.cautions)
    non_finite = study.comparison.non_finite
    if non_finite != study.verdict.non_finite:  # the scope tells of those that are left out
        one = non_finite == 1
        remarks.append(f"{count(non_finite)} output element{' is' if one else 's are'} NaN or infinite.")
    remarks += [words for words in (study.verdict.caveat, study.verdict.scope) if words]
    return remarks
