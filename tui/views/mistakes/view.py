"""The view of the mistakes: a gallery of wrong fusions, the error map, and what that looks like."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import OptionList, Static

from tui.analysis.alterations.gallery import obstacle
from tui.analysis.inquiry import Answers, Question
from tui.analysis.numerics.pixel import Pixel
from tui.analysis.progress import Doing, Failed
from tui.views.mistakes.error_map import ErrorMap, map_title, pixel_line, scale_of
from tui.views.mistakes.mistake_list import MistakeList
from tui.views.mistakes.mistake_words import findings, words_on
from tui.views.shared.study_view import StudyView
from tui.widgets.foot_key import FootKey
from tui.widgets.grid.number_format import precise
from tui.widgets.help_line import HelpLine
from tui.widgets.steady_text import SteadyText

if TYPE_CHECKING:
    from tui.analysis.study import Study


class MistakesView(StudyView):
    """Make a well-known mistake and see its error map; or see what a wrong difference looks like."""

    TITLE: ClassVar[str] = "Mistakes"
    SUMMARY: ClassVar[str] = "what a wrong fusion looks like, and which mistake a wrong one looks like"
    HELP_LINES: ClassVar[tuple[HelpLine, ...]] = (
        HelpLine(
            "enter",
            "in Mistakes: make the one that is highlighted; undo or the first line takes it back",
        ),
        HelpLine(
            "← →",
            "in Mistakes: the error map of another output channel",
            ("mistakes.before", "mistakes.next", "mistakes.map-before", "mistakes.map-next"),
        ),
    )
    FOOT_KEYS: ClassVar[tuple[FootKey, ...]] = (
        FootKey("make it", ("enter",)),
        FootKey("channel", ("left", "right")),
        FootKey("take it back", ("bench.undo",)),
        FootKey("to the map", ("tab",)),
    )
    QUESTION: ClassVar[Question | None] = Question.LIKENESS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "channel(-1)", "The output channel before", show=False, id="mistakes.before"),
        Binding("right,l", "channel(1)", "The next output channel", show=False, id="mistakes.next"),
    ]
    SCOPED_CSS = False
    DEFAULT_CSS = """
    MistakesView {
        height: 1fr;
        & > Horizontal { height: 1fr; }
        & #mistake { width: 1fr; padding: 0 1 0 2; }
        & #mistake Static { height: auto; }
        & #mistake-pixel { height: 1; text-wrap: nowrap; text-overflow: ellipsis; }
        & #mistake-words { height: 16; }
        & #mistake-evidence {
            height: 1fr; border-top: solid $border-blurred; border-title-color: $text-muted;
        }
        & #mistake.-unknown { display: none; }
        & ErrorMap { height: 1fr; background: $background; }
    }
    .-narrow MistakesView MistakeList { width: 31; padding: 0; }
    .-narrow MistakesView #mistake { padding: 0 0 0 1; }
    .-low MistakesView {
        & #mistake-words { height: auto; }
        & #mistake.-previewing #mistake-words { height: 1fr; }
        & #mistake.-previewing #mistake-evidence { display: none; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._painted: Study | None = None
        self._made: str | None = None
        self._told: tuple[Study, Answers] | None = None

    def compose(self) -> ComposeResult:
        """The gallery; beside it the words on the highlighted mistake, over the evidence of what is made."""
        with Horizontal():
            yield MistakeList(id="gallery")
            with Vertical(id="mistake", classes="-unknown"):
                yield Static("", id="mistake-words", markup=False)
                with Vertical(id="mistake-evidence"):
                    yield ErrorMap(id="error-map")
                    yield Static("", id="mistake-pixel", markup=False)
                    yield SteadyText("", id="mistake-findings", markup=False)

    @property
    def gallery(self) -> MistakeList:
        """The list of mistakes."""
        return self.query_one(MistakeList)

    @property
    def error_map(self) -> ErrorMap:
        """The grid of the difference."""
        return self.query_one(ErrorMap)

    def show_study(self, study: Study) -> None:
        """Mark what is made and what it looks like, and show the evidence."""
        made = study.alterations.mistake
        if study is not self._painted:
            before, self._made = self._made, made
            self._painted = study
            if made != before:
                self.gallery.go_to(made)
                self._go_to_worst(study)
        if self._told != (study, self.answers):
            self._told = study, self.answers
            self.gallery.show(study.spec, made, _alike(self.answers))
            self.query_one("#mistake-findings", SteadyText).show(findings(study, self.answers))
            self._tell(study)
        if self.pixel is not None:
            self._show_pixel(study, self.pixel)

    def forget(self) -> None:
        """Let go of the study and of the map."""
        self._painted = self._told = None
        self.error_map.forget()

    def _go_to_worst(self, study: Study) -> None:
        """Look where the mistake shows most: the output channel looked at before may not be touched by it."""
        if study.comparison.max_abs_diff:
            self.post_message(self.PixelChosen(Pixel(*study.comparison.worst)))

    def _tell(self, study: Study) -> None:
        """The words on the highlighted mistake."""
        name = self.gallery.name_under_cursor
        is_made = name == study.alterations.mistake
        low = self.screen.has_class("-low")
        # Its place has a height of its own, unless the map needs the rows: then all is laid out anew.
        words = words_on(name, study, low=low, with_story=not (low and is_made and name))
        self.query_one("#mistake-words", Static).update(words, layout=low and is_made)
        side = self.query_one("#mistake")
        side.remove_class("-unknown")
        side.set_class(not is_made, "-previewing")

    def _show_pixel(self, study: Study, pixel: Pixel) -> None:
        self.error_map.show(study, pixel)
        self.query_one("#mistake-evidence").border_title = map_title(study, pixel)
        self.query_one("#mistake-pixel", Static).update(pixel_line(study, pixel), layout=False)
        self.legend = f"colours ±{precise(scale_of(study)).lstrip('+')}"

    def focus_content(self) -> None:
        """Put the focus on the gallery."""
        self.gallery.focus()

    @on(OptionList.OptionHighlighted)
    def _highlighted(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        if self.study is not None:
            self._tell(self.study)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        """Make the mistake, if it can be made."""
        event.stop()
        name = self.gallery.name_under_cursor
        if self.study is None or name == self.study.alterations.mistake:
            return
        if not name or obstacle(name, self.study.spec) is None:
            self.post_message(self.MistakeChosen(name))

    @on(ErrorMap.CursorMoved)
    def _moved(self, event: ErrorMap.CursorMoved) -> None:
        event.stop()
        if self.pixel is not None:
            self.post_message(self.PixelChosen(self.pixel._replace(row=event.tap.ky, column=event.tap.kx)))

    @on(ErrorMap.ChannelWanted)
    def _channel_wanted(self, event: ErrorMap.ChannelWanted) -> None:
        event.stop()
        self.action_channel(event.step)

    def action_channel(self, step: int) -> None:
        """Show another output channel."""
        if self.study is not None and self.pixel is not None:
            there = self.pixel._replace(channel=self.pixel.channel + step)
            self.post_message(self.PixelChosen(there.clamped(self.study.spec.output_nchw)))


def _alike(answers: Answers) -> tuple[str, ...]:
    """The mistakes that the difference looks like, as far as is known."""
    match answers.likeness:
        case None | Doing() | Failed():
            return ()
        case found:
            return tuple(name for likeness in found.found for name in likeness.names)
