"""The view of the steps from the branches to one kernel, one at a time, with keys forth and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.events import Key
from textual.reactive import var
from textual.timer import Timer
from textual.widgets import OptionList

from tui.analysis.alterations.places import EditablePlace, NotEditableError
from tui.analysis.inquiry import Question
from tui.analysis.numerics.pixel import Pixel
from tui.analysis.progress import Doing, Failed
from tui.fusion.specs.padding import centre
from tui.fusion.tap import Tap
from tui.views.shared.colour_scale import ColourScale
from tui.views.shared.study_view import StudyView
from tui.views.steps.playing import Playing
from tui.views.steps.step_grids import StepGrids
from tui.views.steps.step_list import StepList
from tui.views.steps.step_pane import StepPane
from tui.widgets.equation.equation import Equation
from tui.widgets.foot_key import FootKey
from tui.widgets.grid.number_format import precise
from tui.widgets.help_line import HelpLine
from tui.widgets.key_line import KeyLine

if TYPE_CHECKING:
    from tui.analysis.steps.step import Step, Walkthrough
    from tui.analysis.study import Study


SECONDS_A_TICK = 0.15
"""From one tap of a step that is played to the next."""
PLAYS = Binding("space", "play", "Play", show=False, id="steps.play", tooltip="Play the step, tap by tap")


class StepsView(StudyView, can_focus=True):
    """The way from the branches to one kernel, step by step, each checked."""

    HELP_LINES: ClassVar[tuple[HelpLine, ...]] = (
        HelpLine(
            "n, N",
            "the next step and the one before; tab goes from the list to the kernel",
            ("steps.next", "steps.back"),
        ),
        HelpLine(
            "enter",
            "on the sum: set a number of the layers that the step shows: a weight or bias, of sequences too; "
            "gamma, beta, mean, var or eps of a batch norm; a scale",
        ),
        HelpLine(
            "space",
            "in Steps: play the step, its taps one after another; any key ends it",
            ("steps.play",),
        ),
    )
    FOOT_KEYS: ClassVar[tuple[FootKey, ...]] = (
        FootKey("next step", ("steps.next",)),
        FootKey("back", ("steps.back",)),
        FootKey("play", ("steps.play",)),
        FootKey("to the sum", ("tab",)),
        FootKey("set number", ("bench.edit",)),
        FootKey("zoom", ("steps.zoom-in", "steps.zoom-out")),
    )
    QUESTION: ClassVar[Question | None] = Question.WALKTHROUGH
    SCOPED_CSS = False  # the screen's size is told by its own classes
    DEFAULT_CSS = """
    StepsView {
        height: 1fr;
        & #step-list { width: 26; height: 1fr; margin: 1 0 0 0; border-right: solid $border-blurred; }
        &.-empty StepGrids, &.-empty #step-list { display: none; }
    }
    .-narrow StepsView #step-list { display: none; }
    .-low StepsView #step-list { margin: 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "go(1)", "Next step", show=False, id="steps.next", tooltip="Next step"),
        Binding("N,backspace", "go(-1)", "Back", show=False, id="steps.back", tooltip="The step before"),
        PLAYS,
        Binding("plus,equals_sign", "zoom(-1)", "Zoom in", show=False, id="steps.zoom-in"),
        Binding("minus", "zoom(1)", "Zoom out", show=False, id="steps.zoom-out"),
    ]

    place: var[int] = var(0, init=False)
    """The step that is shown, counted from 0."""
    cursor: var[Tap] = var(Tap(0, 0, 0, 0), init=False)
    """The weight of the step's last kernel whose arithmetic is told."""
    playing: var[Playing | None] = var[Playing | None](None, init=False)
    """How far the step has been played; None where all of it is there."""

    _walkthrough: Walkthrough | None = None
    _branch: str | None = None
    _taps: tuple[int, int] | None = None
    _timer: Timer | None = None
    _ended_by_key = False

    def compose(self) -> ComposeResult:
        """The list of the steps, and one of them."""
        with Horizontal():
            yield StepList(id="step-list")
            yield StepPane(id="step")

    def on_mount(self) -> None:
        """Show nothing before there is something."""
        self.add_class("-empty")

    @property
    def pane(self) -> StepPane:
        """What shows the step."""
        return self.query_one(StepPane)

    @property
    def grids(self) -> StepGrids:
        """The kernels of the step."""
        return self.pane.grids

    @property
    def step(self) -> Step | None:
        """The step that is shown, None before the first answer."""
        return self._walkthrough.steps[self.place] if self._walkthrough else None

    def show_study(self, study: Study) -> None:
        """Show the steps once they are known; till then, what is being done, beside the ones before."""
        answer = self.answers.walkthrough
        match answer:
            case None:
                self._say("looking closer …")
            case Doing(words):
                self._say(f"{words} …")
            case Failed(words):
                self._say(f"The steps could not be checked: {words}", style="$text-error")
            case _:
                if answer is not self._walkthrough:
                    self._begin(answer)
                elif self._of_maps and self._tap != self.grids.equation.cursor:
                    self._point()

    def forget(self) -> None:
        """Let go of the steps, which hold the outputs of both sides."""
        if self._walkthrough is not None:
            self.stop()
            self._walkthrough = None
            self.grids.forget()
            self.add_class("-empty")
            self.can_focus = True

    def _say(self, words: str, style: str = "$text-muted") -> None:
        self.pane.say(Content.styled(words, style))

    def _begin(self, walkthrough: Walkthrough) -> None:
        self._walkthrough = walkthrough
        waited = self.screen.focused is self
        self.remove_class("-empty")
        self.can_focus = False  # what is in it can
        self.query_one(StepList).show(walkthrough)
        self.set_reactive(StepsView.place, min(self.place, len(walkthrough.steps) - 1))
        self._go_to_branch()
        self.call_next(self._paint)
        self.call_after_refresh(self.pane.share_out)
        if waited:
            self.call_after_refresh(self.focus_content)

    def show_branch(self, name: str) -> None:
        """Go to the first step of a branch, "" for the whole block; as soon as the steps are known."""
        self._branch = name
        if self._walkthrough is not None and self.answers.walkthrough is self._walkthrough:
            self._go_to_branch()
            self.call_next(self._paint)

    def _go_to_branch(self) -> None:
        if self._walkthrough is not None and self._branch is not None:
            found = self._walkthrough.first_of(self._branch)
            self.set_reactive(StepsView.place, self.place if found is None else found)
            self._branch = None

    def watch_place(self) -> None:
        """Show the step."""
        self._paint()

    def _paint(self) -> None:
        step = self.step
        if step is None or self._walkthrough is None:
            return
        self.stop()
        self._place_cursor(step)
        self.query_one(StepList).point_at(self.place)
        count = len(self._walkthrough.steps)
        with self.app.batch_update():
            scale = self.pane.show(step, self.place + 1, count, self._tap)
        self.legend = f"±{precise(scale).lstrip('+')} ({self.grids.colour_scale.value})"

    @property
    def _of_maps(self) -> bool:
        """Whether the step shows outputs, whose cursor is the element that all views look at."""
        from tui.analysis.steps.step import Shows

        return self.step is not None and self.step.shows is Shows.MAPS

    @property
    def _tap(self) -> Tap:
        """What the cursor of the step stands on."""
        if self.playing is not None:
            return self.playing.tap
        if self._of_maps and self.pixel is not None:
            return Tap(*self.pixel)
        assert self.step is not None
        return self.cursor.clamped(self.step.after.shape)

    def _place_cursor(self, step: Step) -> None:
        """Keep the cursor where it is; in a kernel of another size, put it on the centre tap."""
        from tui.analysis.steps.step import Shows

        if step.shows is not Shows.KERNELS:
            return
        frame, tap = step.after.frame, self.cursor
        if frame != self._taps:
            tap = tap._replace(ky=centre(frame[0]), kx=centre(frame[1]))
        self._taps = frame
        self.set_reactive(StepsView.cursor, tap.clamped(step.after.shape))

    def watch_cursor(self) -> None:
        """Tell the arithmetic of the weight under the cursor."""
        self._point()

    def _point(self) -> None:
        if self.step is not None:
            self.pane.point_at(self.step, self._tap)

    def numbers_under_cursor(self) -> tuple[EditablePlace, ...]:
        """The numbers of the layers that the step shows, behind its cursor."""
        from tui.analysis.steps.numbers import numbers_behind

        step = self.step
        if step is None or self.study is None or self.answers.walkthrough is not self._walkthrough:
            raise NotEditableError("The steps of this block are not there yet.")
        found = () if self._of_maps else numbers_behind(step, self.study.spec, self._tap)
        if not found:
            raise NotEditableError("No number of the block stands there. Go to another tap, or another step.")
        return found

    def bias_under_cursor(self) -> EditablePlace:
        """Biases are among the numbers of each step.

        Raises:
            NotEditableError: always.
        """
        raise NotEditableError("In Steps enter offers the biases too, in the steps that show them.")

    def on_resize(self) -> None:
        """Choose the size of the cells anew."""
        self.call_after_refresh(self.pane.share_out)

    @on(KeyLine.Pressed)
    def _key_clicked(self, event: KeyLine.Pressed) -> None:
        event.stop()
        self.action_go({"n": 1, "N": -1}[event.key])

    @on(Equation.CursorMoved)
    def _move_cursor(self, event: Equation.CursorMoved) -> None:
        from tui.analysis.steps.step import Shows

        event.stop()
        self.stop()
        if self._of_maps:
            self.post_message(self.PixelChosen(Pixel(*event.tap)))
        elif self.step is not None and self.step.shows is Shows.BIASES:
            self.cursor = self.cursor._replace(out=event.tap.out)
        else:
            self.cursor = event.tap

    @on(OptionList.OptionHighlighted)
    def _choose(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        if event.option_id is not None and event.option_list.highlighted == event.option_index:
            self.place = int(event.option_id)

    def action_go(self, steps: int) -> None:
        """Go forth or back; the first and the last step stay. What is still being checked is gone to then."""
        place = max(0, self.place + steps)
        if self._walkthrough is None:
            self.set_reactive(StepsView.place, place)
        else:
            self.place = min(place, len(self._walkthrough.steps) - 1)

    def action_play(self) -> None:
        """Let the taps of the kernel that comes out light up one after another, from the first."""
        step = self.step
        if step is None or self._ended_by_key or self.app.animation_level == "none":
            self._ended_by_key = False
            return
        tap = self._tap
        self.playing = Playing(step.after.shape, (tap.out, tap.in_))
        self._timer = self.set_interval(SECONDS_A_TICK, self.tick)

    def tick(self) -> None:
        """Show the next tap, or after the last one the step as it was."""
        if self.playing is None or self.playing.is_over:
            self.stop()
        else:
            self.playing = self.playing.next()

    def stop(self) -> None:
        """Show all of the step."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        self.playing = None

    def watch_playing(self) -> None:
        """Show as much of the result as there is, and the arithmetic of its last tap."""
        if self.step is not None:
            self.grids.equation.pending = self.playing.pending if self.playing else None
            self._point()

    def on_key(self, event: Key) -> None:
        """End the play; the key does what it does, but for the one that would begin anew."""
        playing = self.playing is not None
        self.stop()
        self._ended_by_key = playing and event.key in PLAYS.key.split(",")

    def on_hide(self) -> None:
        """End the play: nobody sees it."""
        self.stop()

    def on_descendant_blur(self) -> None:
        """End the play: keys go elsewhere now."""
        self.stop()

    def action_zoom(self, steps: int) -> None:
        """Zoom out (1) or in (-1), from the size of the cells in effect."""
        equation = self.grids.equation
        now = equation.cell or equation.cell_in_effect
        if now is not None:
            equation.cell = now.farther() if steps > 0 else now.nearer()
            self.pane.share_out()

    def action_zoom_fit(self) -> None:
        """Go back to the size that suits the room."""
        self.grids.equation.cell = None
        self.pane.share_out()

    def action_next_colour_scale(self) -> None:
        """Colour by the maximum instead of 3 rms, and back; all terms of a sum stay on one scale."""
        shared, most = ColourScale.SHARED, ColourScale.SHARED_MAX
        self.grids.colour_scale = most if self.grids.colour_scale is shared else shared
        self._paint()

    def focus_content(self) -> None:
        """Put the focus on the list, or on the kernel that came out where there is no room for a list."""
        if self.has_class("-empty"):
            self.focus()
        else:
            steps = self.query_one(StepList)
            (steps if steps.display else self.grids.equation).focus()
