"""The two sides of one output element under each other, to the last digit, and how far apart they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from textual.content import Content

from tui.analysis.quantities import two_digits
from tui.fusion.specs.block_spec import Dtype
from tui.views.shared.styles import MUTED
from tui.widgets.digits import against, all_digits

if TYPE_CHECKING:
    from tui.analysis.probe.probe import Probe, Totals

DIFFERING = "bold underline $text-primary"
LABEL = 13
GAP = 3


def total_lines(probe: Probe, width: int, *, hexadecimal: bool) -> Content:
    """Four lines: what computed it, unfused, fused, their difference; a column for each way of computing.

    Where that is wider than `width` columns, the differences only, a line for each way.
    """
    ways = [(f"torch, {probe.torch.dtype}", probe.torch), ("by hand", probe.by_hand)]
    if probe.torch.dtype is not Dtype.FLOAT64:
        ways.append(("torch, float64", probe.float64))
    columns = [_column(title, totals, hexadecimal) for title, totals in ways]
    labels = (
        Content(""),
        *(Content.styled(f" {name}", MUTED) for name in ("unfused", "fused", "difference")),
    )
    lines = [_joined(label, cells) for label, *cells in zip(labels, *columns, strict=True)]
    if max(line.rstrip().cell_length for line in lines) > width:
        lines = list(_differences(ways))
    return Content("\n").join(lines)


def _differences(ways: Sequence[tuple[str, Totals | None]]) -> Iterator[Content]:
    yield Content.styled(" fused − unfused", MUTED)
    texts = ["not to be had" if totals is None else difference_in_words(totals) for _, totals in ways]
    wide = max(map(len, texts)) + 2
    for (title, _), text in zip(ways, texts, strict=True):
        yield Content.assemble(" ", text.ljust(wide), (title, MUTED))


def _joined(label: Content, cells: list[Content]) -> Content:
    return Content("").join([label.pad_right(LABEL - label.cell_length), *cells])


def _column(title: str, totals: Totals | None, hexadecimal: bool) -> list[Content]:
    """The four cells of a way of computing, all as wide as the widest."""
    if totals is None:
        cells = [Content.styled(title, MUTED), Content("not to be had"), Content(""), Content("")]
    else:
        unfused, fused = all_digits((totals.unfused, totals.fused), totals.dtype, hexadecimal=hexadecimal)
        cells = [
            Content.styled(title, MUTED),
            Content(unfused),
            against(fused, unfused, DIFFERING),
            Content(difference_in_words(totals)),
        ]
    width = max(cell.cell_length for cell in cells) + GAP
    return [cell.pad_right(width - cell.cell_length) for cell in cells]


def difference_in_words(totals: Totals) -> str:
    """fused - unfused: "+2.4e-07 = 2 ulps"."""
    if totals.unfused == totals.fused:
        return " 0"
    sign = "-" if totals.difference < 0 else "+"
    ulps = totals.ulps
    words = f"{sign}{two_digits(abs(totals.difference))}"
    if not ulps < 1e6:
        return words
    amount = f"{ulps:.0f}" if ulps == int(ulps) else f"{ulps:.1f}"
    return f"{words} = {amount} ulp{'' if amount == '1' else 's'}"
