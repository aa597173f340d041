"""The dialog in which a branch is written: a name and options, with what they mean beside."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tui.fusion.branch_spec import BranchSpec
from tui.fusion.branch_text import parse_branches, show_branch
from tui.fusion.text_error import TextError
from tui.widgets.word_row import WordRow

NAMES = (
    ("kxk, 1x1, identity", "the block's own kernel size, one tap, the input itself"),
    ("1xk, kx1", "one row, one column of the kernel (ACNet)"),
    ("5x5, 3x3d2", "a kernel size of its own; d2: dilated by 2 (RepLKNet, UniRepLKNet)"),
    ("avg", "average pooling (DBB, QARepVGG V2)"),
    ("1x1-kxk, 1x1-avg", "a 1x1 convolution and a second step after it (DBB)"),
)
OPTIONS = (
    ("+norm, -bias", "a batch norm after it; convolutions without bias"),
    ("+alpha, +gamma", "times one learned number, or one an output channel"),
    ("+g4", "4 groups of its own"),
    ("+inner", "sequences: a batch norm between the steps, padded with its value at zero"),
    ("+idconv, +x2", "sequences: the 1x1 stored minus the identity; twice the channels between"),
    ("+zeros", "sequences: zeros padded between; right only where the 1x1 adds nothing"),
)


class BranchScreen(ModalScreen[BranchSpec | None]):
    """Dismisses with the branch that was written, or None."""

    DEFAULT_CSS = """
    BranchScreen {
        align: center middle;
        & > Vertical {
            width: 92; max-width: 100%; height: auto; max-height: 100%;
            border: round $primary; background: $surface; padding: 0 2;
            border-title-color: $foreground; border-subtitle-color: $text-muted;
        }
        & Input { margin: 1 0 0 0; background: $panel; }
        & #branch-problem { color: $text-error; height: auto; min-height: 1; margin: 0 0 1 0; }
        & .words { height: auto; margin: 0 0 1 0; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Cancel", show=False)]

    def __init__(self, branch: BranchSpec | None) -> None:
        super().__init__()
        self._first = branch

    def compose(self) -> ComposeResult:
        """The text, what is wrong with it, and the words it may have."""
        with Vertical() as dialog:
            dialog.border_title = "Add a branch" if self._first is None else "Edit the branch"
            dialog.border_subtitle = "enter takes it, escape does not"
            text = "" if self._first is None else show_branch(self._first)
            yield Input(text, placeholder="3x3+norm-bias", compact=True)
            yield Static("", id="branch-problem", markup=False)
            with Vertical(classes="words"):
                yield from (WordRow(*row) for row in NAMES)
            with Vertical(classes="words"):
                yield from (WordRow(*row) for row in OPTIONS)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self.query_one("#branch-problem", Static).update(_problem(event.value))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        if event.value.strip() and not _problem(event.value):
            self.dismiss(parse_branches(event.value)[0])


def _problem(text: str) -> str:
    """What is wrong with the text, empty where nothing is."""
    try:
        branches = parse_branches(text)
    except TextError as error:
        return str(error)
    return "one branch at a time, without a comma" if len(branches) > 1 else ""
