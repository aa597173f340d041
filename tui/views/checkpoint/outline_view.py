"""The tree of what a checkpoint holds: groups to unfold, blocks to open, tensors to look at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from tui.checkpoints.found import FoundBlock
from tui.checkpoints.outline import Node
from tui.views.checkpoint.outline_rows import Line, row_of
from tui.views.shared.tree_view import TreeView
from tui.views.shared.verdict_words import Verdict
from tui.widgets.foot_key import FootKey
from tui.widgets.rows.row import Row


class OutlineView(TreeView[Node, FoundBlock]):
    """Shows an Outline."""

    FOOT_KEYS: ClassVar[tuple[FootKey, ...]] = (
        FootKey("open", ("rows.choose",)),
        FootKey("next match", ("outline.next", "outline.before")),
        FootKey("fuse all", ("checkpoint.fuse",)),
        FootKey("search", ("tree.search",)),
        FootKey("ranges", ("checkpoint.ranges",)),
        FootKey("speed", ("tree.speed",)),
        FootKey("compare", ("tree.compare",)),
        FootKey("eps", ("checkpoint.eps",)),
        FootKey("blocks only", ("outline.blocks",)),
    )

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._verdicts: Mapping[tuple[str, ...], Verdict] = {}

    def clear(self) -> None:
        """Forget all, for another file."""
        self._verdicts = {}
        super().clear()

    def show_verdicts(self, verdicts: Mapping[tuple[str, ...], Verdict]) -> None:
        """Tell what was ruled on the fused kernels of another file, by the names that each block reads."""
        self._verdicts = verdicts
        self.rows.refresh()

    def row_of(self, line: Line, *, opened: bool, problem: str) -> Row:
        """A block by its structure or by what was ruled on it, a tensor by shape, dtype and size."""
        block = line.only_block
        verdict = self._verdicts.get(block.reads) if block else None
        return row_of(line, opened=opened, problem=problem, verdict=verdict)
