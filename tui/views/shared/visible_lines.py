"""The lines of a tree of which some nodes are unfolded, made anew with each of these: there may be 50,000."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Generic, NamedTuple

from tui.collecting import without_collecting
from tui.views.shared.tree_lines import DEEPEST, INDENT, AnyBlock, AnyNode, BlockTree, TreeLine


class VisibleLines(NamedTuple, Generic[AnyNode, AnyBlock]):
    """What can be scrolled through.

    Attributes:
        lines: from top to bottom.
        widest: columns of the longest name with its indentation.
    """

    lines: list[TreeLine[AnyNode, AnyBlock]]
    widest: int

    def nearest(self, path: str) -> int:
        """The first line of that path; else of the nearest above it; else the first of all."""
        wanted = {path: 0}
        while path:
            path = path.rpartition(".")[0]
            wanted[path] = len(wanted)
        best, found = len(wanted), 0
        for place, line in enumerate(self.lines):
            rank = wanted.get(line[0].path, best)
            if rank < best:
                best, found = rank, place
        return found


@without_collecting()
def visible_lines(
    tree: BlockTree[AnyNode], unfolded: Collection[str], *, only_blocks: bool
) -> VisibleLines[AnyNode, Any]:
    """The lines of a tree.

    `unfolded`: the paths of the nodes whose children are shown; `only_blocks`: whether only those are in
    or above which something was found.
    """
    lines: list[TreeLine[AnyNode, Any]] = []
    widest = 0
    waiting = [iter(tree.top)]
    while waiting:
        depth = len(waiting) - 1
        indent = INDENT * min(depth, DEEPEST)
        for node in waiting[-1]:
            if only_blocks and not (node.within or node.skipped):
                continue
            lines.append(TreeLine(node, depth))
            width = indent + len(node.name)
            if width > widest:
                widest = width
            if len(node.blocks) > 1:
                lines += (TreeLine(node, depth + 1, block) for block in node.blocks)
            children: Sequence[AnyNode] = node.children
            if children and node.path in unfolded:
                waiting.append(iter(children))
                break
        else:
            waiting.pop()
    return VisibleLines(lines, widest)
