"""The branches of a block as a list in the form: switch, add, edit, remove and reorder them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.reactive import var

from tui.fusion.specs.branch_spec import BranchSpec
from tui.widgets.foot_key import FootKey
from tui.widgets.form.branch_row import BranchRow
from tui.widgets.key_line import KeyLine


class BranchList(Vertical):
    """A row a branch. Rows that are switched off stay in the list and are no part of `branches`."""

    DEFAULT_CSS = """
    BranchList {
        height: auto;
        & > .branch-keys { height: 1; color: $foreground 60%; }
    }
    """

    FOOT_KEYS: ClassVar[tuple[FootKey, ...]] = (
        FootKey("on or off", ("space",)),
        FootKey("add", ("branches.add",)),
        FootKey("edit", ("branches.edit",)),
        FootKey("remove", ("branches.remove",)),
        FootKey("move", ("branches.up", "branches.down")),
        FootKey("to the view", ("bench.grids",)),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "add", "Add a branch", show=False, id="branches.add"),
        Binding("e", "edit", "Edit the branch", show=False, id="branches.edit"),
        Binding("d,delete", "remove", "Remove the branch", show=False, id="branches.remove"),
        Binding("shift+up,ctrl+up,K", "move(-1)", "Branch up", show=False, id="branches.up"),
        Binding("shift+down,ctrl+down,J", "move(1)", "Branch down", show=False, id="branches.down"),
    ]

    branches: var[tuple[BranchSpec, ...]] = var[tuple[BranchSpec, ...]]((), init=False)
    """The branches that are switched on, in order; set it to show others."""

    class Changed(Message):
        """The user has changed the list."""

    @dataclass
    class EditRequested(Message):
        """The user wants to write a branch: another one, or that of `position` anew."""

        position: int | None
        branch: BranchSpec | None

    def __init__(self, branches: tuple[BranchSpec, ...]) -> None:
        super().__init__()
        self.set_reactive(BranchList.branches, branches)

    def compose(self) -> ComposeResult:
        """The rows, and the keys that work on them."""
        yield from (BranchRow(position, branch) for position, branch in enumerate(self.branches))
        yield KeyLine({"a": "add", "e": "edit", "d": "remove"}, classes="branch-keys")

    @property
    def rows(self) -> list[BranchRow]:
        """The rows from top to bottom."""
        return list(self.query(BranchRow))

    def _shown(self) -> tuple[BranchSpec, ...]:
        return tuple(row.branch for row in self.rows if row.is_on)

    def watch_branches(self, branches: tuple[BranchSpec, ...]) -> None:
        """Show these branches, silently; rows that show them already stay."""
        if branches != self._shown():
            self._put(branches)

    def _put(self, branches: tuple[BranchSpec, ...], focus: int | None = None) -> None:
        """Have a row for each of these branches, and put the focus on one of them."""
        rows = self.rows
        for row, branch in zip(rows, branches, strict=False):
            row.show(branch)
        for row in rows[len(branches) :]:
            row.remove()
        added = [
            BranchRow(position, branch)
            for position, branch in enumerate(branches[len(rows) :], start=len(rows))
        ]
        if added:
            self.mount(*added, before=self.query_one(".branch-keys"))
        if focus is not None:
            (rows + added)[focus].present.focus()

    def _change(self, branches: tuple[BranchSpec, ...], focus: int | None) -> None:
        """Change the list as the user asked for, and tell."""
        self._put(branches, focus)
        self.set_reactive(BranchList.branches, branches)
        self.post_message(self.Changed())

    @on(KeyLine.Pressed)
    def _key_clicked(self, event: KeyLine.Pressed) -> None:
        event.stop()
        {"a": self.action_add, "e": self.action_edit, "d": self.action_remove}[event.key]()

    @on(BranchRow.Changed)
    def _row_changed(self, event: BranchRow.Changed) -> None:
        event.stop()
        self.set_reactive(BranchList.branches, self._shown())
        self.post_message(self.Changed())

    def _position(self) -> int:
        """The row with the focus."""
        return next((place for place, row in enumerate(self.rows) if row.has_focus_within), 0)

    def action_add(self) -> None:
        """Ask for another branch."""
        self.post_message(self.EditRequested(None, None))

    def action_edit(self) -> None:
        """Ask for the branch of the row with the focus to be written anew."""
        if self.rows:
            position = self._position()
            self.post_message(self.EditRequested(position, self.rows[position].branch))

    def write(self, position: int | None, branch: BranchSpec) -> None:
        """Put the branch in the row of that position, or in a new last row."""
        branches = [row.branch for row in self.rows]
        if position is None:
            branches.append(branch)
            position = len(branches) - 1
        else:
            branches[position] = branch
        self._change(tuple(branches), position)

    def action_remove(self) -> None:
        """Take the branch of the row with the focus out of the list."""
        branches = [row.branch for row in self.rows]
        if not branches:
            return
        position = self._position()
        del branches[position]
        self._change(tuple(branches), min(position, len(branches) - 1) if branches else None)

    def action_move(self, step: int) -> None:
        """Move the branch of the row with the focus up (-1) or down (1)."""
        branches = [row.branch for row in self.rows]
        place = self._position()
        if 0 <= place + step < len(branches):
            branches[place], branches[place + step] = branches[place + step], branches[place]
            self._change(tuple(branches), place + step)
