"""The bench: the form on the left; on the right one view of the study at a time, and the result."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on, work
from textual.app import ComposeResult, SystemCommand
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.events import Resize
from textual.message import Message
from textual.reactive import var
from textual.timer import Timer

from tui.analysis.alterations.alterations import FUSED, NOTHING_ALTERED, Alterations, Edit
from tui.analysis.alterations.places import EditablePlace
from tui.analysis.block_a import Beside
from tui.analysis.inquiry import Answers
from tui.analysis.numerics.pixel import Pixel
from tui.analysis.origin import Origin
from tui.analysis.progress import Doing, Failed
from tui.analysis.quantities import estimate_in_words
from tui.analysis.speed.conditions import Conditions
from tui.analysis.subject import Subject
from tui.export.items import Item
from tui.fusion.quoting import printable
from tui.fusion.specs.block_spec import BlockSpec
from tui.fusion.tap import Tap
from tui.running.run_state import Idle, RunState, Stopped, Waiting
from tui.screens.bench.foot_keys import FEW_COLUMNS, WELCOME, everywhere
from tui.screens.bench.hand_edits import changing, chosen_kernel, chosen_number, place_or_reason
from tui.screens.bench.history import SubjectHistory
from tui.screens.bench.keys import BINDINGS, FORM_LINES, HELP_LINES
from tui.screens.bench.number_editor import NumberEditor
from tui.screens.bench.study_views import StudyViews
from tui.screens.bench.views import PROBE, SPEED, STEPS, VIEWS, BenchView
from tui.screens.commands import commands_of
from tui.screens.keys_shown import keys_here, place_of, shown
from tui.screens.place_screen import PlaceScreen
from tui.views.kernels.view import KernelsView
from tui.views.shared.result import ResultView
from tui.views.shared.study_view import StudyView
from tui.widgets.foot import GAP, Foot
from tui.widgets.form.branch_list import BranchList
from tui.widgets.form.parameter_form import ParameterForm
from tui.widgets.grid.heat_grid import HeatGrid
from tui.widgets.help_line import HelpLine
from tui.widgets.notice import Notice
from tui.widgets.top_bar import TopBar
from tui.widgets.view_tabs import ViewTabs

if TYPE_CHECKING:
    from tui.analysis.speed.measurement import Measurement
    from tui.analysis.study import FusedKernels, Study
    from tui.importing.saved_study import SavedStudy
    from tui.views.speed.view import SpeedView

TYPING_PAUSE = 0.25
"""Seconds without a further edit after which the block is run."""
LOW = 16
"""Rows below which the result has one line."""
IN_THE_FORM = "IN THE FORM"
"""A heading of the help."""
TOLD_TOGETHER = (("Kernels",), ("Steps",), ("Outputs", "Probe"), ("Rounding",), ("Mistakes",), ("Speed",))
"""The titles of the views whose keys stand under one heading of the help."""
BUSY_AFTER = 0.2
"""Seconds after which a run is worth a word; shorter ones would only flicker."""


class BenchScreen(PlaceScreen):
    """Composes form and views; asks for runs and shows what the app says of them."""

    BINDINGS: ClassVar[list[BindingType]] = BINDINGS

    kernels: var[FusedKernels | None] = var(None)
    """The last fused kernels."""
    study: var[Study | None] = var(None)
    """The last good result."""
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
    class AChosen(Message):
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
        super().__init__()
        self._welcome = welcome
        self._subject = subject
        self._compared = compared  # the block A
        self._wanted = subject.alterations  # what the user altered, also where the present block has no place
        self._history = SubjectHistory(self._subject)
        self._valid = True  # whether the form holds a valid spec; where not, `_subject` is the last valid one
        self._pause: Timer | None = None
        self._busy: Timer | None = None
        self.waits_to_paint: Callable[[], bool] = lambda: False  # set by who paints when all is known

    def compose(self) -> ComposeResult:
        """The tabs, form and views side by side, the keys. A view is mounted when it is first looked at."""
        yield TopBar([view.title for view in VIEWS], id="top")
        with Horizontal(id="body"):
            yield ParameterForm(self._subject.spec, self._subject.origin, id="form")
            with Vertical(id="right"):
                yield StudyViews(self._subject.spec, id="views").data_bind(
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

    def action_edit(self) -> None:
        """Edit the weight, or the element of the input, under the cursor; of several numbers, one."""
        places = place_or_reason(self, self.view.numbers_under_cursor)
        if places is not None and len(places) > 1:
            self._edit_one_of(places)
        elif places is not None:
            self._edit(places[0])

    @work
    async def _edit_one_of(self, places: tuple[EditablePlace, ...]) -> None:
        study = self._editable_study()
        place = None if study is None else await chosen_number(self, study, places)
        if place is not None:
            self._edit(place)

    def action_edit_bias(self) -> None:
        """Edit the bias of the output channel under the cursor."""
        place = place_or_reason(self, self.view.bias_under_cursor)
        if place is not None:
            self._edit(place)

    def action_reset(self) -> None:
        """Give the number under the cursor the value back that the block has there."""
        places = place_or_reason(self, self.view.numbers_under_cursor)
        alterations = self._subject.alterations
        for place in places or ():
            alterations = alterations.without(place.name, place.index)
        self._alter(alterations)

    def action_reset_all(self) -> None:
        """Drop every number that was set by hand, and the mistake."""
        self._wanted = NOTHING_ALTERED
        self._alter(NOTHING_ALTERED)

    def _editable_study(self) -> Study | None:
        """The study whose numbers can be set, None where there is none yet; the user is told."""
        if self.study is not None and (self.kernels is not self.study or self.view.study is not self.study):
            self.notify("This block is still being run: its numbers can be set when its result is there.")
            return None
        return self.study

    def _edit(self, place: EditablePlace) -> None:
        study = self._editable_study()
        if study is None:
            return
        self._make_room_for_editor(is_open=True)
        edited = self._subject.alterations.value_at(place.name, place.index)
        self.query_one(NumberEditor).edit(study, place, edited)

    @on(NumberEditor.Edited)
    def _number_edited(self, event: NumberEditor.Edited) -> None:
        event.stop()
        place, alterations = event.place, self._subject.alterations
        if event.value is None:
            self._alter(alterations.without(place.name, place.index))
        else:
            self._set((Edit(place.name, place.index, event.value),))

    @on(NumberEditor.Closed)
    def _editor_closed(self, event: NumberEditor.Closed) -> None:
        event.stop()
        self._make_room_for_editor(is_open=False)

    def _make_room_for_editor(self, *, is_open: bool) -> None:
        """Have the editor in the result's place; a class of the screen would style all its widgets anew."""
        self.query_one(ResultView).set_class(is_open, "-covered")
        self.query_one(NumberEditor).set_class(is_open, "-editing")

    @work
    async def action_named_kernel(self) -> None:
        """Offer kernels by name for the branch in focus."""
        place = place_or_reason(self, self.view.weight_under_cursor)
        edits = () if place is None else await chosen_kernel(self, self._subject.spec, place)
        self._set(edits)

    @on(StudyView.MistakeChosen)
    def _mistake_chosen(self, event: StudyView.MistakeChosen) -> None:
        event.stop()
        self._alter(replace(self._subject.alterations, mistake=event.name))

    def _set(self, edits: tuple[Edit, ...]) -> None:
        """Set these numbers, if that changes one."""
        self._alter(self._subject.alterations.edited(*changing(edits, self.study, self._subject)))

    def _alter(self, alterations: Alterations) -> None:
        """Go on to the same block with these alterations, if they are others, and ask for its run at once."""
        spec = self._subject.spec
        if alterations.fitting(spec) == self._subject.alterations:
            return
        self._wanted = alterations.fitting(spec)
        self._edited(replace(self._subject, alterations=self._wanted), pause=0)

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
        self._valid = True
        self._wanted = subject.alterations
        self._edited(subject, pause=0)

    def _show_saved(self, saved: SavedStudy) -> None:
        self.show_subject(saved.subject)
        if saved.compared is not None:
            self._compare_with(saved.compared)

    @on(ParameterForm.Edited)
    def _form_edited(self, event: ParameterForm.Edited) -> None:
        event.stop()
        self._valid = True
        # On the way from 8 to 16 channels there is 1, which has no place for most edits: they come back.
        subject = Subject(event.spec, self._wanted.fitting(event.spec), event.origin)
        self._edited(subject, pause=TYPING_PAUSE)

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
        self._valid = False
        self._mark_stale()
        self.post_message(self.RunWithdrawn())

    def _edited(self, subject: Subject, *, pause: float) -> None:
        self._history.add(subject)
        self._go_to(subject, pause=pause)

    def _go_to(self, subject: Subject, *, pause: float = 0) -> None:
        self.welcomed()
        self._subject = subject
        self._show_which_block()
        self._mark_stale()
        self._stop_pause()
        if pause:
            self._pause = self.set_timer(pause, self._request)
        else:
            self._request()

    def _show_which_block(self) -> None:
        top, origin = self.query_one(TopBar), self._subject.origin
        top.title = "" if origin is None else printable(origin.title)
        top.spec = self._subject.spec

    def _request(self) -> None:
        self._pause = None
        self.post_message(self.RunRequested(self._subject))

    def _stop_pause(self) -> None:
        if self._pause is not None:
            self._pause.stop()
            self._pause = None

    def watch_study(self) -> None:
        """What was dimmed may be of the form's block now."""
        self._mark_stale()

    def _mark_stale(self) -> None:
        """Dim what does not belong to the form."""
        wanted = self._subject if self._valid else None
        self.query_one(StudyViews).wanted = wanted
        stale = self.study is not None and self.study.subject != wanted
        self.query_one(ResultView).set_class(stale, "-stale")

    def watch_run_state(self, state: RunState) -> None:
        """Say what is going on, in the top line or in a notice."""
        notice, top, result = self.query_one(Notice), self.query_one(TopBar), self.query_one(ResultView)
        if self._busy is not None:
            self._busy.stop()
        if isinstance(state, Doing):
            self._show_busy(state)
        else:
            result.doing = ""
            top.busy = "" if self._valid else "not valid: see the form (f)"
        match state:
            case Waiting():
                notice.say(_asking(state), error=state.too_large)
            case Failed(words):
                notice.say(f"The run failed: {words}", error=True)
            case Stopped():
                top.busy = "stopped: r runs it"
            case _:
                pass
        if not isinstance(state, Waiting | Failed):
            notice.text = ""

    def _show_busy(self, doing: Doing) -> None:
        top = self.query_one(TopBar)

        def show() -> None:
            if isinstance(self.run_state, Doing):  # the timer's last call may come after its end
                top.busy = f"{doing.words} …"
                place = f", {doing.place}" if doing.place else ""
                self.query_one(ResultView).doing = f"{doing.words}{place} …"

        if top.busy or self.study is None:
            show()
        else:
            self._busy = self.set_timer(BUSY_AFTER, show)

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
        lines = {view.title: view.load().HELP_LINES for view in VIEWS}
        return {
            "VIEWS": tuple(
                HelpLine(f"{number} {view.title}", view.summary, (f"bench.view-{number}",))
                for number, view in enumerate(VIEWS, start=1)
            ),
            "KEYS": HeatGrid.HELP_LINES + HELP_LINES,
            IN_THE_FORM: FORM_LINES,
            **{
                f"IN {' AND '.join(titles).upper()}": tuple(line for title in titles for line in lines[title])
                for titles in TOLD_TOGETHER
            },
        }

    def help_heading(self) -> str:
        """The heading of the help under which the keys of the place in focus are told."""
        form = self.query_one(ParameterForm)
        if self.focused is not None and form in self.focused.ancestors_with_self:
            return IN_THE_FORM
        titles = next(titles for titles in TOLD_TOGETHER if self.query_one(StudyViews).place.title in titles)
        return f"IN {' AND '.join(titles).upper()}"

    def action_run(self) -> None:
        """Run the block of the form now, whatever it costs."""
        self._stop_pause()
        self.post_message(self.RunRequested(self._subject, insisted=True))

    def action_stop(self) -> None:
        """Stop the run, at its next piece of work; the older result stays, dimmed."""
        self.post_message(self.StopRequested())

    def action_form(self) -> None:
        """Go to the form; on a narrow screen, unfold it."""
        self.query_one(ParameterForm).unfold(True)
        self.remove_class("-one-grid")
        self.query_one(StudyViews).leave_focus()
        self.query_one(ParameterForm).focus_first()

    @property
    def origin(self) -> Origin | None:
        """Where the block on the bench comes from."""
        return self._subject.origin

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
        self.set_class(self.view.is_one_grid, "-one-grid")
        self.refresh_bindings()

    def on_resize(self, event: Resize) -> None:
        """On very low screens, leave to the grids what others need not have."""
        self.set_class(event.size.height < LOW, "-tiny")
        self.refresh_bindings()  # the foot is told with it, whose words depend on the width

    def action_add_branch(self) -> None:
        """Ask for another branch of the block, from wherever the focus is."""
        if self._subject.origin is not None:
            self.notify("The branches are what was read: a preset (p) starts a block of your own.")
            return
        self.query_one(BranchList).action_add()

    def action_undo(self) -> None:
        """Go back to the block before the last change; from an invalid form, to the last valid one."""
        self._revisit(self._history.back() if self._valid else self._history.now)

    def action_redo(self) -> None:
        """Go forth again."""
        self._revisit(self._history.forth())

    def _revisit(self, subject: Subject | None) -> None:
        if subject is None:
            self.notify("There is nothing more in that direction.", timeout=2)
        else:
            self.query_one(ParameterForm).show(subject.spec, subject.origin)
            self._valid = True
            self._wanted = subject.alterations
            self._go_to(subject)

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
            self._subject.spec,
            self._grid_in_focus,
            self.query_one(KernelsView).cursor or Tap(0, 0, 0, 0),
            study=self._study_of_the_form,
            show=self._show_saved,
            alter=self._alter,
        )
        await bring_back(self, place)

    def _study_of_the_form(self) -> Study | None:
        """The result of what the form holds, None while there is none."""
        of_the_form = self._valid and self.study is not None and self.study.subject == self._subject
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
        self.post_message(self.AChosen(a))

    def action_sweep(self) -> None:
        """Vary the block of the form, under the conditions that the speed view was told, if any."""
        (*speed,) = self.query(f"#{SPEED.id}").results()
        usual = Conditions() if self.study is None else Conditions(self.study.ran_on.device)
        chosen = cast("SpeedView", speed[0]).conditions if speed else usual
        self.post_message(self.SweepWanted(self._subject, chosen))

    def action_bias(self) -> None:
        """On a narrow screen, swap the line that adds up weights for the one that adds up biases."""
        self.toggle_class("-bias")


def _asking(waiting: Waiting) -> str:
    needs = estimate_in_words(waiting.estimate)
    if waiting.too_large:
        return (
            f"This run would take {needs}, more than this machine has. Make the block or its input smaller."
        )
    return f"This run takes {needs}. Press r to run it."
