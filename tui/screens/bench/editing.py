"""The bench's part that sets numbers: one by hand, a kernel by its name, or a mistake on purpose."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from textual import on, work
from textual.reactive import var

from tui.analysis.alterations.alterations import Alterations, Edit
from tui.analysis.alterations.places import EditablePlace
from tui.analysis.subject import Subject
from tui.screens.bench.hand_edits import changing, chosen_kernel, chosen_number, place_or_reason
from tui.screens.bench.number_editor import NumberEditor
from tui.screens.bench.wanted import WantedSubject
from tui.screens.place_screen import PlaceScreen
from tui.views.shared.result import ResultView
from tui.views.shared.study_view import StudyView

if TYPE_CHECKING:
    from tui.analysis.study import FusedKernels, Study


class EditingScreen(PlaceScreen):
    """Sets numbers under the cursor of the view in sight, in a line that stands in the result's place.

    Attributes:
        wanted: the block that the form asks for, with its alterations.
    """

    kernels: var[FusedKernels | None] = var(None)
    """The last fused kernels."""
    study: var[Study | None] = var(None)
    """The last good result."""

    def __init__(self, subject: Subject) -> None:
        super().__init__()
        self.wanted = WantedSubject(subject)

    @property
    def subject(self) -> Subject:
        """The block that is wanted; while the form holds nothing valid, the last one that was."""
        return self.wanted.last

    @property
    def view(self) -> StudyView:
        """The view in sight."""
        raise NotImplementedError

    def run_wanted(self, *, pause: float = 0) -> None:
        """Show that another subject is wanted, and ask for its run after so many seconds."""
        raise NotImplementedError

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
        alterations = self.subject.alterations
        for place in places or ():
            alterations = alterations.without(place.name, place.index)
        self.alter(alterations)

    def action_reset_all(self) -> None:
        """Drop every number that was set by hand, and the mistake."""
        if self.wanted.alter_nothing():
            self.run_wanted()

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
        edited = self.subject.alterations.value_at(place.name, place.index)
        self.query_one(NumberEditor).edit(study, place, edited)

    @on(NumberEditor.Edited)
    def _number_edited(self, event: NumberEditor.Edited) -> None:
        event.stop()
        place, alterations = event.place, self.subject.alterations
        if event.value is None:
            self.alter(alterations.without(place.name, place.index))
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
        edits = () if place is None else await chosen_kernel(self, self.subject.spec, place)
        self._set(edits)

    @on(StudyView.MistakeChosen)
    def _mistake_chosen(self, event: StudyView.MistakeChosen) -> None:
        event.stop()
        self.alter(replace(self.subject.alterations, mistake=event.name))

    def _set(self, edits: tuple[Edit, ...]) -> None:
        """Set these numbers, if that changes one."""
        self.alter(self.subject.alterations.edited(*changing(edits, self.study, self.subject)))

    def alter(self, alterations: Alterations) -> None:
        """Go on to the same block with these alterations, if they are others, and ask for its run at once."""
        if self.wanted.alter(alterations):
            self.run_wanted()
