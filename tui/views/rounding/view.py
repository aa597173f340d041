"""The view of the rounding: the verdict in full, all four dtypes, and the difference taken apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.reactive import var

from tui.analysis.inquiry import Question
from tui.analysis.numerics.precision import FINEST_FIRST
from tui.analysis.progress import Doing, Failed
from tui.analysis.verdict.reason import Reason
from tui.fusion.specs.block_spec import Dtype
from tui.views.rounding.allclose_words import allclose_words
from tui.views.rounding.dtype_rows import DtypeLine, DtypeRows
from tui.views.rounding.error_parts import error_parts_text
from tui.views.rounding.figures_words import figures_words
from tui.views.rounding.ulp_bars import ulp_bars_text
from tui.views.rounding.why_not_zero import why_not_zero
from tui.views.shared.study_view import StudyView
from tui.views.shared.styles import MUTED, RULING_STYLES
from tui.widgets.foot_key import FootKey
from tui.widgets.help_line import HelpLine
from tui.widgets.steady_text import SteadyText

if TYPE_CHECKING:
    from tui.analysis.dtypes.dtype_table import DtypeTable
    from tui.analysis.study import Study


_NARROWEST = 75
"""Columns below which the two halves are cut off."""
_WIDEST = 112
"""Columns that the text takes at most."""
_GAP = 2
"""Columns between them."""


class RoundingView(StudyView, can_focus=True):
    """Rounding or a bug: the verdict, all four dtypes, where the difference comes from."""

    HELP_LINES: ClassVar[tuple[HelpLine, ...]] = (
        HelpLine(
            "up, down",
            "in Rounding: take the difference in another dtype apart",
            ("rounding.up", "rounding.down"),
        ),
    )
    FOOT_KEYS: ClassVar[tuple[FootKey, ...]] = (
        FootKey("another dtype", ("rounding.up", "rounding.down")),
        FootKey("probe", ("bench.probe",)),
    )
    QUESTION: ClassVar[Question | None] = Question.DTYPES
    SCOPED_CSS = False
    DEFAULT_CSS = """
    RoundingView {
        padding: 1 0 0 1; overflow-y: auto; scrollbar-size-vertical: 1; scrollbar-gutter: stable;
        & > * { max-width: 112; }
        & > Static { height: auto; margin: 1 1 0 0; }
        & DtypeRows { margin: 1 1 0 0; }
        & #sentence { margin: 0 1 0 0; }
        & #dtype-remark { color: $text-warning; margin: 0 1 0 0; }
        & #apart { height: auto; margin: 1 1 0 0; }
        & #apart Static { height: auto; }
        & #error-parts { margin: 0 2 0 0; }
        & #working { display: none; }
        & #why { color: $foreground 60%; }
        &.-working { & #working { display: block; } & #apart, & #dtype-remark, & #figures { display: none; } }
        &.-unremarked #dtype-remark { display: none; }
    }
    .-low RoundingView {
        padding: 0 0 0 1;
        & DtypeRows { margin: 0 1 0 0; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "choose(-1)", "Finer dtype", show=False, id="rounding.up"),
        Binding("down,j", "choose(1)", "Coarser dtype", show=False, id="rounding.down"),
        Binding("pageup", "page_up", "Scroll up", show=False, id="rounding.page-up"),
        Binding("pagedown", "page_down", "Scroll down", show=False, id="rounding.page-down"),
    ]

    chosen: var[Dtype | None] = var[Dtype | None](None)
    """The dtype whose difference is taken apart; None for the study's own."""

    def compose(self) -> ComposeResult:
        """The sentence, the table, its remark; the two halves of the difference; why it is not zero."""
        yield SteadyText("", id="sentence", markup=False)
        yield DtypeRows()
        yield SteadyText("", id="dtype-remark", markup=False)
        yield SteadyText("", id="working", markup=False)
        with Horizontal(id="apart"):
            yield SteadyText("", id="error-parts", markup=False)
            yield SteadyText("", id="ulp-bars", markup=False)
        yield SteadyText("", id="why", markup=False)
        yield SteadyText("", id="allclose", markup=False)
        yield SteadyText("", id="figures", markup=False)

    def forget(self) -> None:
        """Let go of the study in the table."""
        self.query_one(DtypeRows).forget()

    def show_study(self, study: Study) -> None:
        """Write the verdict, and what has been found out about the dtypes."""
        verdict, answer = study.verdict, self.answers.dtypes
        ruling = (verdict.ruling.upper(), f"bold {RULING_STYLES[verdict.ruling]}")
        stored = verdict.stored
        judged = "" if stored is None or verdict.reason is Reason.STORED else f"\n{stored.sentence}"
        self._say("sentence", Content.assemble(ruling, f"  {verdict.sentence}{judged}"))
        self._say("why", Content(why_not_zero(study)))
        self._say("allclose", allclose_words(study))
        chosen = self.chosen or study.spec.dtype
        table = None if answer is None or isinstance(answer, Doing | Failed) else answer
        self.query_one(DtypeRows).show(study, table, chosen)
        self.set_class(table is None, "-working")
        if table is not None:
            self._take_apart(table, chosen)
        elif isinstance(answer, Failed):
            error = (f"The other dtypes could not be run: {answer.words}", "$text-error")
            self._say("working", Content.assemble(error))
        else:
            doing = answer.words if isinstance(answer, Doing) else "running in the other dtypes"
            self._say("working", Content.assemble((f"{doing} …", MUTED)))

    def _take_apart(self, table: DtypeTable, chosen: Dtype) -> None:
        row = table.row(chosen)
        remark = " ".join(words for words in (row.remark, row.verdict.scope) if words)
        self.set_class(not remark, "-unremarked")
        self._say("dtype-remark", Content(remark))
        room = max(_NARROWEST, min(self.scrollable_content_region.width - 1, _WIDEST)) - _GAP
        parts = room * 11 // 20
        self._say("error-parts", error_parts_text(row, parts), parts)
        self._say("ulp-bars", ulp_bars_text(row.ulps, room - parts), room - parts)
        self._say("figures", figures_words(row))

    def _say(self, name: str, content: Content, width: int | None = None) -> None:
        line = self.query_one(f"#{name}", SteadyText)
        if width is not None:
            line.styles.width = width
        line.show(content)

    def focus_content(self) -> None:
        """Stand in the table."""
        self.focus()

    def watch_study(self) -> None:
        """Go to the study's own dtype where that is another one now."""
        if self.study is not None and self.study.spec.dtype is not self._own:
            self._own = self.study.spec.dtype
            self.chosen = None
        super().watch_study()

    _own: Dtype | None = None

    def watch_chosen(self) -> None:
        """Take the difference in that dtype apart."""
        self.refresh_content()

    def on_resize(self) -> None:
        """Fill the room that there is."""
        self.refresh_content()

    @on(DtypeLine.Chosen)
    def _line_chosen(self, event: DtypeLine.Chosen) -> None:
        event.stop()
        self.chosen = event.dtype

    def action_choose(self, step: int) -> None:
        """Go to a finer or a coarser dtype."""
        if self.study is not None:
            place = FINEST_FIRST.index(self.chosen or self.study.spec.dtype) + step
            self.chosen = FINEST_FIRST[max(0, min(place, len(FINEST_FIRST) - 1))]
