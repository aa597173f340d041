"""A step in words: its place, its arithmetic, its check, and the table of which kernels are not zero."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from tui.analysis.quantities import two_digits
from tui.fusion.tap import Tap
from tui.views.shared.styles import MUTED
from tui.widgets.grid.number_format import precise

if TYPE_CHECKING:
    from tui.analysis.steps.step import Check, Line, Step

BLOCK = "the block"
"""What a step belongs to that is of no branch."""
PASSED, FAILED = "✓", "✗"


def mark(check: Check) -> tuple[str, str]:
    """The mark of a check, and its style."""
    return (PASSED, "$text-success") if check.passed else (FAILED, "bold $text-error")


def place_line(step: Step, number: int, count: int) -> Content:
    """3 of 9   identity   identity to 3×3."""
    return Content.assemble(
        (f"{number} of {count}", MUTED),
        ("   ", ""),
        (step.branch or BLOCK, "$text-primary"),
        ("   ", ""),
        (step.title, "bold"),
    )


def operation_lines(step: Step, tap: Tap) -> Content:
    """The arithmetic of the weight at the tap, its numbers in bold."""
    return Content("\n").join(_written(line) for line in step.operation(tap))


def _written(line: Line) -> Content:
    parts: list[tuple[str, str]] = []
    for part in line:
        if isinstance(part, float):
            parts.append((precise(part).lstrip("+"), "bold"))
        else:
            parts.append((part, MUTED if type(part) is str else "bold"))
    return Content.assemble(*parts)


def check_line(check: Check) -> Content:
    """✓ holds  padded conv = 1×1 conv: 8.9e-16 apart, allowed 2.3e-09."""
    sign, style = mark(check)
    parts: list[tuple[str, str]] = [
        (f"{sign} {'holds' if check.passed else 'FAILS'}", style),
        (f"  {check.words}", ""),
        (f" {check.part}" if check.part else "", MUTED),
        (": ", ""),
        (two_digits(check.figure), "bold"),
        (" apart", ""),
    ]
    if check.allowed is not None:
        parts.append((f", allowed {two_digits(check.allowed)}", MUTED))
    return Content.assemble(*parts)


def kernel_table(step: Step, tap: Tap, width: int, height: int) -> Content:
    """out × in: which kernels are Dirac and which are zero, as many as fit, those around the tap."""
    out_channels, columns = step.after.shape[:2]
    label, cell = len(f"out {out_channels - 1}"), max(len(step.diagonal), len(f"in {columns - 1}"), 4) + 2
    rows = _around(tap.out, out_channels, height - 1)
    across = _around(tap.in_, columns, (width - label) // cell)
    weight = step.after.kernel.weight[rows.start : rows.stop, across.start : across.stop]
    there = weight.flatten(2).any(dim=2).tolist()
    parts: list[tuple[str, str]] = [(" " * label, "")]
    parts += [(f"in {in_}".rjust(cell), "bold" if in_ == tap.in_ else MUTED) for in_ in across]
    for out, kernels in zip(rows, there, strict=True):
        parts.append(("\n" + f"out {out}".ljust(label), "bold" if out == tap.out else MUTED))
        for in_, some in zip(across, kernels, strict=True):
            word = step.diagonal if some else "zero"
            here = (out, in_) == (tap.out, tap.in_)
            style = "$text-primary" if some else MUTED
            parts.append((" " * (cell - len(word)), ""))
            parts.append((word, f"{style} reverse" if here else style))
    return Content.assemble(*parts)


def _around(place: int, count: int, room: int) -> range:
    """As many of `count` places as there is room for, at least one, that one among them."""
    room = max(1, min(room, count))
    start = max(0, min(place - room // 2, count - room))
    return range(start, start + room)
