"""The dialog that offers the numbers behind one place of a step: enter chooses the one to be set."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tui.analysis.alterations.places import EditablePlace
from tui.screens.dialogs.dialog import Dialog
from tui.widgets.paged_option_list import PagedOptionList


class NumbersScreen(Dialog[EditablePlace | None]):
    """Dismisses with the place of the chosen number, or None."""

    DEFAULT_CSS = """
    NumbersScreen {
        align: center middle;
        & > Vertical {
            width: 56; max-width: 100%; height: auto; max-height: 100%;
            border: round $primary; background: $surface; padding: 1 2;
            border-title-color: $foreground; border-subtitle-color: $text-muted;
        }
        & OptionList { border: none; height: auto; background: transparent; padding: 0; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss(None)", "Close", show=False),
        Binding("j", "down", "Down", show=False),
        Binding("k", "up", "Up", show=False),
    ]

    def __init__(self, numbers: tuple[tuple[EditablePlace, str], ...]) -> None:
        """`numbers`: each place with the number that stands there."""
        super().__init__()
        self._numbers = numbers

    def compose(self) -> ComposeResult:
        """One line for each number."""
        width = max(len(place.words) for place, _ in self._numbers)
        with Vertical() as dialog:
            dialog.border_title = "The numbers that come to it"
            dialog.border_subtitle = "enter sets one · escape closes"
            yield PagedOptionList(
                *(
                    Option(Content.assemble(f"{place.words:<{width}}  ", (value, "bold")))
                    for place, value in self._numbers
                ),
                compact=True,
            )

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._numbers[event.option_index][0])

    def action_down(self) -> None:
        """The next number."""
        self.query_one(OptionList).action_cursor_down()

    def action_up(self) -> None:
        """The number before."""
        self.query_one(OptionList).action_cursor_up()
