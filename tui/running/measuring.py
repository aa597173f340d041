"""The app's part of the speed view: measurements, of which one at most is going on, for the study at hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING

from textual import work
from textual.app import App
from textual.reactive import var

from tui.analysis.estimate import estimate_of
from tui.analysis.failure import in_words
from tui.analysis.progress import Doing, Failed
from tui.running.background import iterate_in_thread

if TYPE_CHECKING:
    from tui.analysis.speed.conditions import Conditions
    from tui.analysis.speed.measurement import Measurement
    from tui.analysis.speed.report import SpeedReport
    from tui.analysis.study import Study
    from tui.views.speed.view import SpeedView

SHOWN_EVERY = 0.25
"""Seconds between two reports that are shown: what is painted takes a processor from what is timed."""

MeasureFunction = Callable[["Study", "Conditions"], Iterator["Doing | SpeedReport"]]


def deferred_measure(study: Study, conditions: Conditions) -> Iterator[Doing | SpeedReport]:
    """Time the block of that study and its fused convolution; what that needs is imported then.

    Raises:
        Refusal, RuntimeError: as `tui.analysis.speed.measuring.measure` does.
    """
    from tui.analysis.speed.measuring import measure

    return measure(study.block, study.conv, study.x, conditions)


class MeasuringApp(App[None]):
    """An app that measures what the speed view asks for, by `measure`; tests put another in its place."""

    speed: var[Measurement | None] = var(None)
    """What is known of the speed of the study's block; None while nobody has asked."""

    def __init__(self, measure: MeasureFunction = deferred_measure) -> None:
        super().__init__()
        self._measure_function = measure

    def on_speed_view_measure_wanted(self, event: SpeedView.MeasureWanted) -> None:
        """Measure it, or say what that takes; what was being measured is let go."""
        from tui.analysis.speed.measurement import Measurement, cost_of_measuring  # not at the start

        if self.speed is not None and self.speed.subject is event.study.subject and not event.insisted:
            return
        self._let_go()
        subject, conditions = event.study.subject, event.conditions
        asked = None if event.insisted else cost_of_measuring(estimate_of(subject.spec))
        self.speed = Measurement(subject, conditions, asked or Doing("waiting for what else runs"))
        if asked is None:
            self._measure([event.study], self.speed)

    @work(group="speed", exclusive=True, exit_on_error=False, description="speed")
    async def _measure(self, study: list[Study], measurement: Measurement) -> None:
        """Keep what is found. A worker that was cancelled does not come back here.

        `study` is taken out of its list: a widget that is mounted meanwhile, as the plot is, has this worker
        in its context for good, and with it what the worker was given.
        """
        shown = 0.0
        try:
            steps = partial(self._measure_function, study.pop(), measurement.conditions)
            async for step in iterate_in_thread(steps, alone=True):
                measurement = measurement.having(step)
                if not _is_a_round(step) or monotonic() - shown >= SHOWN_EVERY:
                    self.speed, shown = measurement, monotonic()
        except Exception as error:
            self.speed = measurement.ended_by(Failed(in_words(error)))

    def on_speed_view_stop_wanted(self) -> None:
        """Measure no more."""
        self.stop_measuring()

    def stop_measuring(self) -> None:
        """Measure no more; what was measured stays."""
        self._let_go()
        if self.speed is not None:
            from tui.analysis.speed.measurement import BrokenOff  # there is one: it is imported

            self.speed = self.speed.ended_by(BrokenOff())

    def on_speed_view_left(self) -> None:
        """Nobody looks: what is going on begins anew when somebody does."""
        if self.speed is not None and self.speed.is_going_on:
            self.forget_speed()

    def forget_speed(self) -> None:
        """There is another block, or nobody looks any more."""
        self._let_go()
        self.speed = None

    def _let_go(self) -> None:
        """Its thread ends at the next step, its worker here and now."""
        self.workers.cancel_group(self, "speed")


def _is_a_round(step: Doing | SpeedReport) -> bool:
    """Whether it is one report of many."""
    return not isinstance(step, Doing) and not step.is_done and step.rounds > 1
