"""The dialog in which a branch is written, or ticked: a text and two lists, each in step with the other."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.events import DescendantFocus
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from tui.fusion.grammar.branch_text import parse_branches, show_branch
from tui.fusion.grammar.text_error import TextError
from tui.fusion.specs.branch_spec import BranchSpec
from tui.screens.dialogs.branch_choices import KINDS, OPTIONS, STARTS_WITH, KindChoice, OptionChoice
from tui.screens.dialogs.dialog import Dialog
from tui.widgets.paged_option_list import PagedOptionList

NAME = 12
"""Columns of a name."""
CHOSEN, OPEN, ON, OFF, UNSUITED = "●", "○", "■", "□", "–"


class TickList(PagedOptionList):
    """A list whose entries are ticked by space or a click; enter is the dialog's."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "select", "Tick it", show=False),
        Binding("enter", "screen.take", "Take the branch", show=False),
        Binding("j", "cursor_down", "Down", show=False),
        Binding("k", "cursor_up", "Up", show=False),
    ]

    def show(self, entries: list[Content]) -> None:
        """Write all entries, those that have changed."""
        for place, entry in enumerate(entries):
            if self.get_option_at_index(place).prompt != entry:
                self.replace_option_prompt_at_index(place, entry)


class BranchScreen(Dialog[BranchSpec | None]):
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
        & #branch-words { height: 3; margin: 0 0 1 0; color: $text-muted; }
        & #branch-words.-wrong { color: $text-error; }
        & Horizontal { height: auto; }
        & TickList {
            width: 1fr; height: auto; border: none; padding: 0; background: transparent;
            text-wrap: nowrap; text-overflow: ellipsis;
        }
        & TickList:focus { border: none; background-tint: transparent; }
        & TickList:blur > .option-list--option-highlighted { background: transparent; color: $foreground; }
        & #branch-kinds { padding: 0 1 0 0; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Cancel", show=False),
        Binding("down", "app.focus_next", "To the lists", show=False),
    ]

    def __init__(self, branch: BranchSpec | None) -> None:
        super().__init__()
        self._first = self._branch = branch

    def compose(self) -> ComposeResult:
        """The text, what is wrong with it or what the entry means that is looked at, and the two lists."""
        with Vertical() as dialog:
            dialog.border_title = "Add a branch" if self._first is None else "Edit the branch"
            dialog.border_subtitle = "tab goes to the lists · space ticks · enter takes it · escape does not"
            text = "" if self._first is None else show_branch(self._first)
            yield Input(text, placeholder="3x3+norm-bias", compact=True)
            yield Static("", id="branch-words", markup=False)
            with Horizontal():
                yield TickList(*map(Option, self._kinds()), id="branch-kinds", markup=False, compact=True)
                yield TickList(*map(Option, self._options()), id="branch-options", markup=False, compact=True)

    def _kinds(self) -> list[Content]:
        marks = [
            UNSUITED if each.kind is None else CHOSEN if each.is_of(self._branch) else OPEN for each in KINDS
        ]
        return [_entry(mark, each) for mark, each in zip(marks, KINDS, strict=True)]

    def _options(self) -> list[Content]:
        branch = self._branch or STARTS_WITH
        return [
            _entry(UNSUITED if not each.suits(branch.kind) else ON if each.is_on(branch) else OFF, each)
            for each in OPTIONS
        ]

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        branch, problem = _read(event.value)
        self._say(problem, wrong=bool(problem))
        if branch is not None:
            self._branch = branch
            self._tick()

    def _tick(self) -> None:
        self.query_one("#branch-kinds", TickList).show(self._kinds())
        self.query_one("#branch-options", TickList).show(self._options())

    def _say(self, words: str, *, wrong: bool = False) -> None:
        line = self.query_one("#branch-words", Static)
        line.update(words, layout=False)
        line.set_class(wrong, "-wrong")

    @on(DescendantFocus)
    def _focused(self, event: DescendantFocus) -> None:
        """Say what the entry means in the list that is gone to; in the text, what is wrong there."""
        if isinstance(event.widget, TickList):
            event.widget.highlighted = event.widget.highlighted or 0
            self._explain(event.widget)
        else:
            problem = _read(self.query_one(Input).value)[1]
            self._say(problem, wrong=bool(problem))

    @on(OptionList.OptionHighlighted)
    def _highlighted(self, event: OptionList.OptionHighlighted) -> None:
        if event.option_list.has_focus and isinstance(event.option_list, TickList):
            self._explain(event.option_list)

    def _explain(self, ticks: TickList) -> None:
        choice = self._choice(ticks, ticks.highlighted or 0)
        kind = (self._branch or STARTS_WITH).kind
        unsuited = isinstance(choice, OptionChoice) and not choice.suits(kind)
        reason = " This kind of branch has no use for it." if unsuited else ""
        self._say(f"{choice.words}{reason}", wrong=isinstance(choice, KindChoice) and choice.kind is None)

    def _choice(self, ticks: TickList, place: int) -> KindChoice | OptionChoice:
        return KINDS[place] if ticks.id == "branch-kinds" else OPTIONS[place]

    @on(OptionList.OptionSelected)
    def _ticked(self, event: OptionList.OptionSelected) -> None:
        """Write the branch with what was ticked; what it cannot be only says why."""
        event.stop()
        assert isinstance(event.option_list, TickList)
        choice = self._choice(event.option_list, event.option_index)
        if isinstance(choice, KindChoice):
            branch = choice.applied_to(self._branch)
        else:
            before = self._branch or STARTS_WITH
            branch = choice.switched(before) if choice.suits(before.kind) else None
        if branch is not None:
            self._branch = branch
            with self.prevent(Input.Changed):
                self.query_one(Input).value = show_branch(branch)
            self._tick()
        self._explain(event.option_list)

    @on(Input.Submitted)
    def action_take(self) -> None:
        """Take the branch that is written, if it is one."""
        branch, problem = _read(self.query_one(Input).value)
        if branch is not None:
            self.dismiss(branch)
        elif problem:
            self._say(problem, wrong=True)


def _entry(mark: str, choice: KindChoice | OptionChoice) -> Content:
    style = "dim" if mark == UNSUITED else "bold" if mark in (CHOSEN, ON) else ""
    return Content.assemble((f"{mark} {choice.name:<{NAME}}", style), (choice.short, "$foreground 60%"))


def _read(text: str) -> tuple[BranchSpec | None, str]:
    """The branch that a text is, and what is wrong with the text; an empty one is neither."""
    try:
        branches = parse_branches(text)
    except TextError as error:
        return None, str(error)
    if len(branches) > 1:
        return None, "one branch at a time, without a comma"
    return (branches[0] if branches else None), ""
