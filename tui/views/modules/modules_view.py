"""The tree of a module's modules: groups to unfold, blocks to open."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from tui.views.modules.module_rows import Line, row_of
from tui.views.shared.tree_view import TreeView
from tui.views.shared.verdict_words import Verdict
from tui.widgets.foot_key import FootKey
from tui.widgets.rows.row import Row

if TYPE_CHECKING:  # as there
    from tui.modules.found import FoundBlock
    from tui.modules.outline import ModuleNode  # noqa: F401


class ModulesView(TreeView["ModuleNode", "FoundBlock"]):
    """Shows a ModuleOutline."""

    DEFAULT_CSS = """
    ModulesView { width: 1fr; height: 1fr; padding: 0 0 0 1; }
    """
    FOOT_KEYS: ClassVar[tuple[FootKey, ...]] = (
        FootKey("open", ("rows.choose",)),
        FootKey("search", ("tree.search",)),
        FootKey("speed", ("tree.speed",)),
        FootKey("compare", ("tree.compare",)),
        FootKey("blocks only", ("outline.blocks",)),
    )

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._verdict_on: Callable[[FoundBlock], Verdict | None] = lambda _found: None

    def show_verdicts(self, verdict_on: Callable[[FoundBlock], Verdict | None]) -> None:
        """Tell what was ruled on what was made of the blocks: what this says of each."""
        self._verdict_on = verdict_on
        self.rows.refresh()

    def row_of(self, line: Line, *, opened: bool, problem: str) -> Row:
        """A block by its structure or by what was ruled on it, others by the reason or by their kind."""
        del problem  # nothing is read here that could have one
        block = line.only_block
        return row_of(line, opened=opened, verdict=None if block is None else self._verdict_on(block))
