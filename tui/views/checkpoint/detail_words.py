"""What the pane beside the tree says: what was read, what was assumed, what is amiss."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from textual.content import Content

from tui.analysis.progress import Doing, Failed
from tui.analysis.quantities import count
from tui.checkpoints.contents import Entry
from tui.checkpoints.found import FoundBlock, LeftAlone
from tui.checkpoints.inspection.inspecting import ReadBlock, ReadTensor
from tui.checkpoints.outline import Node
from tui.fusion.grammar.number_text import show_number
from tui.fusion.quoting import printable
from tui.views.checkpoint.outline_rows import (
    WHOLE,
    Line,
    block_words,
    shape_words,
    size_in_words,
    tensors_in_words,
)
from tui.views.shared.styles import MUTED

if TYPE_CHECKING:
    from tui.checkpoints.inspection.eps_change import EpsChange

Read = ReadBlock | ReadTensor | Doing | Failed | None
"""What became of reading what is under the cursor; None where nothing is to be read."""
EXACTLY = 1.01
"""A factor up to which another eps would hardly be seen."""


class _Section(NamedTuple):
    """Lines under a heading, or after it where there is little room."""

    heading: str
    lines: list[Content]


def words_on(line: Line, read: Read, eps: float | None = None, *, narrow: bool = False) -> Content:
    """All that is known of what is under the cursor.

    `eps`: of a block's batch norms, if it was chosen. `narrow`: whether there are few rows, and long ones.
    """
    node, block = line.node, line.only_block
    title, gap = printable(node.path) or WHOLE, "  " if narrow else "\n"
    sections: Iterable[_Section] = ()
    if block is not None:
        words, sections = block_words(block), _on_block(block, read, eps, narrow=narrow)
    elif node.left_alone:
        words, sections = "left alone", _on_left_alone(node.left_alone)
    elif node.entry is not None:
        words, sections = _tensor_words(node.entry), _on_tensor(read, narrow=narrow)
    else:
        words = _group_words(node)
    head = Content.assemble((title, "bold"), gap, words)
    return Content("\n").join([head, *(_rendered(each, narrow=narrow) for each in sections if each.lines)])


def _rendered(section: _Section, *, narrow: bool) -> Content:
    if narrow:
        return Content.assemble((f"{section.heading}  ", f"bold {MUTED}"), Content("; ").join(section.lines))
    return Content("\n").join(
        [Content.styled(f"\n{section.heading.upper()}", f"bold {MUTED}"), *section.lines]
    )


def _pairs(pairs: list[tuple[str, str]], *, narrow: bool) -> list[Content]:
    """Two columns, a word and what it is, where they stand under each other."""
    width = 0 if narrow else 1 + max((len(word) for word, _ in pairs), default=0)
    return [Content.assemble((f"{word:{width}} ", MUTED), meaning) for word, meaning in pairs]


def _on_block(block: FoundBlock, read: Read, eps: float | None, *, narrow: bool) -> Iterator[_Section]:
    branches = [(printable(branch.name), branch.text) for branch in block.branches]
    after = [("after the sum", "norm")] if block.post_norm is not None else []
    yield _Section("branches", _pairs([*branches, *after], narrow=narrow))
    fused = " and ".join(printable(_under(each.name, block.prefix)) for each in block.fused)
    told = [Content(f"{tensors_in_words(len(block.reads))}, {block.dtype}")]
    if block.placeholders:
        told.append(Content.styled("! fused names are there too: the branches win", "$text-warning"))
    yield _Section("read", [*told, *_on_values(read)])
    yield _Section("fused into", [Content(fused)])
    yield _Section("assumed", list(_assumed(block, eps)))
    if isinstance(read, ReadBlock) and read.eps_change is not None:
        yield _Section("another eps", _on_eps(read.eps_change, block.eps if eps is None else eps))


def _assumed(block: FoundBlock, eps: float | None) -> Iterator[Content]:
    if eps is not None:
        yield Content.assemble((f"eps {show_number(eps)}", "bold"), (": chosen here", MUTED))
    by_reason: dict[str, list[str]] = {}
    for each in block.assumed:
        if each.what != "eps" or eps is None:
            by_reason.setdefault(each.why, []).append(f"{each.what} {each.value}")
    for why, assumed in by_reason.items():
        yield Content.assemble((", ".join(assumed), "bold"), (f": {printable(why)}", MUTED))


def _on_eps(change: EpsChange, used: float) -> list[Content]:
    small, large = "1e-5", "1e-3"
    other = f"{small} for {large}" if used == float(large) else f"{large} for {small}"
    off = (
        f"{change.factor:.3g} × off" if change.factor > EXACTLY else f"{100 * (change.factor - 1):.2g} % off"
    )
    where = printable(change.name.removesuffix(".running_var"))
    style = "bold $text-warning" if change.factor > EXACTLY else "bold"
    return [
        Content.assemble(f"{other}: the worst channel is ", (off, style)),
        Content.styled(f"channel {change.channel} of {where}, var {change.variance:.2g}", MUTED),
    ]


def _on_values(read: Read) -> Iterator[Content]:
    """What is amiss with the numbers, or that they are not read yet."""
    match read:
        case Doing(words):
            yield Content.styled(f"{words} …", MUTED)
        case Failed(words):
            yield Content.styled(f"! {words}", "$text-error")
        case ReadBlock(_, problems) | ReadTensor(_, _, _, _, _, problems):
            for problem in problems:
                yield Content.styled(f"! {printable(problem.words)}", "$text-warning")
            if not problems:
                yield Content.styled("no NaN, no infinity", MUTED)
        case _:
            pass


def _under(name: str, prefix: str) -> str:
    return name.removeprefix(f"{prefix}.") if prefix else name


def _on_left_alone(left_alone: tuple[LeftAlone, ...]) -> Iterator[_Section]:
    for each in left_alone:
        yield _Section(each.family or "why", [Content(printable(each.reason))])


def _tensor_words(entry: Entry) -> str:
    shape = f"{shape_words(entry.shape)}  {printable(entry.dtype)}"
    numbers = "1 number" if entry.numel == 1 else f"{count(entry.numel)} numbers"
    return f"{shape}, {numbers}, {size_in_words(entry.bytes)}"


def _on_tensor(read: Read, *, narrow: bool) -> Iterator[_Section]:
    lines = list(_on_values(read))
    if isinstance(read, ReadTensor):
        spread = {
            "least": read.least,
            "largest": read.largest,
            "mean": read.mean,
            "deviation": read.deviation,
        }
        told = [(name, f"{value:.4g}") for name, value in spread.items() if value is not None]
        lines = [*_pairs(told, narrow=narrow), *lines]
        yield _Section("begins with", [Content(", ".join(read.first))] if read.first else [])
    yield _Section("read", lines)


def _group_words(node: Node) -> str:
    words = (
        f"{tensors_in_words(node.tensors)}, {count(node.parameters)} parameters, {size_in_words(node.bytes)}"
    )
    blocks = f"\n{node.within} block{'s' if node.within > 1 else ''}" if node.within else ""
    return words + blocks + (f"\n{node.skipped} left alone" if node.skipped else "")
