"""The bench: the form on the left; on the right one view of the study at a time, and the result."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on, work
from textual.app import ComposeResult, SystemCommand
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.events import Resize
from textual.message import Message
from textual.reactive import var
from textual.timer import Timer

from tui.analysis.alterations.alterations import FUSED
from tui.analysis.block_a import Beside
from tui.analysis.inquiry import Answers
from tui.analysis.numerics.pixel import Pixel
from tui.analysis.origin import Origin
from tui.analysis.progress import Doing, Failed
from tui.analysis.speed.conditions import Conditions
from tui.analysis.subject import Subject
from tui.export.items import Item
from tui.fusion.quoting import printable
from tui.fusion.specs.block_spec import BlockSpec
from tui.fusion.tap import Tap
from tui.running.run_state import Idle, RunState
from tui.screens.bench.editing import EditingScreen
from tui.screens.bench.foot_keys import FEW_COLUMNS, WELCOME, everywhere
from tui.screens.bench.help import IN_THE_FORM, heading_of, told_of_the_keys
from tui.screens.bench.keys import BINDINGS
from tui.screens.bench.number_editor import NumberEditor
from tui.screens.bench.run_told import RunTold
from tui.screens.bench.study_views import StudyViews
from tui.screens.bench.views import PROBE, SPEED, STEPS, VIEWS, BenchView
from tui.screens.commands import commands_of
from tui.screens.keys_shown import keys_here, place_of, shown
from tui.views.kernels.view import KernelsView
from tui.views.shared.result import ResultView
from tui.views.shared.study_view import StudyView
from tui.widgets.foot import GAP, Foot
from tui.widgets.form.branch_list import BranchList
from tui.widgets.form.parameter_form import ParameterForm
from tui.widgets.help_line import HelpLine
from tui.widgets.notice import Notice
from tui.widgets.top_bar import TopBar
from tui.widgets.view_tabs import ViewTabs

if TYPE_CHECKING:
    from tui.analysis.speed.measurement import Measurement
    from tui.analysis.study import Study
    from tui.importing.saved_study import SavedStudy
    from tui.views.speed.view import SpeedView

TYPING_PAUSE = 0.25
"""Seconds without a further edit after which the block is run."""
LOW = 16
"""Rows below which the result has one line."""
SLIM = 60
"""Columns below which nothing beside the unfolded form could be read."""


class BenchScreen(EditingScreen):
    """Composes form and views; asks for runs and shows what the app says of them."""

    BINDINGS: ClassVar[list[BindingType]] = BINDINGS

    run_state: var[RunState] = var[RunState](Idle)
    """What the app is doing about the spec."""

    preview: var[Study | Doing | Failed | None] = var(None)
    """What became of the subject that a view asked to look at, before it is wanted on the bench."""
    answers: var[Answers] = var(Answers)
    """What has been found out about the last good result."""
    speed: var[Measurement | None] = var(None)
    """What is known of its speed."""

    @dataclass
    class RunRequested(Message):
        """The user wants this studied; `insisted` when they said so after its cost was told."""

        subject: Subject
        insisted: bool = False

    @dataclass
    class ComparisonWanted(Message):
        """What the user wants to compare with from now on: a result, a subject to be run, or nothing."""

        a: Study | Subject | None

    class Welcomed(Message):
        """Somebody who started the program for the first time has found something to do."""

    class RunWithdrawn(Message):
        """The form holds no valid spec: nothing is to be run."""

    class StopRequested(Message):
        """The user does not want to wait for the run."""

    @dataclass
    class SweepWanted(Message):
        """The user wants to vary this block, and to have it timed under these conditions."""

        subject: Subject
        conditions: Conditions

    class BackWanted(Message):
        """The user wants to see the checkpoint or the module again that the block comes from."""

    way_back: var[str] = var("", init=False)
    """What the foot says of going back to the checkpoint or the module; empty where there is none."""

    beside: var[Beside | None] = var[Beside | None](None)
    """The block A and how the study differs from it; None while none is kept."""

    def __init__(self, subject: Subject, compared: Subject | None = None, *, welcome: bool = False) -> None:
        """`welcome`: whether the program is started for the first time."""
        super().__init__(subject)
        self._welcome = welcome
        self._compared = compared  # the block A
        self._pause: Timer | None = None
        self._run_told = RunTold(self)
        self.waits_to_paint: Callable[[], bool] = lambda: False  # set by who paints when all is known

    def compose(self) -> ComposeResult:
        """The tabs, form and views side by side, the keys. A view is mounted when it is first looked at."""
        yield TopBar([view.title for view in VIEWS], id="top")
        with Horizontal(id="body"):
            yield ParameterForm(self.subject.spec, self.subject.origin, id="form")
            with Vertical(id="right"):
                yield StudyViews(self.subject.spec, id="views").data_bind(
                    BenchScreen.kernels,
                    BenchScreen.study,
                    BenchScreen.answers,
                    BenchScreen.preview,
                    BenchScreen.speed,
                )
                yield Notice(id="notice")
                yield NumberEditor(id="editor")
                yield ResultView(id="result").data_bind(BenchScreen.study, BenchScreen.beside)
        yield Foot(id="foot")

    def _on_timer_update(self) -> None:
        """Paint, unless more is about to change, all of which is going to be painted at once."""
        if not self.waits_to_paint():
            super()._on_timer_update()

    @property
    def view(self) -> StudyView:
        """The view in sight."""
        return self.query_one(StudyViews).in_sight

    @property
    def middle(self) -> StudyView:
        """The view in sight."""
        return self.view

    def on_mount(self) -> None:
        """Stand in the first branch's grid."""
        self._show_which_block()
        self._mark_stale()
        self.view.focus_content()

    def _tell_keys(self, _: object = None) -> None:
        """Show the keys of the place in focus; while the terminal has none, those that were shown last."""
        active = self.active_bindings
        foot = self.query_one(Foot)
        at_the_grids, columns = self._is_at_the_grids, self.size.width
        foot.everywhere = shown(everywhere(self.way_back if at_the_grids else "", columns), active)
        # the way back is never left out
        foot.always = 2 if not at_the_grids or columns < FEW_COLUMNS else 3
        if self._welcome:
            foot.here, foot.separator, foot.everywhere = WELCOME, " · ", foot.everywhere[-1:]
        elif self.app.app_focus or not foot.here:
            foot.here, foot.separator = keys_here(place_of(self.focused, self.middle), active), GAP

    def welcomed(self) -> None:
        """Somebody who is here for the first time has found something to do: show the keys from now on."""
        if self._welcome:
            self._welcome = False
            self.query_one(Foot).here = ()
            self._tell_keys()
            self.post_message(self.Welcomed())

    @on(ViewTabs.Chosen)
    def _tab_chosen(self, event: ViewTabs.Chosen) -> None:
        event.stop()
        self._show(VIEWS[event.place])

    def action_view(self, place: int) -> None:
        """Show the view at that place of VIEWS."""
        self._show(VIEWS[place])

    def _show(self, view: BenchView) -> None:
        self.query_one(ParameterForm).unfold(False)
        self.query_one(StudyViews).show(view)

    @on(StudyViews.Changed)
    def _view_changed(self, event: StudyViews.Changed) -> None:
        event.stop()
        self.query_one(ViewTabs).current = VIEWS.index(event.view)
        self._show_legend()
        self._fill_screen()
        self.welcomed()

    @on(StudyView.LegendChanged)
    def _legend_changed(self, event: StudyView.LegendChanged) -> None:
        event.stop()
        self._show_legend()

    def _show_legend(self) -> None:
        self.query_one(ResultView).legend = self.view.legend

    def show_spec(self, spec: BlockSpec) -> None:
        """Put a whole other block into the form, and ask for its run at once."""
        self.show_subject(Subject(spec))

    def show_subject(self, subject: Subject) -> None:
        """Put a whole other block into the form, altered like that, and ask for its run at once."""
        self.query_one(ParameterForm).show(subject.spec, subject.origin)
        self.wanted.take(subject)
        self.run_wanted()

    def _show_saved(self, saved: SavedStudy) -> None:
        self.show_subject(saved.subject)
        if saved.compared is not None:
            self._compare_with(saved.compared)

    @on(ParameterForm.Edited)
    def _form_edited(self, event: ParameterForm.Edited) -> None:
        event.stop()
        self.wanted.take_spec(event.spec, event.origin)
        self.run_wanted(pause=TYPING_PAUSE)

    @on(BranchList.EditRequested)
    @work
    async def _edit_branch(self, event: BranchList.EditRequested) -> None:
        from tui.screens.dialogs.branch import BranchScreen  # not before the first paint

        branch = await self.app.push_screen_wait(BranchScreen(event.branch))
        if branch is not None:
            self.query_one(BranchList).write(event.position, branch)

    @on(ParameterForm.Refused)
    def _form_refused(self, event: ParameterForm.Refused) -> None:
        event.stop()
        self._stop_pause()
        self.wanted.refuse()
        self._mark_stale()
        self.post_message(self.RunWithdrawn())

    def run_wanted(self, *, pause: float = 0) -> None:
        """Show that another subject is wanted, and ask for its run after so many seconds."""
        self.welcomed()
        self._show_which_block()
        self._mark_stale()
        self._stop_pause()
        if pause:
            self._pause = self.set_timer(pause, self._request)
        else:
            self._request()

    def _show_which_block(self) -> None:
        top, origin = self.query_one(TopBar), self.subject.origin
        top.title = "" if origin is None else printable(origin.title)
        top.spec = self.subject.spec

    def _request(self) -> None:
        self._pause = None
        self.post_message(self.RunRequested(self.subject))

    def _stop_pause(self) -> None:
        if self._pause is not None:
            self._pause.stop()
            self._pause = None

    def watch_study(self) -> None:
        """What was dimmed may be of the form's block now."""
        self._mark_stale()

    def _mark_stale(self) -> None:
        """Dim what does not belong to the form."""
        wanted = self.wanted.of_the_form
        self.query_one(StudyViews).wanted = wanted
        stale = self.study is not None and self.study.subject != wanted
        self.query_one(ResultView).set_class(stale, "-stale")

    def watch_run_state(self, state: RunState) -> None:
        """Say what is going on."""
        self._run_told.tell(state, is_valid=self.wanted.is_valid, at_once=self.study is None)

    def commands(self) -> Iterator[SystemCommand]:
        """What the keys of the bench and of the view in sight do, and what has no key, for the palette."""
        yield from commands_of(self)
        yield from commands_of(self.view)
        yield SystemCommand("Reset all edits", "Drop all that was changed by hand", self.action_reset_all)
        from tui.screens.bench.taking_away import export_commands  # not before the first paint

        yield from export_commands(self.action_export)

    @staticmethod
    def help_sections() -> dict[str, tuple[HelpLine, ...]]:
        """What the help says of the keys, by heading."""
        return told_of_the_keys()

    def help_heading(self) -> str:
        """The heading of the help under which the keys of the place in focus are told."""
        form = self.query_one(ParameterForm)
        in_form = self.focused is not None and form in self.focused.ancestors_with_self
        return IN_THE_FORM if in_form else heading_of(self.query_one(StudyViews).place)

    def action_run(self) -> None:
        """Run the block of the form now, whatever it costs."""
        self._stop_pause()
        self.post_message(self.RunRequested(self.subject, insisted=True))

    def action_stop(self) -> None:
        """Stop the run, at its next piece of work; the older result stays, dimmed."""
        self.post_message(self.StopRequested())

    def action_form(self) -> None:
        """Go to the form; on a narrow screen, unfold it."""
        self.query_one(ParameterForm).unfold(True)
        self.query_one(ParameterForm).leave_out(False)
        self.query_one(StudyViews).leave_focus()
        self.query_one(ParameterForm).focus_first()

    @property
    def origin(self) -> Origin | None:
        """Where the block on the bench comes from."""
        return self.subject.origin

    def watch_way_back(self) -> None:
        """Tell the key."""
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Escape leaves the form or the one grid, and from the grids goes back to the checkpoint."""
        if action in ("back", "leave_form"):
            return self._is_at_the_grids == (action == "back")
        return super().check_action(action, parameters)

    @property
    def _is_at_the_grids(self) -> bool:
        """Whether there is a checkpoint to go back to, and nothing to be left on the way."""
        if not self.way_back or self.view.is_one_grid:
            return False
        form = self.query_one(ParameterForm)
        return not form.is_unfolded and not form.has_focus_within

    def action_back(self) -> None:
        """Go back to the checkpoint."""
        self.post_message(self.BackWanted())

    def action_leave_form(self) -> None:
        """Go back to the grids; on a narrow screen, fold the form; with a way back, from one grid to all."""
        if self.way_back and self.view.is_one_grid and not self.query_one(ParameterForm).has_focus_within:
            self.action_one_grid()
            return
        self.query_one(ParameterForm).unfold(False)
        self.view.focus_content()
        self._fill_screen()

    def action_one_grid(self) -> None:
        """Give all the room to the grid in focus, or to the view's last one; then back again."""
        self.view.action_one_grid()
        self._fill_screen()

    def _fill_screen(self) -> None:
        """Where one grid is to be seen, leave the form out."""
        self.query_one(ParameterForm).leave_out(self.view.is_one_grid)
        self.refresh_bindings()

    def on_resize(self, event: Resize) -> None:
        """On very low screens, leave to the grids what others need not have; on slim ones, to the form."""
        self.set_class(event.size.height < LOW, "-tiny")
        self.query_one(ParameterForm).set_class(event.size.width < SLIM, "-alone")
        self.refresh_bindings()  # the foot is told with it, whose words depend on the width

    def action_add_branch(self) -> None:
        """Ask for another branch of the block, from wherever the focus is."""
        if self.subject.origin is not None:
            self.notify("The branches are what was read: a preset (p) starts a block of your own.")
            return
        self.query_one(BranchList).action_add()

    def action_undo(self) -> None:
        """Go back to the block before the last change; from an invalid form, to the last valid one."""
        self._revisit(is_there=self.wanted.back())

    def action_redo(self) -> None:
        """Go forth again."""
        self._revisit(is_there=self.wanted.forth())

    def _revisit(self, *, is_there: bool) -> None:
        if is_there:
            self.query_one(ParameterForm).show(self.subject.spec, self.subject.origin)
            self.run_wanted()
        else:
            self.notify("There is nothing more in that direction.", timeout=2)

    def action_steps(self) -> None:
        """Show how the branch in focus becomes a kernel, or for the fused kernel's grid the sum."""
        kernels = self.query_one(KernelsView)
        branch = kernels.branch_in_focus
        name = None if not kernels.has_focus_within else branch.name if branch else ""
        self.query_one(StudyViews).show(STEPS, name)

    def action_probe_at(self, batch: int, channel: int, row: int, column: int) -> None:
        """Show the probe of an output element."""
        views = self.query_one(StudyViews)
        views.go_to(Pixel(batch, channel, row, column))
        self._show(PROBE)

    def action_probe_worst(self) -> None:
        """Show the probe of an element that the result names: of the verdict's, then of the worst one."""
        if self.study is None:
            self.notify("There is no result yet.", timeout=2)
            return
        worst = Pixel(*self.study.comparison.worst)
        first = self.study.verdict.place or worst
        views = self.query_one(StudyViews)
        seen = views.place is PROBE and views.pixel == first
        self.action_probe_at(*(worst if seen else first))

    def action_fit(self) -> None:
        """Zoom all grids of the view in sight to the whole."""
        self.view.action_zoom_fit()

    def action_zoom(self, steps: int) -> None:
        """Zoom the grids of the view in sight out (1) or in (-1)."""
        self.view.action_zoom(steps)

    def action_colour_scale(self) -> None:
        """Choose another scale of colours in the view in sight."""
        self.view.action_next_colour_scale()

    @work
    async def action_export(self, item: str = Item.SNIPPET) -> None:
        """Take the study away: to the clipboard or to a file."""
        from tui.screens.bench.taking_away import Takeable, take_away  # not before the first paint

        if self.study is None:
            self.notify("There is no result yet.", timeout=2)
            return
        await take_away(self, Takeable(self.study, self._grid_in_focus, self._compared), Item(item))

    @property
    def _grid_in_focus(self) -> str:
        """The study's name of the kernel in focus; in other views the fused one."""
        view = self.view
        return view.panel_in_focus.summand.name if isinstance(view, KernelsView) else FUSED

    @work
    async def action_bring_back(self) -> None:
        """Open a saved study, or put a kernel from elsewhere into the grid in focus."""
        from tui.screens.bench.bringing_back import Place, bring_back  # not before the first paint

        place = Place(
            self.subject.spec,
            self._grid_in_focus,
            self.query_one(KernelsView).cursor or Tap(0, 0, 0, 0),
            study=self._study_of_the_form,
            show=self._show_saved,
            alter=self.alter,
        )
        await bring_back(self, place)

    def _study_of_the_form(self) -> Study | None:
        """The result of what the form holds, None while there is none."""
        of_the_form = self.study is not None and self.study.subject == self.wanted.of_the_form
        return self.study if of_the_form else None

    def action_keep_a(self) -> None:
        """Keep the present block as A, to compare others with; let A go where there is one."""
        study = self._study_of_the_form()
        if self._compared is not None:
            self._compare_with(None)
        elif study is None:
            self.notify("There is no result of this block yet.", timeout=2)
        else:
            self._compare_with(study)

    def _compare_with(self, a: Study | Subject | None) -> None:
        self._compared = a if a is None or isinstance(a, Subject) else a.subject
        self.post_message(self.ComparisonWanted(a))

    def action_sweep(self) -> None:
        """Vary the block of the form, under the conditions that the speed view was told, if any."""
        (*speed,) = self.query(f"#{SPEED.id}").results()
        usual = Conditions() if self.study is None else Conditions(self.study.ran_on.device)
        chosen = cast("SpeedView", speed[0]).conditions if speed else usual
        self.post_message(self.SweepWanted(self.subject, chosen))

    def action_bias(self) -> None:
        """On a narrow screen, swap the line that adds up weights for the one that adds up biases."""
        self.query_one("#inspector").toggle_class("-bias")
