"""The app's part of the bench: runs, previews, answers and the block A, each found in the background."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING

from textual import work
from textual.reactive import var

from tui.analysis.block_a import Beside, BlockA, against_a, block_a_of
from tui.analysis.deferred import deferred_study, load_torch
from tui.analysis.estimate import estimate_of, memory_of_this_machine
from tui.analysis.failure import in_words
from tui.analysis.inquiry import Answers, Question, deferred_answer
from tui.analysis.numerics.ran_on import CPU
from tui.analysis.progress import Doing, Failed
from tui.analysis.subject import Subject
from tui.running.background import iterate_in_thread
from tui.running.measuring import MeasureFunction, MeasuringApp, deferred_measure
from tui.running.run_state import Idle, RunState, Stopped, Waiting, Withdrawn

if TYPE_CHECKING:
    from tui.analysis.study import FusedKernels, Piece, Study
    from tui.screens.bench.screen import BenchScreen
    from tui.screens.bench.study_views import StudyViews
    from tui.views.shared.study_view import StudyView

PREVIEW_PAUSE = 0.08
"""Seconds that the cursor rests before what it is on is run."""
PREVIEW_IS_LATE = 0.4
"""Seconds after which a preview says what it is doing; till then the one before stays."""
StudyFunction = Callable[[Subject], "Iterator[Piece]"]


class StudyingApp(MeasuringApp):
    """An app that studies what the bench asks for, by `study` (None: on this device), one block at a time.

    It lays each good result beside the block A, which is `compared` at first; what is measured is measured
    of the last one.
    """

    kernels: var[FusedKernels | None] = var(None)
    """The last fused kernels; those of `study`, or newer ones that are being run."""
    study: var[Study | None] = var(None)
    """The last good result."""
    answers: var[Answers] = var(Answers)
    """What has been found out about the last good result."""
    run_state: var[RunState] = var[RunState](Idle)
    """What is being done about the form's spec."""
    preview: var[Study | Doing | Failed | None] = var(None)
    """What became of a subject that a view asks to look at beside `study`; None while none asks."""
    beside: var[Beside | None] = var[Beside | None](None)
    """The block A and how the last good result differs from it; None while none is kept."""

    def __init__(
        self,
        study: StudyFunction | None = None,
        measure: MeasureFunction = deferred_measure,
        *,
        compared: Subject | None = None,
        device: str = CPU,
    ) -> None:
        super().__init__(measure)
        self._study_function = study or partial(deferred_study, device=device)
        self._a: BlockA | Subject | None = compared  # a subject as long as its study has not been run

    def on_bench_screen_run_requested(self, event: BenchScreen.RunRequested) -> None:
        """Run it."""
        self.request(event.subject, insisted=event.insisted)

    def on_bench_screen_run_withdrawn(self) -> None:
        """Run nothing."""
        self._cancel()
        self.run_state = Withdrawn()

    def on_bench_screen_stop_requested(self) -> None:
        """Stop what runs; what was found before stays."""
        if isinstance(self.run_state, Doing):
            self._cancel()
            self.run_state = Stopped()

    def _cancel(self) -> None:
        """Stop what runs, of another block: its thread at the next step, its worker here and now."""
        self.workers.cancel_group(self, "study")
        self.stop_measuring()

    def request(self, subject: Subject, *, insisted: bool = False) -> None:
        """Study it, or ask first if that is costly; what runs for an older subject is stopped."""
        self._cancel()
        estimate = estimate_of(subject.spec)
        memory = memory_of_this_machine()
        too_large = memory is not None and estimate.bytes > memory
        if too_large or (estimate.must_be_asked_for and not insisted):
            self.run_state = Waiting(estimate, too_large)
            threading.Thread(target=load_torch, name="torch", daemon=True).start()
            return
        self.run_state = Doing("running")
        self._run_study(subject)

    @work(group="study", exclusive=True, exit_on_error=False, description="study")
    async def _run_study(self, subject: Subject) -> None:
        """Keep what the study yields. A worker that was cancelled does not come back here."""
        try:
            steps = partial(self._study_function, subject)
            async for piece in iterate_in_thread(steps):
                self._take(piece)
        except Exception as error:
            self.run_state = Failed(in_words(error))

    def _take(self, piece: Piece) -> None:
        if isinstance(piece, Doing):
            self.run_state = piece
            return
        found = _study_in(piece)
        if found is not None:
            self.workers.cancel_group(self, "answer")
            self.forget_speed()
            self.answers = Answers()
            self.kernels = self.study = found
            self.run_state = Idle()
            self.compare()
        else:
            self.kernels = piece

    def on_bench_screen_comparison_wanted(self, event: BenchScreen.ComparisonWanted) -> None:
        """Compare with that from now on."""
        self._a = event.a if event.a is None or isinstance(event.a, Subject) else block_a_of(event.a)
        self.compare()

    def compare(self) -> None:
        """Lay the last good result beside A; an A that was not run waits until the block at hand was."""
        self.workers.cancel_group(self, "a")
        if self._a is None:
            self.beside = None
        elif isinstance(self._a, Subject) and self._does_not_fit(self._a):
            self.beside = Failed("it needs more memory than this machine has")
        elif self.study is None or (isinstance(self._a, Subject) and not isinstance(self.run_state, Idle)):
            self.beside = Doing("waits for the result")
        else:
            self._lay_beside(self._a, self.study)

    @staticmethod
    def _does_not_fit(subject: Subject) -> bool:
        memory = memory_of_this_machine()
        return memory is not None and estimate_of(subject.spec).bytes > memory

    @work(group="a", exclusive=True, exit_on_error=False, description="comparison with A")
    async def _lay_beside(self, a: BlockA | Subject, study: Study) -> None:
        try:
            async for item in iterate_in_thread(partial(against_a, a, study, self._study_function)):
                if isinstance(item, BlockA):
                    self._a = item
                else:
                    self.beside = item
        except Exception as error:
            self.beside = Failed(in_words(error))

    def on_study_view_preview_wanted(self, event: StudyView.PreviewWanted) -> None:
        """Look at another subject beside the study; the preview before stays until the next one is there."""
        self.workers.cancel_group(self, "preview")
        if event.subject is None:
            self.preview = None
        elif estimate_of(event.subject.spec).must_be_asked_for or self._does_not_fit(event.subject):
            self.preview = Failed("this block takes too long for one")
        else:
            self._run_preview(event.subject)

    @work(group="preview", exclusive=True, exit_on_error=False, description="preview")
    async def _run_preview(self, subject: Subject) -> None:
        """Keep what became of it. The next move of the cursor cancels this worker, and so the run."""
        await asyncio.sleep(PREVIEW_PAUSE)
        begin = monotonic()
        try:
            steps = partial(self._study_function, subject)
            async for piece in iterate_in_thread(steps):
                if isinstance(piece, Doing):
                    if monotonic() - begin > PREVIEW_IS_LATE:
                        self.preview = piece
                elif (found := _study_in(piece)) is not None:
                    self.preview = found
        except Exception as error:
            self.preview = Failed(in_words(error))

    def on_study_views_asked(self, event: StudyViews.Asked) -> None:
        """Find the answer, unless it is there or on its way."""
        if self.study is not None and self.answers.to(event.question) is None:
            self.answers = self.answers.having(event.question, Doing("looking closer"))
            self._find_answer(event.question, self.study)

    @work(group="answer", exit_on_error=False, description="answer")
    async def _find_answer(self, question: Question, study: Study) -> None:
        """Keep the answer to a question about the study, and till then what is being done for it."""
        try:
            async for item in iterate_in_thread(partial(deferred_answer, question, study)):
                if self.study is study:
                    self.answers = self.answers.having(question, item)
        except Exception as error:
            if self.study is study:
                self.answers = self.answers.having(question, Failed(in_words(error)))


def _study_in(piece: Piece) -> Study | None:
    """The study, if the piece is one."""
    from tui.analysis.study import Study  # what has something to show has imported torch

    return piece if isinstance(piece, Study) else None
