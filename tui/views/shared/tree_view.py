"""A tree in which blocks stand: groups to unfold, blocks to open, a name to search for."""

from __future__ import annotations

import abc
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.reactive import var

from tui.views.shared.tree_lines import AnyBlock, AnyNode, BlockTree, TreeLine
from tui.views.shared.visible_lines import VisibleLines, visible_lines
from tui.widgets.foot_key import FootKey
from tui.widgets.help_line import HelpLine
from tui.widgets.rows.row import Row
from tui.widgets.rows.row_list import RowList

MOST_UNFOLDED = 500
"""Blocks up to which the way to each of them is unfolded at first."""
WITHOUT_NAME = 7
"""Columns of pointer and signs before a name, and some air."""


OPEN_IT = "open"
ENTER = ("rows.choose",)
"""The foot's key whose words are told anew on each kind of line."""


class TreeView(Vertical, Generic[AnyNode, AnyBlock]):
    """Shows a BlockTree, of which only what is unfolded takes any time."""

    HELP_LINES: ClassVar[tuple[HelpLine, ...]] = (
        HelpLine(
            "arrows, h j k l",
            "up and down; right unfolds, left folds or goes to the parent; page up and down, home, end",
            (
                *("rows.up", "rows.down", "rows.page-up", "rows.page-down", "rows.first", "rows.last"),
                *("outline.unfold", "outline.fold"),
            ),
        ),
        HelpLine(
            "enter", "opens the block on the bench, with its numbers; unfolds a group", ("rows.choose",)
        ),
        HelpLine("b", "blocks only, without all the other tensors; again: everything", ("outline.blocks",)),
        HelpLine(
            "n, N",
            "the next place that was searched for, and the one before",
            ("outline.next", "outline.before"),
        ),
    )
    FOOT_KEYS: ClassVar[tuple[FootKey, ...]] = ()
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,l", "unfold", "Unfold", show=False, id="outline.unfold"),
        Binding("left,h", "fold", "Fold", show=False, id="outline.fold"),
        Binding(
            "b",
            "only_blocks",
            "Blocks only",
            show=False,
            id="outline.blocks",
            tooltip="Without what belongs to none; again: everything",
        ),
        Binding("n", "next_match(1)", "Next match", show=False, id="outline.next"),
        Binding("N", "next_match(-1)", "Match before", show=False, id="outline.before"),
    ]

    only_blocks: var[bool] = var(False, init=False)
    """Whether only the blocks, and what is left alone, are shown."""
    found: var[str] = var("", init=False)
    """What is searched for."""

    @dataclass
    class Moved(Message):
        """The cursor is on another line."""

        line: TreeLine[Any, Any]

    @dataclass
    class BlockChosen(Message):
        """The user wants this block on the bench."""

        block: Any

    @dataclass
    class Searched(Message):
        """A search was made or moved on: it is at the `place`th of `count` matches, from 1; 0 of none."""

        place: int
        count: int

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._outline: BlockTree[AnyNode] | None = None
        self._unfolded: set[str] = set()
        self._touched = False  # whether the user has folded or unfolded anything
        self._visible = VisibleLines[AnyNode, AnyBlock]([], 0)
        self._laid_out: tuple[object, ...] = ()  # of what these are the lines
        self._matches: Sequence[AnyNode] = []
        self._before_search: tuple[set[str], str, int] = set(), "", 0
        self.problems: dict[str, str] = {}
        self._told_of_enter = ""

    def compose(self) -> ComposeResult:
        """The rows."""
        yield RowList(id="outline-rows")

    @property
    def rows(self) -> RowList:
        """The list of what is unfolded."""
        return self.query_one(RowList)

    @property
    def _lines(self) -> list[TreeLine[AnyNode, AnyBlock]]:
        return self._visible.lines

    @property
    def line(self) -> TreeLine[AnyNode, AnyBlock] | None:
        """What is under the cursor."""
        return self._lines[self.rows.cursor] if self._lines else None

    @property
    def enter_does(self) -> str:
        """What enter does to what is under the cursor, in a word; empty where it does nothing."""
        line = self.line
        if line is None or line.only_block is not None:
            return OPEN_IT
        if not line.node.children or line.block is not None:
            return ""
        return "fold" if line.node.path in self._unfolded else "unfold"

    def foot_keys(self) -> tuple[FootKey, ...]:
        """What the foot says here: of enter, what it does to what is under the cursor."""
        does = self.enter_does
        told = (
            FootKey(does, key.bindings) if key.bindings == ENTER and key.words == OPEN_IT else key
            for key in self.FOOT_KEYS
        )
        return tuple(key for key in told if key.words)

    def _tell_of_enter(self) -> None:
        if self.enter_does != self._told_of_enter:
            self._told_of_enter = self.enter_does
            self.refresh_bindings()

    def focus_content(self) -> None:
        """Take the focus."""
        self.rows.focus()

    def show_outline(self, outline: BlockTree[AnyNode]) -> None:
        """Show it; what was unfolded stays so, and the cursor where it was."""
        before = self.line
        self._outline = outline
        if not self._touched:
            self._unfolded = _first_unfolded(outline)
            first = next((node for node in outline.nodes if node.marked), None)
            self._lay_out(before.node.path if before and self.rows.cursor else first.path if first else None)
        else:
            self._lay_out(before.node.path if before else None)

    def clear(self) -> None:
        """Forget all, for another file."""
        self._outline, self._touched, self.found = None, False, ""
        self._visible, self._laid_out = VisibleLines([], 0), ()
        self._matches, self.problems = [], {}
        self._unfolded = set()
        self.set_reactive(TreeView.only_blocks, False)
        self.rows.show(self._row_at, 0, longest=0)

    def show_problem(self, path: str, words: str) -> None:
        """Mark what was found amiss with the numbers there."""
        if self.problems.get(path, "") != words:
            self.problems[path] = words
            self.rows.refresh()

    @abc.abstractmethod
    def row_of(self, line: TreeLine[AnyNode, AnyBlock], *, opened: bool, problem: str) -> Row:
        """The line as a row; `problem`: what was found amiss there."""

    def _lay_out(self, path: str | None) -> None:
        """Make the list of lines, and put the cursor to this path or the nearest above it."""
        if self._outline is None:
            return
        asked = self._outline, self.only_blocks, frozenset(self._unfolded)
        if asked != self._laid_out:  # or only the cursor moves
            self._laid_out = asked
            visible = visible_lines(self._outline, asked[2], only_blocks=self.only_blocks)
            self._visible = visible
        longest = self._visible.widest + WITHOUT_NAME if self._lines else 0
        cursor = self._visible.nearest(path or "")
        self.rows.show(self._row_at, len(self._lines), longest=longest, cursor=cursor)

    def _row_at(self, place: int) -> Row:
        line = self._lines[place]
        problem = self.problems.get(line.node.path, "")
        return self.row_of(line, opened=line.node.path in self._unfolded, problem=problem)

    def watch_only_blocks(self) -> None:
        """Show more or less."""
        line = self.line
        self._lay_out(line.node.path if line else None)

    @on(RowList.Moved)
    def _moved(self, event: RowList.Moved) -> None:
        event.stop()
        if event.place < len(self._lines):
            self.post_message(self.Moved(self._lines[event.place]))
            self._tell_of_enter()

    @on(RowList.Chosen)
    def _chosen(self, event: RowList.Chosen) -> None:
        event.stop()
        line = self._lines[event.place]
        if line.only_block is not None:
            self.post_message(self.BlockChosen(line.only_block))
        elif line.node.children:
            self._fold(line.node, unfolded=line.node.path not in self._unfolded)

    def action_unfold(self) -> None:
        """Unfold the node under the cursor; go into one that is."""
        line = self.line
        if line is None or not line.node.children:
            return
        if line.node.path in self._unfolded:
            self.rows.cursor += 1
        else:
            self._fold(line.node, unfolded=True)

    def action_fold(self) -> None:
        """Fold the node under the cursor; go to the parent of one that is."""
        line = self.line
        if line is None:
            return
        node = line.node
        if node.children and node.path in self._unfolded:
            self._fold(node, unfolded=False)
        elif node.parent is not None:
            places = (place for place, each in enumerate(self._lines) if each.node is node.parent)
            self.rows.cursor = next(places, self.rows.cursor)

    def _fold(self, node: AnyNode, *, unfolded: bool) -> None:
        self._touched = True
        (self._unfolded.add if unfolded else self._unfolded.discard)(node.path)
        self._lay_out(node.path)
        self._tell_of_enter()

    def action_only_blocks(self) -> None:
        """Leave out what is of no block; then show it again."""
        self.only_blocks = not self.only_blocks

    def begin_search(self) -> None:
        """Search from here, whatever the text becomes while it is typed."""
        path, place = (self.line.node.path, self.line.node.place) if self.line else ("", 0)
        self._before_search = set(self._unfolded), path, place

    def search(self, text: str) -> None:
        """Go to the first place that holds the text, from where the search began."""
        self.found = self.rows.match = text
        self._matches = self._outline.matching(text) if self._outline else []
        self.refresh_bindings()
        unfolded, path, place = self._before_search
        self._unfolded = set(unfolded)
        if self._matches:
            self._go_to_match(0, place)
        else:
            self._lay_out(path)
            self.post_message(self.Searched(0, 0))

    def end_search(self) -> None:
        """Let nothing stand out any more; the cursor stays."""
        self.found = self.rows.match = ""
        self._matches = []
        self.refresh_bindings()

    def action_next_match(self, step: int) -> None:
        """Go to the next place that was searched for, or to the one before."""
        if self.line is not None and self._matches:
            self._go_to_match(step, self.line.node.place)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Where nothing was searched for, there is no next place; before a file is open, no block."""
        if action == "next_match":
            return bool(self._matches)
        if action == "only_blocks":
            return self._outline is not None
        return super().check_action(action, parameters)

    def _go_to_match(self, step: int, place: int) -> None:
        """Go to the first match from that place on (0), to the next after it (1), to the one before (-1)."""
        matches = self._matches
        at = bisect_left(matches, place + max(step, 0), key=lambda each: each.place)
        at = (at - 1 if step < 0 else at) % len(matches)
        self._go_to(matches[at])
        self.post_message(self.Searched(at + 1, len(matches)))

    def _go_to(self, node: AnyNode) -> None:
        """Put the cursor there, with all unfolded that is above it."""
        if self.only_blocks and not (node.within or node.skipped):
            self.set_reactive(TreeView.only_blocks, False)
        self._unfolded |= {each.path for each in node.ancestors()}
        self._lay_out(node.path)


def _first_unfolded(outline: BlockTree[AnyNode]) -> set[str]:
    """The way to each block, where there are not too many; the root always."""
    marked = [node for node in outline.nodes if node.marked]
    if not 0 < len(marked) <= MOST_UNFOLDED:
        return {""} | ({outline.nodes[0].path} if len(outline.top) == 1 and outline.nodes else set())
    return {""} | {above.path for node in marked for above in node.ancestors() if not above.marked}
