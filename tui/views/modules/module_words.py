"""What the pane beside a module's tree says: what a block is made of, or why there is none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from textual.content import Content

from tui.analysis.quantities import count, short_count
from tui.fusion.quoting import printable
from tui.views.modules.module_rows import Line, block_words, kind_words
from tui.views.shared.styles import MUTED
from tui.views.shared.tree_lines import BLOCK, SKIPPED

if TYPE_CHECKING:  # as in the rows
    from tui.modules.found import FoundBlock
    from tui.modules.looking import LookedAt
    from tui.modules.outline import ModuleNode

Section = tuple[str, list[Content]]


def words_on(line: Line, *, narrow: bool) -> Content:
    """All that is known of what is under the cursor. `narrow`: whether there are few rows, and long ones."""
    node, block = line.node, line.only_block
    title = printable(node.path) or printable(node.kind)
    head = [Content.assemble((title, "bold"), "  " if narrow else "\n", _said(node))]
    sections = _sections(node, block)
    return Content("\n").join([*head, *(_rendered(*each, narrow=narrow) for each in sections)])


def _said(node: ModuleNode) -> str:
    numbers = f"{count(node.parameters)} parameters" if node.parameters else "no parameters"
    return f"{words}\n{numbers}" if (words := kind_words(node)) else numbers


def _rendered(heading: str, lines: list[Content], *, narrow: bool) -> Content:
    if narrow:
        return Content.assemble((f"{heading}  ", f"bold {MUTED}"), Content("; ").join(lines))
    return Content("\n").join([Content.styled(f"\n{heading.upper()}", f"bold {MUTED}"), *lines])


def _sections(node: ModuleNode, block: FoundBlock | None) -> Iterator[Section]:
    if block is not None:
        yield "one convolution", [Content(block_words(block))]
        yield "branches", [_branch(block, place) for place in range(len(block.block64.branches))]
        if block.block64.post_norm is not None:
            yield "after the sum", [Content("norm")]
    elif node.blocks:
        yield "blocks", [Content(f"{len(node.blocks)}, each in a line below")]
    for each in node.left_alone:
        place = [Content.styled(printable(each.place), MUTED)] if each.place else []
        yield "left alone", [Content.styled(printable(each.reason), "$text-warning"), *place]
    if not node.marked and (node.within or node.skipped):
        skipped = [Content(f"{node.skipped} left alone")] if node.skipped else []
        yield "within", [Content(f"{node.within} block{'s' if node.within != 1 else ''}"), *skipped]


def _branch(block: FoundBlock, place: int) -> Content:
    branch = block.block64.branches[place]
    layers = ", ".join(printable(layer.name) for layer in branch.layers)
    name = printable(branch.name)
    return Content(name) if layers == name else Content.assemble((f"{name}  ", MUTED), layers)


def totals_of(looked: LookedAt) -> Content:
    """Blocks, and what is left alone, in a line."""
    findings = looked.findings
    number, skipped = len(findings.blocks), len(findings.left_alone)
    words = f"{number} block{'s' if number != 1 else ''} that can be fused" if number else "nothing to fuse"
    parts: list[tuple[str, str]] = [(f"{BLOCK} ", "bold $text-primary"), (words, "bold")]
    if skipped:
        parts.append((f"   {SKIPPED} {skipped} left alone", "$text-warning"))
    return Content.assemble(*parts)


def sizes_of(looked: LookedAt) -> Content:
    """Modules and parameters."""
    nodes = looked.outline.nodes
    words = f"{count(len(nodes))} modules  {short_count(looked.outline.root.parameters)} parameters"
    return Content.styled(words, MUTED)
