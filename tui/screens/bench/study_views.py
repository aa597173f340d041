"""The views of a study, one of them in sight; each is made when it is first looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.geometry import Size
from textual.message import Message
from textual.reactive import var
from textual.widgets import ContentSwitcher

from tui.analysis.alterations.alterations import Alterations
from tui.analysis.inquiry import Answers, Question
from tui.analysis.numerics.pixel import Pixel
from tui.analysis.progress import Doing, Failed
from tui.analysis.subject import Subject
from tui.fusion.specs.block_spec import BlockSpec
from tui.screens.bench.views import KERNELS, OUTPUTS, VIEWS, BenchView
from tui.views.kernels.view import KernelsView
from tui.views.outputs.map_layout import rows_side_by_side
from tui.views.shared.study_view import StudyView

if TYPE_CHECKING:
    from tui.analysis.speed.measurement import Measurement
    from tui.analysis.study import FusedKernels, Study


class StudyViews(ContentSwitcher):
    """Tells all views of `study`, of its `answers` and of the pixel; asks what the one in sight must know."""

    kernels: var[FusedKernels | None] = var(None)
    """The last fused kernels."""
    study: var[Study | None] = var(None)
    """The last good result."""
    answers: var[Answers] = var(Answers)
    """What has been found out about it."""
    preview: var[Study | Doing | Failed | None] = var(None)
    """What became of the subject that a view asked to look at; None while none is asked for."""
    speed: var[Measurement | None] = var(None)
    """What is known of the speed of the study's block; None while nobody has asked."""
    wanted: var[Subject | None] = var[Subject | None](None)
    """What the form asks for; None where it holds nothing valid."""
    pixel: var[Pixel | None] = var[Pixel | None](None)
    """The output element that is looked at; None before the first result."""

    @dataclass
    class Asked(Message):
        """The view in sight needs the answer to this question about the study."""

        question: Question

    @dataclass
    class Changed(Message):
        """Another view is in sight."""

        view: BenchView

    def __init__(self, spec: BlockSpec, *, id: str | None = None) -> None:
        super().__init__(id=id, initial=KERNELS.id)
        self._spec = spec
        self._takes_focus = False
        self._before: tuple[Alterations, bool] | None = None
        self._together = False  # whether the kernels stand over the outputs
        self._outputs_alone = False  # whether a person asked for the outputs, which then have all the room

    def compose(self) -> ComposeResult:
        """The kernels, which are there before the first study is."""
        kernels = KernelsView(self._spec, id=KERNELS.id)
        kernels.in_sight = True
        yield self._bound(kernels.data_bind(StudyViews.kernels))

    def _bound(self, view: StudyView) -> StudyView:
        """The view, told of everything that it shows."""
        view.room = self.size
        view.data_bind(StudyViews.study, StudyViews.answers, StudyViews.pixel)
        return view.data_bind(*(getattr(StudyViews, name) for name in view.ALSO_BOUND))

    def _new(self, view: BenchView) -> StudyView:
        return self._bound(view.load()(id=view.id))

    @property
    def in_sight(self) -> StudyView:
        """The view that is shown."""
        shown = self.visible_content
        assert isinstance(shown, StudyView)
        return shown

    @property
    def place(self) -> BenchView:
        """The view that is shown, as its tab tells of it."""
        return next(view for view in VIEWS if view.id == self.current)

    def show(self, view: BenchView, branch: str | None = None) -> None:
        """Show that view; of the steps those of the named branch, "" for the sum."""
        self._takes_focus = True
        # Later, in the name of this widget: a key's action runs as the app, where nothing can be bound.
        self.call_later(self._show, view, branch)

    def leave_focus(self) -> None:
        """Take the focus no more for a view that is still on its way."""
        self._takes_focus = False

    async def _show(self, view: BenchView, branch: str | None) -> None:
        self._outputs_alone = view is OUTPUTS
        if view is not self.place:
            with self.app.batch_update():
                if not self._has(view):
                    await self.mount(self._new(view))
                self._switch_to(view.id)
            self._ask()
        elif view is OUTPUTS:
            self._stand_together()
        shown = self.in_sight
        if self._takes_focus:
            shown.focus_content()
        if branch is not None:
            shown.show_branch(branch)

    def _has(self, view: BenchView) -> bool:
        return bool(self.query_children(f"#{view.id}"))

    def _switch_to(self, name: str) -> None:
        """Be in that view, which is mounted."""
        self.current = name
        self._stand_together()
        self._mark_stale()
        self.post_message(self.Changed(self.place))

    def on_resize(self) -> None:
        """Tell the views what room there is."""
        self._stand_together()

    @on(StudyView.Arranged)
    def _rearranged(self, event: StudyView.Arranged) -> None:
        event.stop()
        self._stand_together()

    def on_descendant_focus(self) -> None:
        """Be in the view in which the focus is, of two that stand together."""
        inside = next((view for view in self._views if view.has_focus_within), None)
        if inside is not None and inside is not self.in_sight and self._together:
            with self.app.batch_update():
                self._switch_to(inside.id or "")

    @property
    def _views(self) -> list[StudyView]:
        return list(self.query_children(StudyView).results(StudyView))

    def _stand_together(self) -> None:
        """Show in Kernels the outputs under them, where the whole of both can be read; else one view."""
        kernels, pair = self.query_one(KernelsView), (KERNELS.id, OUTPUTS.id)
        spec = kernels.kernels.spec if kernels.kernels else self._spec
        rows = rows_side_by_side(spec, self.size.width)
        asked = (
            not self._outputs_alone
            and self.current in pair
            and not any(view.is_one_grid for view in self._views)
        )
        kernels.room = self.size
        fits = asked and rows is not None and kernels.leaves(rows)
        kernels.reserve = rows if fits and rows is not None else 0
        self._together = fits and self.study is not None
        if self._together and not self._has(OUTPUTS):
            self.call_later(self._add_outputs)
        for view in self._views:
            beside = self._together and view.id in pair
            view.display = view.in_sight = view.id == self.current or beside
            below = view.id == OUTPUTS.id and self._together
            view.room = self.size - Size(0, kernels.rows) if below else self.size

    async def _add_outputs(self) -> None:
        if not self._has(OUTPUTS):
            await self.mount(self._new(OUTPUTS), after=f"#{KERNELS.id}")
            self._stand_together()

    def watch_wanted(self) -> None:
        """Dim what is of another subject."""
        self._mark_stale()

    def watch_kernels(self) -> None:
        """Dim them, and make room for others."""
        self._mark_stale()
        if self.is_mounted:
            self._stand_together()

    def _mark_stale(self) -> None:
        """Dim the views: by both classes at once, for each change styles all that is in them."""
        if self.is_mounted:
            before = self.classes
            shown = self.kernels if self.place is KERNELS else self.study
            self.set_class(shown is not None and shown.subject != self.wanted, "-stale", update=False)
            older = self.study is not None and self.study.subject != self.wanted
            self.set_class(older, "-older-study", update=False)  # newer kernels may stand over its outputs
            if self.classes != before:
                self.update_node_styles()

    def watch_study(self, study: Study | None) -> None:
        """Keep the output element where it is, as far as the new output reaches.

        At first, and when the two sides have ceased to agree, it is the worst one.
        """
        if study is not None:
            worst = Pixel(*study.comparison.worst)
            now = study.alterations, study.verdict.ruling.agrees
            ceased = not study.verdict.ruling.agrees and now != self._before
            self._before = now
            self.pixel = worst if ceased else (self.pixel or worst).clamped(study.spec.output_nchw)
            self._mark_stale()
            self._ask()
            self._stand_together()

    def _ask(self) -> None:
        """Ask what the view in sight wants to know and has not been told."""
        question = self.in_sight.QUESTION
        if question is not None and self.study is not None and self.answers.to(question) is None:
            self.post_message(self.Asked(question))

    def on_study_view_pixel_chosen(self, event: StudyView.PixelChosen) -> None:
        """Go to the output element that a view asks for."""
        event.stop()
        self.go_to(event.pixel)

    def go_to(self, pixel: Pixel) -> None:
        """Look at another output element."""
        if self.study is not None:  # it may have been asked for on an older study, of a larger output
            self.pixel = pixel.clamped(self.study.spec.output_nchw)
