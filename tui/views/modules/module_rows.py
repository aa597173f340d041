"""A module as a row: a block by its structure, what is left alone by the reason, others by their kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.analysis.quantities import short_count
from tui.fusion.pair_text import show_pair
from tui.fusion.quoting import printable
from tui.views.shared.tree_lines import BLOCK, CLOSED, OPEN, SKIPPED, TreeLine, found_within
from tui.views.shared.verdict_words import SIGNS, TONES, Verdict, plain
from tui.widgets.rows.row import Row, Tone

if TYPE_CHECKING:  # what can be imported without torch can be told in the help
    from tui.modules.found import FoundBlock, LeftAlone
    from tui.modules.outline import ModuleNode

Line = TreeLine["ModuleNode", "FoundBlock"]
"""A line of a module's tree."""


def row_of(line: Line, *, opened: bool, verdict: Verdict | None = None) -> Row:
    """The line; `verdict`: on what was made of its block."""
    node, block = line.node, line.only_block
    name, size = name_of(node), short_count(node.parameters) if node.parameters else ""
    fold = (OPEN if opened else CLOSED) if node.children else " "
    if line.block is not None:
        name, size, fold = "a part of it", "", " "
    if block is not None and verdict is not None:
        ruling, told = verdict
        words, tone = f"{plain(told)}  {block_words(block)}", TONES[ruling]
        middle = Tone.MUTED if ruling.agrees else tone
        return Row(name, words, size, line.indent, f"{fold} {SIGNS[ruling]}", Tone.STRONG, tone, middle)
    if line.block is not None:
        words = block_words(line.block)
        return Row(name, words, size, line.indent, f"{fold} {BLOCK}", Tone.PLAIN, Tone.STRONG)
    if block is not None:
        kind = f"{printable(node.kind)}  " if node.parent else ""  # the whole is called by its class already
        words, sign = f"{kind}{block_words(block)}", f"{fold} {BLOCK}"
        return Row(name, words, size, line.indent, sign, Tone.STRONG, Tone.STRONG, Tone.PLAIN)
    if node.left_alone:
        words = reasons(node.left_alone)
        sign = f"{fold} {SKIPPED}"
        return Row(name, words, size, line.indent, sign, Tone.PLAIN, Tone.WARNING, Tone.WARNING)
    words = kind_words(node)
    if node.children and (found := found_within(node)):
        words = f"{words}  {found}".lstrip()
    return Row(name, words, size, line.indent, fold, Tone.PLAIN, Tone.MUTED)


def name_of(node: ModuleNode) -> str:
    """The last word of its path; of the whole, its class."""
    return printable(node.name) or printable(node.kind)


def kind_words(node: ModuleNode) -> str:
    """ "Conv2d(3, 8, kernel_size=(3, 3))"; the whole is called by its class already."""
    if node.parent is None:
        return ""
    return f"{printable(node.kind)}({printable(node.words)})" if node.words else printable(node.kind)


def block_words(block: FoundBlock) -> str:
    """ "48 → 48  3×3  depthwise  3 branches"."""
    made = block.block64
    groups = made.geometry.groups
    words = [f"{made.in_channels} → {made.out_channels}", show_pair(made.kernel_size, "×")]
    if groups == made.in_channels > 1:
        words.append("depthwise")
    elif groups > 1:
        words.append(f"{groups} groups")
    number = len(made.branches)
    words.append(f"{number} branch{'es' if number != 1 else ''}")
    return "  ".join(words)


def reasons(left_alone: tuple[LeftAlone, ...]) -> str:
    """Why what stands there is left alone."""
    return printable("; ".join(dict.fromkeys(each.reason for each in left_alone)))
