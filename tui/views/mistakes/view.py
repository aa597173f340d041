"""The view of the mistakes: a gallery of wrong fusions, the error map, and what that looks like."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.reactive import var
from textual.widgets import OptionList, Static

from tui.analysis.alterations.gallery import obstacle
from tui.analysis.inquiry import Answers, Question
from tui.analysis.numerics.pixel import Pixel
from tui.analysis.progress import Doing, Failed
from tui.analysis.subject import Subject
from tui.views.mistakes.error_map import ErrorMap, map_title, pixel_line, scale_of
from tui.views.mistakes.mistake_list import MistakeList
from tui.views.mistakes.mistake_words import findings, words_on
from tui.views.mistakes.preview import preview_title, preview_words
from tui.views.shared.study_view import StudyView
from tui.widgets.foot_key import FootKey
from tui.widgets.grid.number_format import precise
from tui.widgets.help_line import HelpLine
from tui.widgets.steady_text import SteadyText

if TYPE_CHECKING:
    from tui.analysis.study import Study


class MistakesView(StudyView):
    """Make a well-known mistake and see its error map; or see what a wrong difference looks like.

    While the cursor is on a mistake that is not made, a preview shows what it would do to this block.
    """

    HELP_LINES: ClassVar[tuple[HelpLine, ...]] = (
        HelpLine("up, down", "look at a preview of each mistake; the block stays as it is"),
        HelpLine("enter", "make the one that is highlighted; undo or the first line takes it back"),
        HelpLine(
            "← →",
            "the error map of another output channel",
            ("mistakes.before", "mistakes.next", "mistakes.map-before", "mistakes.map-next"),
        ),
    )
    FOOT_KEYS: ClassVar[tuple[FootKey, ...]] = (
        FootKey("make it", ("enter",)),
        FootKey("preview", ("up", "down")),
        FootKey("channel", ("left", "right")),
        FootKey("take it back", ("bench.undo",)),
        FootKey("to the map", ("tab",)),
    )
    QUESTION: ClassVar[Question | None] = Question.LIKENESS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "channel(-1)", "The output channel before", show=False, id="mistakes.before"),
        Binding("right,l", "channel(1)", "The next output channel", show=False, id="mistakes.next"),
    ]
    ALSO_BOUND: ClassVar[tuple[str, ...]] = ("preview",)
    SCOPED_CSS = False
    DEFAULT_CSS = """
    MistakesView {
        height: 1fr;
        & > Horizontal { height: 1fr; }
        & #mistake { width: 1fr; padding: 0 1 0 2; }
        & #mistake Static { height: auto; }
        & #mistake-pixel { height: 1; text-wrap: nowrap; text-overflow: ellipsis; }
        & #mistake #mistake-words { min-height: 13; }
        & #mistake-evidence {
            height: 1fr; border-top: solid $border-blurred; border-title-color: $text-muted;
        }
        & #mistake-findings { min-height: 2; }
        & #mistake.-unknown { display: none; }
        & ErrorMap { height: 1fr; background: $background; }
    }
    .-narrow MistakesView MistakeList { width: 31; padding: 0; }
    .-narrow MistakesView #mistake { padding: 0 0 0 1; }
    .-tiny.-narrow MistakesView {
        & > Horizontal { layout: vertical; }
        & MistakeList { width: 1fr; height: 5; }
        & #mistake { height: 1fr; padding: 0 1; }
    }
    .-low MistakesView {
        & #mistake #mistake-words { min-height: 1; }
        & #mistake.-previewing #mistake-pixel { display: none; }
        & #mistake.-without-evidence #mistake-words { height: 1fr; }
        & #mistake.-without-evidence #mistake-evidence { display: none; }
    }
    """

    preview: var[Study | Doing | Failed | None] = var(None, init=False)
    """What became of the block with the mistake under the cursor, or what is being done for it."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._painted: Study | None = None
        self._made: str | None = None
        self._told: tuple[Study, Answers] | None = None
        self._asked: Subject | None = None
        self._place: Pixel | None = None  # in the preview, which moves no other view

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
            self._tell(study)
            self._ask()
        self._show_evidence(study)

    def forget(self) -> None:
        """Let go of the study, of the map and of the preview."""
        self._ask()
        self._painted = self._told = None
        self.error_map.forget()

    def _go_to_worst(self, study: Study) -> None:
        """Look where the mistake shows most: the output channel looked at before may not be touched by it."""
        if study.comparison.max_abs_diff:
            self.post_message(self.PixelChosen(Pixel(*study.comparison.worst)))

    def on_hide(self) -> None:
        """Nobody sees the preview."""
        self._ask()

    def _ask(self) -> None:
        """Ask for a preview of what the cursor is on, where it is another block than the one on the bench."""
        wanted, study, name = None, self.study, self.gallery.name_under_cursor
        possible = study is not None and (not name or obstacle(name, study.spec) is None)
        if study is not None and self.in_sight and possible and name != study.alterations.mistake:
            wanted = replace(study.subject, alterations=replace(study.alterations, mistake=name))
        if wanted != self._asked:
            self._asked = wanted
            self.post_message(self.PreviewWanted(wanted))

    @property
    def _previewed(self) -> Study | None:
        """The preview, once it is there, while one is asked for."""
        preview = self.preview
        if preview is None or isinstance(preview, Doing | Failed) or self._asked is None:
            return None
        return preview

    def watch_preview(self) -> None:
        """Show what the mistake would do, where it does most."""
        if self._previewed is not None:
            self._place = Pixel(*self._previewed.comparison.worst)
        self.refresh_content()

    def _show_evidence(self, study: Study) -> None:
        """The map and what it says: of the preview, if there is one, or of the study."""
        previewed, findings_line = self._previewed, self.query_one("#mistake-findings", SteadyText)
        side = self.query_one("#mistake")
        side.set_class(previewed is not None, "-previewing")
        is_made = self.gallery.name_under_cursor == study.alterations.mistake
        side.set_class(not is_made and previewed is None, "-without-evidence")
        if previewed is not None and self._place is not None:
            self.error_map.show(previewed, self._place)
            self.query_one("#mistake-evidence").border_title = preview_title(previewed, self._place)
            self.query_one("#mistake-pixel", Static).update(pixel_line(previewed, self._place), layout=False)
            self.legend = f"preview ±{precise(scale_of(previewed)).lstrip('+')}"
            findings_line.show(preview_words(previewed))
            return
        if self.pixel is not None:
            self._show_pixel(study, self.pixel)
        pending = self.preview if self._asked is not None else None
        if isinstance(pending, Doing | Failed):
            findings_line.show(preview_words(pending))
        else:
            findings_line.show(findings(study, self.answers))

    def watch_room(self) -> None:
        """More or fewer words may fit now."""
        self._told = None
        self.refresh_content()

    def _tell(self, study: Study) -> None:
        """The words on the highlighted mistake."""
        name = self.gallery.name_under_cursor
        is_made = name == study.alterations.mistake
        low = self.screen.has_class("-low")
        words = words_on(name, study, low=low, with_story=not (low and is_made and name))
        self.query_one("#mistake-words", Static).update(words)
        self.query_one("#mistake").remove_class("-unknown")

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
            self._ask()
            self._show_evidence(self.study)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        """Make the mistake, if it can be made."""
        event.stop()
        name = self.gallery.name_under_cursor
        if self.study is None or name == self.study.alterations.mistake:
            return
        if not name or obstacle(name, self.study.spec) is None:
            self.post_message(self.PreviewWanted(None))  # the run itself comes now
            self.post_message(self.MistakeChosen(name))

    @on(ErrorMap.CursorMoved)
    def _moved(self, event: ErrorMap.CursorMoved) -> None:
        event.stop()
        self._go_to(row=event.tap.ky, column=event.tap.kx)

    @on(ErrorMap.ChannelWanted)
    def _channel_wanted(self, event: ErrorMap.ChannelWanted) -> None:
        event.stop()
        self.action_channel(event.step)

    def action_channel(self, step: int) -> None:
        """Show another output channel."""
        now = self.pixel if self._previewed is None else self._place
        if now is not None:
            self._go_to(channel=now.channel + step)

    def _go_to(self, **place: int) -> None:
        """Look at another output element: in the preview for itself, else in all views."""
        previewed = self._previewed
        if previewed is not None and self._place is not None:
            self._place = self._place._replace(**place).clamped(previewed.spec.output_nchw)
            self.refresh_content()
        elif self.study is not None and self.pixel is not None:
            there = self.pixel._replace(**place)
            self.post_message(self.PixelChosen(there.clamped(self.study.spec.output_nchw)))


def _alike(answers: Answers) -> tuple[str, ...]:
    """The mistakes that the difference looks like, as far as is known."""
    match answers.likeness:
        case None | Doing() | Failed():
            return ()
        case found:
            return tuple(name for likeness in found.found for name in likeness.names)
