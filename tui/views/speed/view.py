"""The view of the speed: how much faster the fused block is, where that comes from, and what limits it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.content import Content
from textual.message import Message
from textual.reactive import var

from tui.analysis.speed.conditions import Conditions
from tui.analysis.speed.measurement import Done, Measurement
from tui.analysis.subject import Subject
from tui.running.background import iterate_in_thread
from tui.views.shared.study_view import StudyView
from tui.views.speed.condition_rows import (
    Choices,
    ConditionLine,
    ConditionRows,
    conditions_of,
    threads_here,
)
from tui.views.speed.headline import by_arithmetic, headline
from tui.views.speed.side_tables import WORK, times_table, work_table
from tui.widgets.foot_key import FootKey
from tui.widgets.help_line import HelpLine
from tui.widgets.plot.without_plots import WithoutPlots
from tui.widgets.steady_text import SteadyText

if TYPE_CHECKING:
    from tui.analysis.speed.report import SpeedReport
    from tui.analysis.study import Study

_TABLES_BESIDE = 150
"""Columns from which the two tables stand side by side."""
_PLOT_BESIDE = 86
"""Columns from which the plot stands beside the conditions."""
_GAP = 4


class SpeedView(StudyView, can_focus=True):
    """What fusing buys: both sides timed, what each has to do, and the roofline.

    It asks for a measurement when it is in sight, the study is the form's, and none is there.
    """

    HELP_LINES: ClassVar[tuple[HelpLine, ...]] = (
        HelpLine(
            "enter, escape",
            "in Speed: measure again, under the conditions that are chosen; stop, what was measured stays",
            ("speed.measure", "speed.stop"),
        ),
        HelpLine(
            "arrows",
            "in Speed: another condition (up, down), another value of it (left, right); page keys scroll",
            ("speed.up", "speed.down", "speed.left", "speed.right", "speed.page-up", "speed.page-down"),
        ),
    )
    FOOT_KEYS: ClassVar[tuple[FootKey, ...]] = (
        FootKey("stop", ("speed.stop",)),
        FootKey("measure", ("speed.measure",)),
        FootKey("condition", ("speed.up", "speed.down")),
        FootKey("value", ("speed.left", "speed.right")),
    )
    ALSO_BOUND: ClassVar[tuple[str, ...]] = ("speed", "wanted")
    SCOPED_CSS = False
    DEFAULT_CSS = """
    SpeedView {
        padding: 1 0 0 1; overflow-y: auto; scrollbar-size-vertical: 1; scrollbar-gutter: stable;
        & SteadyText { height: auto; }
        & #speed-tables, & #speed-left { height: auto; }
        & #speed-times, & #speed-work { text-wrap: nowrap; margin: 1 0 0 0; }
        & #speed-below { height: auto; margin: 1 0 0 0; }
        & #speed-remarks { margin: 1 1 0 0; color: $text-warning; }
        & #speed-roof { height: auto; }
        & StillPlot { height: 15; margin: 1 1 0 0; }
        &.-unsettled { & #speed-times, & #speed-work, & #speed-roof, & #speed-arithmetic { opacity: 60%; } }
        &.-tables-beside {
            & #speed-tables { layout: horizontal; }
            & #speed-times { width: auto; margin: 1 4 0 0; }
        }
        &.-plot-beside {
            & #speed-below { layout: horizontal; height: 1fr; min-height: 14; }
            & #speed-left { width: 40; margin: 0 2 0 0; }
            & #speed-roof { width: 1fr; height: 100%; }
            & StillPlot { height: 1fr; margin: 0 1 0 0; }
        }
        &.-unremarked #speed-remarks { display: none; }
    }
    .-low SpeedView {
        padding: 0 0 0 1;
        & #speed-times, & #speed-work, & #speed-below, & #speed-remarks { margin: 0; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter",
            "measure",
            "Measure the speed again",
            show=False,
            id="speed.measure",
            tooltip="Under the conditions that are chosen",
        ),
        Binding(
            "escape",
            "stop",
            "Stop measuring",
            show=False,
            id="speed.stop",
            tooltip="What was measured till now stays",
        ),
        Binding("up,k", "choose(-1)", show=False, id="speed.up"),
        Binding("down,j", "choose(1)", show=False, id="speed.down"),
        Binding("left,h", "turn(-1)", show=False, id="speed.left"),
        Binding("right,l", "turn(1)", show=False, id="speed.right"),
        Binding("pageup", "page_up", show=False, id="speed.page-up"),
        Binding("pagedown", "page_down", show=False, id="speed.page-down"),
    ]

    speed: var[Measurement | None] = var[Measurement | None](None, init=False)
    """What is known of the study's speed; None while nothing was asked."""
    wanted: var[Subject | None] = var[Subject | None](None, init=False)
    """What the form holds."""
    conditions: var[Conditions] = var(Conditions, init=False)
    """What the next measurement is made under."""
    chosen: var[int] = var(0, init=False)
    """The condition whose value the arrows turn."""

    @dataclass
    class MeasureWanted(Message):
        """The study's block is to be timed; `insisted` where the user said so."""

        study: Study
        conditions: Conditions
        insisted: bool = False

    class StopWanted(Message):
        """The user does not want to wait for the measurement."""

    class Left(Message):
        """The view is not in sight any more."""

    _has_begun = False
    _was_in_sight = False
    _looked_for_devices = False

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._choices = Choices(threads_here())
        self._said: dict[str, Content] = {}

    def compose(self) -> ComposeResult:
        """The gain; the tables; the conditions and the roofline, which comes with the first peaks."""
        yield SteadyText("", id="speed-gain", markup=False)
        with Container(id="speed-tables"):
            yield SteadyText("", id="speed-times", markup=False)
            yield SteadyText("", id="speed-work", markup=False)
        yield SteadyText("", id="speed-arithmetic", markup=False)
        with Container(id="speed-below"):
            with Vertical(id="speed-left"):
                yield ConditionRows()
                yield SteadyText("", id="speed-remarks", markup=False)
            yield Vertical(id="speed-roof")

    def on_mount(self) -> None:
        """Begin, where the study is there already."""
        self._ask()

    @work(group="devices", exclusive=True, exit_on_error=False, description="devices")
    async def _look_for_devices(self) -> None:
        """Offer the devices of this machine; the first question about them can take a second."""
        async for choices in iterate_in_thread(lambda: iter((choices_here(),))):
            self._choices = choices
            self.watch_chosen()

    @property
    def devices(self) -> tuple[str, ...]:
        """Those that can be chosen."""
        return self._choices.devices

    def focus_content(self) -> None:
        """Take the keys."""
        self.focus()

    def watch_room(self) -> None:
        """Fill the room that there is."""
        self.refresh_content()

    def show_study(self, study: Study) -> None:
        """Write what has been measured."""
        if not self.room:  # not known yet: watch_room follows
            return
        width = self.room.width - self.gutter.width
        if not self._looked_for_devices:  # torch, which knows them, is there once a study is
            self._looked_for_devices = True
            self._look_for_devices()
        self.set_class(width >= _TABLES_BESIDE, "-tables-beside")
        self.set_class(width >= _PLOT_BESIDE, "-plot-beside")
        measurement = self.speed if self.speed is None or self.speed.subject is study.subject else None
        report = None if measurement is None else measurement.report
        as_chosen = measurement is None or measurement.conditions == self.conditions
        settled = measurement is not None and isinstance(measurement.state, Done) and as_chosen
        self.set_class(not settled or self._study_of_the_form is None, "-unsettled")
        is_valid = self.wanted is not None
        self._say("speed-gain", headline(measurement, as_chosen=as_chosen, is_valid=is_valid))
        times = width - WORK - _GAP if width >= _TABLES_BESIDE else width
        self._say("speed-times", times_table(report, times))
        self._say("speed-work", work_table(report, width))
        self._say("speed-arithmetic", Content("") if report is None else by_arithmetic(report, width))
        self._show_conditions(study)
        remarks = () if report is None else report.remarks
        self.set_class(not remarks, "-unremarked")
        self._say("speed-remarks", Content("\n".join(f"• {remark}" for remark in remarks)))
        self._show_roof(report)

    def _show_conditions(self, study: Study) -> None:
        rows = self.query_one(ConditionRows)
        rows.show(self.conditions, self._choices, self.chosen, study.spec)

    def _show_roof(self, report: SpeedReport | None) -> None:
        """Draw the roofline, once there are peaks; what draws it is imported then."""
        place = self.query_one("#speed-roof")
        there = report is not None and report.peaks is not None
        place.display = there
        if report is None or not there:
            return
        try:
            from tui.views.speed.roofline import Roofline, key_to
        except ImportError:  # numpy, or what needs it, is left out of this installation
            if not place.query(WithoutPlots):
                place.mount(WithoutPlots())
            return
        if not place.query(Roofline):
            place.mount(Roofline(id="roofline"), SteadyText(id="speed-key", markup=False))
        place.query_one(Roofline).show(report)
        self._say("speed-key", key_to(report))

    def _say(self, name: str, content: Content) -> None:
        """Write it there, where something else stands: the rest of the view is not painted for one line."""
        said = self._said.get(name)
        if said is None or not said.is_same(content):
            self._said[name] = content
            self.query_one(f"#{name}", SteadyText).show(content)

    def watch_study(self) -> None:
        """Measure the new one."""
        super().watch_study()
        self._ask()

    def watch_wanted(self) -> None:
        """The study may be the form's now, or no more."""
        self.refresh_content()
        self._ask()

    def watch_in_sight(self) -> None:
        """Begin when somebody looks, and end when nobody does."""
        self.refresh_content()
        if self._was_in_sight and not self.in_sight:
            self.post_message(self.Left())
        self._was_in_sight = self.in_sight
        self._ask()

    def watch_speed(self, before: Measurement | None, now: Measurement | None) -> None:
        """Show what has been found."""
        self.refresh_content()
        if (before is not None and before.is_going_on) != (now is not None and now.is_going_on):
            self.refresh_bindings()
        self._ask()

    def watch_conditions(self) -> None:
        """Say what is chosen now, and what was measured otherwise."""
        self.refresh_content()

    def watch_chosen(self) -> None:
        """Show the place."""
        if self.study is not None and self.is_mounted:
            self._show_conditions(self.study)

    def _ask(self) -> None:
        """Ask for a measurement where none was made of the study, and the study is the form's."""
        self._begin_where_it_ran()
        if self.speed is None and self.in_sight and self.is_mounted and self._study_of_the_form is not None:
            self.post_message(self.MeasureWanted(self._study_of_the_form, self.conditions))

    def _begin_where_it_ran(self) -> None:
        """Measure on the device of the study as long as no other one was chosen."""
        if self.study is not None and self.is_mounted and not self._has_begun:
            self._has_begun = True
            self.conditions = replace(self.conditions, device=self.study.ran_on.device)

    @property
    def _study_of_the_form(self) -> Study | None:
        study = self.study
        return study if study is not None and study.subject == self.wanted else None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Escape stops what goes on; else it does what it does everywhere."""
        if action == "stop":
            return self.speed is not None and self.speed.is_going_on
        return super().check_action(action, parameters)

    def action_measure(self) -> None:
        """Measure the block of the form under the conditions that are chosen, whatever it takes."""
        study = self._study_of_the_form
        if self.wanted is None:
            self.notify("The form is not valid, and nothing to be measured: f goes to it.", timeout=4)
        elif study is None:
            self.notify("This block is still to be run: its speed is measured after that.", timeout=4)
        else:
            self.post_message(self.MeasureWanted(study, self.conditions, insisted=True))

    def action_stop(self) -> None:
        """Measure no more."""
        self.post_message(self.StopWanted())

    def action_choose(self, step: int) -> None:
        """Go to another condition."""
        self.chosen = max(0, min(self.chosen + step, len(conditions_of(self._choices)) - 1))

    def action_turn(self, step: int) -> None:
        """Choose another value of the condition."""
        self.conditions = conditions_of(self._choices)[self.chosen].turned(self.conditions, step)

    @on(ConditionLine.Clicked)
    def _line_clicked(self, event: ConditionLine.Clicked) -> None:
        event.stop()
        if event.place == self.chosen:
            self.action_turn(1)
        self.chosen = event.place


def choices_here() -> Choices:
    """What can be chosen on this machine; it asks torch, which is there once there is a study."""
    from tui.analysis.numerics.devices import devices_here

    return Choices(threads_here(), devices_here())
