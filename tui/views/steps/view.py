"""The view of the steps from the branches to one kernel, one at a time, with keys forth and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.reactive import var
from textual.widgets import OptionList, Static

from tui.analysis.inquiry import Question
from tui.analysis.progress import Doing, Failed
from tui.fusion.padding import centre
from tui.fusion.tap import Tap
from tui.views.shared.study_view import StudyView
from tui.views.steps.step_grids import StepGrids
from tui.views.steps.step_list import StepList
from tui.views.steps.step_text import check_line, operation_lines, place_line
from tui.widgets.grid.heat_grid import HeatGrid
from tui.widgets.grid.number_format import precise
from tui.widgets.help_line import HelpLine
from tui.widgets.key_line import KeyLine

if TYPE_CHECKING:
    from tui.analysis.steps.step import Step, Walkthrough
    from tui.analysis.study import Study


class StepsView(StudyView, can_focus=True):
    """The way from the branches to one kernel, step by step, each checked."""

    TITLE: ClassVar[str] = "Steps"
    SUMMARY: ClassVar[str] = (
        "why the identity is a k×k kernel, how a batch norm is folded: each step, checked"
    )
    HELP_LINES: ClassVar[tuple[HelpLine, ...]] = (
        HelpLine(
            "n, N",
            "the next step and the one before; tab goes from the list to the kernel",
            ("steps.next", "steps.back"),
        ),
    )
    QUESTION: ClassVar[Question | None] = Question.WALKTHROUGH
    SCOPED_CSS = False  # the screen's size is told by its own classes
    DEFAULT_CSS = """
    StepsView {
        height: 1fr;
        & #step-list { width: 26; height: 1fr; margin: 1 0 0 0; border-right: solid $border-blurred; }
        & #step { width: 1fr; height: 1fr; padding: 0 0 0 1; }
        & #step-line { height: 1; margin: 1 0; padding: 0 1; }
        & #step-place { width: 1fr; }
        & #step-keys { width: auto; color: $text-muted; }
        & #step-words { height: auto; min-height: 4; max-height: 6; padding: 0 1; margin: 0 0 1 0; }
        & #step-operation { height: auto; min-height: 4; max-height: 8; padding: 0 1; margin: 1 0; }
        & #step-check { height: auto; max-height: 3; padding: 0 1; background: $surface; }
        &.-empty StepGrids, &.-empty #step-list { display: none; }
    }
    .-narrow StepsView #step-list { display: none; }
    .-narrow StepsView #step { padding: 0; }
    .-low StepsView {
        & #step-line, & #step-words, & #step-operation { margin: 0; }
        & #step-words { min-height: 3; max-height: 3; }
        & #step-operation { max-height: 5; }
        & #step-list { margin: 0; }
    }
    .-narrow StepsView, .-low StepsView {
        & KernelPanel, & #after KernelPanel, & #table {
            border: none; border-top: solid $border-blurred; padding: 0 0 0 1;
        }
        & #after KernelPanel { border-top: solid $primary; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n,space", "go(1)", "Next step", show=False, id="steps.next", tooltip="Next step"),
        Binding("N,backspace", "go(-1)", "Back", show=False, id="steps.back", tooltip="The step before"),
        Binding("plus,equals_sign", "zoom(-1)", "Zoom in", show=False, id="steps.zoom-in"),
        Binding("minus", "zoom(1)", "Zoom out", show=False, id="steps.zoom-out"),
    ]

    place: var[int] = var(0, init=False)
    """The step that is shown, counted from 0."""
    cursor: var[Tap] = var(Tap(0, 0, 0, 0), init=False)
    """The weight of the step's last kernel whose arithmetic is told."""

    _walkthrough: Walkthrough | None = None
    _branch: str | None = None
    _taps: tuple[int, int] | None = None

    def compose(self) -> ComposeResult:
        """The list; where the step stands, why it is right, its kernels, its arithmetic, its check."""
        with Horizontal():
            yield StepList(id="step-list")
            with Vertical(id="step"):
                with Horizontal(id="step-line"):
                    yield Static("", id="step-place", markup=False)
                    yield KeyLine({"n": "next", "N": "back"}, gap=3, id="step-keys")
                yield Static("", id="step-words", markup=False)
                yield StepGrids()
                yield Static("", id="step-operation", markup=False)
                yield Static("", id="step-check", markup=False)

    def on_mount(self) -> None:
        """Show nothing before there is something."""
        self.add_class("-empty")

    @property
    def grids(self) -> StepGrids:
        """The kernels of the step."""
        return self.query_one(StepGrids)

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

    def _say(self, words: str, style: str = "$text-muted") -> None:
        self._write("place", Content.styled(words, style))

    def _write(self, name: str, content: Content) -> None:
        """Change a text; lay the screen out anew only if it takes more or fewer rows now."""
        text = self.query_one(f"#step-{name}", Static)
        width, height = text.content_size
        rows = content.get_height({}, width) if width else 0
        least = text.styles.min_height
        text.update(content, layout=max(rows, int(least.value) if least else 1) != height)

    def _begin(self, walkthrough: Walkthrough) -> None:
        self._walkthrough = walkthrough
        waited = self.screen.focused is self
        self.remove_class("-empty")
        self.can_focus = False  # what is in it can
        self.query_one(StepList).show(walkthrough)
        self.set_reactive(StepsView.place, min(self.place, len(walkthrough.steps) - 1))
        self._go_to_branch()
        self.call_next(self._paint)
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

    async def watch_place(self) -> None:
        """Show the step."""
        await self._paint()

    async def _paint(self) -> None:
        step = self.step
        if step is None or self._walkthrough is None:
            return
        self._place_cursor(step)
        self.query_one(StepList).point_at(self.place)
        count = len(self._walkthrough.steps)
        with self.app.batch_update():
            self._write("place", place_line(step, self.place + 1, count))
            self._write("words", Content(step.words))
            self._write("check", check_line(step.check))
            self._tell()
            await self.grids.show(step, self.cursor)
        self.call_after_refresh(self.grids.fit)
        scale = precise(self.grids.after.grid.scale).lstrip("+")
        self.legend = f"→ ±{scale} (3 rms, per panel)"

    def _place_cursor(self, step: Step) -> None:
        """Keep the cursor where it is; in a kernel of another size, put it on the centre tap."""
        frame, tap = step.after.frame, self.cursor
        if frame != self._taps:
            tap = tap._replace(ky=centre(frame[0]), kx=centre(frame[1]))
        self._taps = frame
        self.set_reactive(StepsView.cursor, tap.clamped(step.after.shape))

    def watch_cursor(self) -> None:
        """Tell the arithmetic of the weight under the cursor."""
        if self.step is not None:
            self.grids.point_at(self.step, self.cursor)
            self._tell()

    def _tell(self) -> None:
        if self.step is not None:
            self._write("operation", operation_lines(self.step, self.cursor))

    def on_resize(self) -> None:
        """Choose the zoom levels anew."""
        self.call_after_refresh(self.grids.fit)

    @on(KeyLine.Pressed)
    def _key_clicked(self, event: KeyLine.Pressed) -> None:
        event.stop()
        self.action_go({"n": 1, "N": -1}[event.key])

    @on(HeatGrid.CursorMoved)
    def _move_cursor(self, event: HeatGrid.CursorMoved) -> None:
        event.stop()
        self.cursor = event.tap

    @on(HeatGrid.Hovered)
    @on(HeatGrid.Scrolled)
    def _keep(self, event: HeatGrid.Hovered | HeatGrid.Scrolled) -> None:
        event.stop()

    @on(OptionList.OptionHighlighted)
    def _choose(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        if event.option_id is not None and event.option_list.highlighted == event.option_index:
            self.place = int(event.option_id)

    def action_go(self, steps: int) -> None:
        """Go forth or back; the first and the last step stay."""
        if self._walkthrough is not None:
            self.place = max(0, min(self.place + steps, len(self._walkthrough.steps) - 1))

    def action_zoom(self, steps: int) -> None:
        """Zoom out (1) or in (-1), from the level in effect."""
        now = self.grids.zoom or self.grids.after.grid.zoom_in_effect
        self.grids.zoom = now.farther() if steps > 0 else now.nearer()

    def action_zoom_fit(self) -> None:
        """Go back to the level that suits each kernel."""
        self.grids.zoom = None

    def focus_content(self) -> None:
        """Put the focus on the list, or on the kernel that came out where there is no room for a list."""
        if self.has_class("-empty"):
            self.focus()
        else:
            steps = self.query_one(StepList)
            (steps if steps.display else self.grids.after.grid).focus()
