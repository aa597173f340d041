"""The block at hand beside A, in a line or two."""

from __future__ import annotations

from textual.content import Content

from tui.analysis.block_a import AgainstA, Beside, BlockA, KernelsApart
from tui.analysis.cost import Sides
from tui.analysis.progress import Doing, Failed
from tui.analysis.quantities import count, two_digits
from tui.fusion.pair_text import show_pair
from tui.fusion.presets import preset_named
from tui.fusion.quoting import printable
from tui.views.shared.styles import MUTED, RULING_STYLES

Part = str | tuple[str, str]


def beside_a_lines(beside: Beside, current: bool, width: int, rows: int) -> Content:
    """A's verdict and costs, and how the block at hand differs; in one row the most important of both.

    `current`: whether the comparison is of the block whose result is on the screen.
    """
    if isinstance(beside, Doing):
        place = f", {beside.place}" if beside.place else ""
        return Content.assemble(("A  ", "bold"), (f"{beside.words}{place} …", "$text-accent"))
    if isinstance(beside, Failed):
        return Content.assemble(("A  ", "bold"), (beside.words, "$text-warning"), ("   A lets it go", MUTED))
    if rows > 1:
        differences = [_difference(beside, current, briefly) for briefly in (False, True)]
        return Content("\n").join([_one_line(beside, 2), _fitting(differences, width)])
    kernels = _kernels(beside.kernels, briefly=True) if current else []
    return _fitting([Content.assemble(_one_line(beside, costs), *kernels) for costs in (2, 1, 0)], width)


def _fitting(lines: list[Content], width: int) -> Content:
    return next((line for line in lines if line.cell_length <= width), lines[-1])


def _one_line(beside: AgainstA, costs: int) -> Content:
    """A's name, its verdict, and so many of its costs."""
    a = beside.a
    largest = f" {two_digits(a.max_abs_diff)}" if a.max_abs_diff else ""
    parts: list[Part] = [
        ("A  ", "bold"),
        f"{name_of(a)}: ",
        (a.ruling, RULING_STYLES[a.ruling]),
        (largest, "bold"),
    ]
    for words, sides in (("parameters", a.cost.params), ("MACs", a.cost.macs))[:costs]:
        parts += [(f"   {words} ", MUTED), f"{count(sides.unfused)} → {count(sides.fused)}"]
    return Content.assemble(*parts)


def name_of(a: BlockA) -> str:
    """The preset that A is, or its channels and kernel size; and that it was altered."""
    spec, alterations = a.subject.spec, a.subject.alterations
    plain = f"{spec.in_channels}→{spec.out_channels} {show_pair(spec.fused_kernel_size, '×')}"
    origin = a.subject.origin
    name = preset_named(spec) or plain if origin is None else printable(origin.title)
    return f"{name}, altered" if alterations else name


def _difference(beside: AgainstA, current: bool, briefly: bool) -> Content:
    if not current:
        return Content.styled("comparing …", MUTED)
    if beside.subject == beside.a.subject:
        return Content.styled("this block is A; the next is compared with it, and A lets it go", MUTED)
    parts: list[Part] = [("this − A", MUTED)]
    here, there = beside.cost, beside.a.cost
    for words, one, other in (("parameters", here.params, there.params), ("MACs", here.macs, there.macs)):
        parts += [(f"   {words} ", MUTED), _signed(one, other)]
    return Content.assemble(*parts, *_kernels(beside.kernels, briefly=briefly))


def _signed(one: Sides, other: Sides) -> str:
    changes = (one.unfused - other.unfused, one.fused - other.fused)
    signs = ("+" if change > 0 else "−" if change < 0 else "" for change in changes)
    return " → ".join(f"{sign}{count(abs(change))}" for sign, change in zip(signs, changes, strict=True))


def _kernels(kernels: KernelsApart | str, *, briefly: bool) -> list[Part]:
    """How far the fused kernels are apart, and where."""
    if isinstance(kernels, str):
        return (
            [("   kernels of other shapes", MUTED)] if briefly else [("   fused kernels of ", MUTED), kernels]
        )
    label = "   kernels " if briefly else "   fused kernels "
    if not kernels.largest and not kernels.bias:
        return [(label, MUTED), "equal"]
    tap = kernels.tap
    where = f"at out {tap.out} in {tap.in_} tap ({tap.ky},{tap.kx})" if kernels.largest else "in the bias"
    largest = two_digits(kernels.largest or kernels.bias)
    return [(label, MUTED), (largest, "bold"), (" apart" if briefly else f" apart {where}", MUTED)]
