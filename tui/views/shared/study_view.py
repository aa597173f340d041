"""StudyView: what all panes about a Study have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.containers import Vertical
from textual.events import Event, Resize
from textual.geometry import Size
from textual.message import Message
from textual.reactive import var

from tui.analysis.alterations.places import EditablePlace, NotEditableError
from tui.analysis.inquiry import Answers, Question
from tui.analysis.numerics.pixel import Pixel
from tui.analysis.subject import Subject
from tui.widgets.foot_key import FootKey
from tui.widgets.help_line import HelpLine

if TYPE_CHECKING:
    from tui.analysis.study import Study


class StudyView(Vertical):
    """A pane that answers one question about `study`. It paints only while it is the one in sight.

    The owner sets `in_sight`, and binds `study`, `answers` and `pixel`. A pane says by `show_study` what to
    paint; that is called when any of them has changed and the pane is in sight, or comes into sight.
    """

    HELP_LINES: ClassVar[tuple[HelpLine, ...]] = ()
    """What the help says of the pane's keys."""
    FOOT_KEYS: ClassVar[tuple[FootKey, ...]] = ()
    """Its keys for the foot of the screen, the most useful first."""
    QUESTION: ClassVar[Question | None] = None
    """The inquiry whose answer the pane shows, None where the study holds all of it."""
    ALSO_BOUND: ClassVar[tuple[str, ...]] = ()
    """What the owner binds beside what every pane is bound to: variables that both have by these names."""

    study: var[Study | None] = var(None, init=False)
    """The result to show."""
    answers: var[Answers] = var(Answers, init=False)
    """What has been found out about the study beside it."""
    pixel: var[Pixel | None] = var[Pixel | None](None, init=False)
    """The output element that is looked at, inside the study's output; None before the first study."""
    in_sight: var[bool] = var(False)
    """Whether this pane is the one that is shown."""
    room: var[Size] = var(Size())
    """The columns and rows that the pane may take; empty before the first layout.

    What is written to fit goes by this: out of sight, and on coming back till it is laid out, it has no size.
    """
    legend: var[str] = var("")
    """What the colours of the pane mean."""

    @dataclass
    class LegendChanged(Message):
        """The pane's colours mean something else now."""

        view: StudyView

    @dataclass
    class Arranged(Message):
        """The pane takes other rows now, or shows another number of grids."""

        view: StudyView

    @dataclass
    class PixelChosen(Message):
        """The user goes to another output element."""

        pixel: Pixel

    @dataclass
    class PreviewWanted(Message):
        """The user looks at this subject without wanting it on the bench yet; None for no more."""

        subject: Subject | None

    @dataclass
    class MistakeChosen(Message):
        """The user wants the block fused with the mistake of that name, "" for rightly."""

        name: str

    _laid_out: tuple[Size, Size] | None = None

    async def on_event(self, event: Event) -> None:
        """Take no notice of a Resize to the size that it has: one comes with each return into sight."""
        if isinstance(event, Resize):
            now = event.size, event.container_size or Size()
            if now == self._laid_out:
                return
            self._laid_out = now
        await super().on_event(event)

    def watch_has_focus(self, _: bool) -> None:
        """Style nothing anew: no pane looks different for having the focus."""

    def weight_under_cursor(self) -> EditablePlace:
        """The number to be edited where the cursor is.

        Raises:
            NotEditableError: none stands there.
        """
        raise NotEditableError("Weights are edited in Kernels (1), elements of the input in Outputs (3).")

    def numbers_under_cursor(self) -> tuple[EditablePlace, ...]:
        """Every number that can be edited where the cursor is; at least one.

        Raises:
            NotEditableError: none stands there.
        """
        return (self.weight_under_cursor(),)

    def bias_under_cursor(self) -> EditablePlace:
        """The bias to be edited where the cursor is.

        Raises:
            NotEditableError: none belongs there.
        """
        raise NotEditableError("Biases are edited in Kernels (1).")

    def show_study(self, study: Study) -> None:
        """Paint the study, its answers and the pixel."""
        raise NotImplementedError

    def focus_content(self) -> None:
        """Put the focus where the pane's keys work."""
        raise NotImplementedError

    def show_branch(self, name: str) -> None:
        """Turn to the branch of that name, "" for the sum of all; without branches there is nothing to do."""

    def action_zoom_fit(self) -> None:
        """Show the whole of every grid; without grids there is nothing to do."""

    def action_zoom(self, steps: int) -> None:
        """Zoom out (1) or in (-1); without grids there is nothing to do."""

    def action_next_colour_scale(self) -> None:
        """Choose the next way to scale the colours; without a choice there is nothing to do."""

    def action_one_grid(self) -> None:
        """Show the grid in focus alone, or all of them again; without grids there is nothing to do."""

    @property
    def is_one_grid(self) -> bool:
        """Whether a person chose to see one of several grids only."""
        return False

    def forget(self) -> None:
        """Let go of the study that was painted last: the pane is out of sight, and there is another one."""

    def refresh_content(self) -> None:
        """Paint what is there to be painted, if anybody sees it.

        Study and pixel come one after the other: a pixel that the study does not have is that of another one,
        which is on its way.
        """
        study, pixel = self.study, self.pixel
        if study is None or not (self.in_sight and self.is_mounted):
            return
        if pixel is None or pixel.inside(study.spec.output_nchw):
            self.show_study(study)

    def watch_study(self) -> None:
        """Paint the new study, or let go of the old one."""
        if not self.in_sight:
            self.forget()
        self.refresh_content()

    watch_answers = watch_pixel = watch_in_sight = refresh_content

    def watch_legend(self) -> None:
        """Tell the owner, who has the place for it."""
        self.post_message(self.LegendChanged(self))
