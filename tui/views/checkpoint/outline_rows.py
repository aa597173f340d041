"""A node of a checkpoint's outline as a row: a block by its structure, a tensor by shape, dtype and size."""

from __future__ import annotations

from tui.analysis.quantities import count
from tui.checkpoints.found import FoundBlock, LeftAlone
from tui.checkpoints.outline import Node
from tui.fusion.pair_text import show_pair
from tui.fusion.quoting import printable
from tui.views.shared.tree_lines import BLOCK, CLOSED, OPEN, PROBLEM, SKIPPED, TreeLine, found_within
from tui.views.shared.verdict_words import SIGNS, TONES, Verdict, plain
from tui.widgets.rows.row import Row, Tone

WHOLE = "the whole file"


Line = TreeLine[Node, FoundBlock]
"""A line of a checkpoint's tree."""


def row_of(line: Line, *, opened: bool, problem: str = "", verdict: Verdict | None = None) -> Row:
    """The line; `problem`: what is known to be amiss with its numbers; `verdict`: on what was made of it."""
    node, block = line.node, line.only_block
    indent = line.indent
    if line.block is not None:
        return Row(line.block.family, block_words(line.block), "", indent, BLOCK, Tone.PLAIN, Tone.STRONG)
    name, size = name_of(node), size_in_words(node.bytes)
    fold = (OPEN if opened else CLOSED) if node.children else " "
    if block is not None and verdict is not None:
        ruling, words = verdict
        tone = TONES[ruling]
        sign, middle = f"{fold} {SIGNS[ruling]}", Tone.MUTED if ruling.agrees else tone
        return Row(
            name, f"{plain(words)}  {block_words(block)}", size, indent, sign, Tone.STRONG, tone, middle
        )
    if block is not None:
        words = f"{problem} · {block_words(block)}" if problem else block_words(block)
        tone = Tone.WARNING if problem else Tone.PLAIN
        return Row(name, words, size, indent, f"{fold} {BLOCK}", Tone.STRONG, Tone.STRONG, tone)
    if node.left_alone:
        words = skipped_words(node.left_alone)
        return Row(name, words, size, indent, f"{fold} {SKIPPED}", Tone.PLAIN, Tone.WARNING, Tone.WARNING)
    if node.children:
        words = found_within(node) or tensors_in_words(node.tensors)
        return Row(name, words, size, indent, fold, Tone.PLAIN, Tone.MUTED)
    words = tensor_words(node)
    if problem:
        return Row(
            name, f"{problem} · {words}", size, indent, PROBLEM, Tone.PLAIN, Tone.WARNING, Tone.WARNING
        )
    return Row(name, words, size, indent, " ")


def name_of(node: Node) -> str:
    """What it is called, without what its parent is called; an empty word in quotes."""
    if node.parent is None:
        return WHOLE
    return printable(node.name) or '""'


def block_words(block: FoundBlock) -> str:
    """ "RepVGG  48 → 48  3×3  3 branches"."""
    words = [block.family, f"{block.in_channels} → {block.out_channels}", show_pair(block.kernel_size, "×")]
    if block.groups == block.in_channels > 1:
        words.append("depthwise")
    elif block.groups > 1:
        words.append(f"{block.groups} groups")
    number = len(block.branches)
    words.append(f"{number} branch{'es' if number != 1 else ''}")
    return "  ".join(words)


def skipped_words(left_alone: tuple[LeftAlone, ...]) -> str:
    """Why what stands there is left alone."""
    return "; ".join(f"{each.family}: {each.reason}" if each.family else each.reason for each in left_alone)


def tensor_words(node: Node) -> str:
    """ "64 × 64 × 3 × 3  float32"."""
    if node.entry is None:
        return ""
    return f"{shape_words(node.entry.shape)}  {printable(node.entry.dtype)}"


def shape_words(shape: tuple[int, ...]) -> str:
    """ "64 × 3 × 3", and of a single number "one number"."""
    return " × ".join(map(str, shape)) if shape else "1 number"


def size_in_words(size: int) -> str:
    """Bytes in the unit that reads best: "36.4 MB", "512 B"."""
    if size < 1000:
        return f"{size} B"
    amount, units = size / 1000, iter(("kB", "MB", "GB", "TB"))
    unit = next(units)
    while amount >= 999.5 and unit != "TB":
        amount, unit = amount / 1000, next(units)
    return f"{amount:.1f} {unit}"


def tensors_in_words(number: int) -> str:
    """ "12 tensors", "1 tensor"."""
    return f"{count(number)} tensor{'s' if number != 1 else ''}"
