"""A stage of a probe as text: patch, kernel and products as grids, their sum, and what is applied to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from textual.content import Content

from tui.fusion.specs.block_spec import Dtype
from tui.views.shared.styles import MUTED
from tui.widgets.digits import all_digits
from tui.widgets.grid.number_format import cell_text, precise

if TYPE_CHECKING:
    from tui.analysis.probe.written import Applied, WrittenStage, WrittenSum

PADDING = f"{MUTED} underline"
DARKER = "$foreground 75%"
GAP = 3
"""Columns between two grids: " × ", " = "."""
NARROWEST, WIDEST = 4, 12
"""Columns of a number in a grid."""
MOST_ROWS = 31
"""Of a grid; the rest of a larger kernel is left out, half of it on each side."""
SUBTOTAL = 20
"""Columns of a channel and its subtotal."""

Line = Content
Part = str | tuple[str, str] | Content


@dataclass(frozen=True, slots=True)
class Page:
    """What of a stage is shown, and in how much room.

    Attributes:
        channel: whose products; the nearest where the stage does not read it.
        columns, rows: that the stage should take; many taps take more.
        channels: what the channels that it reads are called. source: what gave them.
    """

    channel: int
    columns: int
    rows: int
    channels: str = "in"
    source: str = "input"


def stage_lines(
    title: str, stage: WrittenStage, page: Page, dtype: Dtype, *, hexadecimal: bool = False
) -> Content:
    """The stage written out, with the products of the page's channel."""
    terms = stage.sum
    place = min(max(page.channel, terms.channels.start), terms.channels.stop - 1) - terms.first_channel
    page = replace(page, rows=page.rows - 2 - len(stage.applied))
    parts = _channel_products if terms.padding.numel() == 1 else _grids
    lines = [
        _title(title, terms, page.channels),
        *parts(terms, place, page),
        *_results(stage, dtype, hexadecimal),
    ]
    return Content("\n").join(lines)


def least_rows(stage: WrittenStage, columns: int) -> int:
    """Rows in which a stage can be read, of long lists of channels a part."""
    terms = stage.sum
    height, width = terms.padding.shape
    if terms.padding.numel() == 1:
        shown = min(len(terms.channels), 3)
    else:
        stacked = _beside(columns, width) < NARROWEST
        shown = 3 * (height + 1) if stacked else height + 1
        shown += len(terms.channels) > 1
    return 2 + shown + len(stage.applied)


def _title(title: str, terms: WrittenSum, name: str) -> Line:
    channels, taps = terms.channels, terms.padding.numel()
    read = f"{name} {channels.start}" + (f" to {channels.stop - 1}" if len(channels) > 1 else "")
    outside = int(terms.padding.sum())
    mark = "underlined" if bool(terms.patch[:, terms.padding].any()) else "·"
    padding = f", {outside} of {taps} taps on the padding ({mark})" if outside else ""
    return Content.assemble((title, "bold"), (f"  reads {read}{padding}", MUTED))


def _channel_products(terms: WrittenSum, place: int, page: Page) -> Iterator[Line]:
    """A line for each channel of the page with the chosen one: in 3  +0.25 × -0.5 = -0.125."""
    shown = page_of(len(terms.channels), place, max(1, page.rows))
    label = len(f"{page.channels} {terms.channels[-1]}") + 2
    width = max(NARROWEST, min(WIDEST, (page.columns - label - 2 * GAP - 2) // 3))
    for number in shown:
        patch, weight = (float(part[number, 0, 0]) for part in (terms.patch, terms.weight))
        chosen = number == place
        yield Content.assemble(
            ("▸ " if chosen and len(terms.channels) > 1 else "  ", ""),
            (f"{page.channels} {terms.channels[number]}".ljust(label), "bold" if chosen else MUTED),
            _row([patch], [False], width),
            (" × ", MUTED),
            _row([weight], [False], width),
            (" = ", MUTED),
            _row([patch * weight], [False], width),
        )


def page_of(count: int, chosen: int, size: int) -> range:
    """The page of that size on which the chosen one of `count` is."""
    first = chosen // size * size
    return range(first, min(first + size, count))


def _grids(terms: WrittenSum, place: int, page: Page) -> Iterator[Line]:
    """The patch, the kernel and the products of one channel, and the subtotals of all.

    The three stand side by side where they fit, else under each other, of large kernels the middle.
    """
    rows, columns = terms.padding.shape
    captions = (f"{page.source}, {page.channels} {terms.channels[place]}", "weight", "products")
    width = min(WIDEST, _beside(page.columns, columns))
    if width >= NARROWEST:
        blocks = _blocks(terms, place, range(rows), range(columns), width)
        yield Content.styled("  " + (" " * GAP).join(each.ljust(columns * width) for each in captions), MUTED)
        for patch, weight, product in zip(*blocks, strict=True):
            yield Content.assemble("  ", patch, (" × ", MUTED), weight, (" = ", MUTED), product)
    else:
        yield from _stacked(terms, place, page.columns - 2, captions)
    yield from _subtotals(terms, place, replace(page, rows=page.rows - 1 - rows))


def _beside(columns: int, taps: int) -> int:
    """The width of a number where three grids of so many taps stand side by side."""
    return (columns - 2 - 2 * GAP) // (3 * taps)


def _stacked(terms: WrittenSum, place: int, room: int, captions: tuple[str, ...]) -> Iterator[Line]:
    rows, columns = terms.padding.shape
    width = max(NARROWEST, min(WIDEST, room // columns))
    shown = _middle(rows, MOST_ROWS), _middle(columns, room // width)
    if (len(shown[0]), len(shown[1])) != (rows, columns):
        yield Content.styled(
            f"  the middle {len(shown[0])}×{len(shown[1])} of {rows}×{columns} taps",
            MUTED,
        )
    for caption, block in zip(captions, _blocks(terms, place, *shown, width), strict=True):
        yield Content.styled(f"  {caption}", MUTED)
        yield from (Content.assemble("  ", line) for line in block)


def _middle(size: int, most: int) -> range:
    """The middle of an axis."""
    first = max(0, (size - most) // 2)
    return range(first, min(size, first + most))


def _blocks(
    terms: WrittenSum, place: int, rows: range, columns: range, width: int
) -> tuple[list[Content], list[Content], list[Content]]:
    """The rows of the three grids, numbers in cells of that width."""
    window = slice(rows.start, rows.stop), slice(columns.start, columns.stop)
    patch, weight = terms.patch[place][window], terms.weight[place][window]
    outside = terms.padding[window].tolist()
    inside = [[False] * len(columns)] * len(rows)
    grids = ((patch, outside), (weight, inside), (patch * weight, outside))
    blocks = [
        [_row(values, marks, width) for values, marks in zip(grid.tolist(), padding, strict=True)]
        for grid, padding in grids
    ]
    return blocks[0], blocks[1], blocks[2]


def _row(values: list[float], padding: list[bool], width: int) -> Content:
    parts: list[Part] = []
    for place, (value, outside) in enumerate(zip(values, padding, strict=True)):
        text, style = cell(value, width, padding=outside)
        if width == NARROWEST and place % 2:  # no blank between two numbers: every other one is darker
            style = f"{DARKER} {style}" if style != PADDING else style
        parts += [(text, style), " " * (width - len(text))]
    return Content.assemble(*parts)


def cell(value: float, width: int, *, padding: bool = False) -> tuple[str, str]:
    """The number in at most that many columns, and its style.

    As it is where that fits: a number that was shortened fills its cell. What stands in the padding is
    underlined, and a zero there is a dot.
    """
    if value == 0:
        return (" ·", MUTED) if padding else (" 0", "")
    text = f"{value:+.17g}"
    if len(text) >= width + (width == NARROWEST):
        text = cell_text(value, width).rstrip()
    return text, PADDING if padding else ""


def _subtotals(terms: WrittenSum, place: int, page: Page) -> Iterator[Line]:
    """The sum of each channel's products, those of the page with the chosen one."""
    count = len(terms.channels)
    if count == 1:
        return
    beside = max(1, page.columns // SUBTOTAL)
    shown = page_of(count, place, beside * max(1, page.rows))
    subtotals = terms.subtotals()
    cells = []
    for number in shown:
        label = f"{page.channels} {terms.channels[number]}  "
        value = precise(float(subtotals[number]))
        chosen = number == place
        cells.append(
            Content.assemble(
                "▸ " if chosen else "  ",
                (label, "bold" if chosen else MUTED),
                (value.ljust(SUBTOTAL - 2 - len(label)), "bold" if chosen else ""),
            )
        )
    for first in range(0, len(cells), beside):
        yield Content("").join(cells[first : first + beside])


def _results(stage: WrittenStage, dtype: Dtype, hexadecimal: bool) -> Iterator[Line]:
    """The sum with its bias and divisor, then each affine map, every number in full."""
    terms = stage.sum
    parts: list[Part] = []
    if terms.patch.numel() > 1:
        parts += [(f"Σ of {terms.patch.numel()} products ", MUTED)]
    parts.append(_full(float(terms.subtotals().sum()), dtype, hexadecimal))
    if terms.bias is not None:
        parts += [("  + bias ", MUTED), _full(terms.bias, dtype, hexadecimal)]
    if terms.divisor > 1:
        parts.append((f"  ÷ {terms.divisor} taps", MUTED))
    if terms.bias is not None or terms.divisor > 1:
        parts += [("  = ", MUTED), _full(terms.value, dtype, hexadecimal).stylize("bold")]
    yield Content.assemble("  ", *parts)
    yield from (applied_line(applied, dtype, hexadecimal=hexadecimal) for applied in stage.applied)


def applied_line(applied: Applied, dtype: Dtype, *, hexadecimal: bool) -> Line:
    """batch norm: × +1.5 - 0.25 = +0.125."""
    parts: list[Part] = [(f"  {applied.title}: × ", MUTED), _full(applied.factor, dtype, hexadecimal)]
    if applied.offset:
        sign = "-" if applied.offset < 0 else "+"
        parts += [(f"  {sign} ", MUTED), _full(abs(applied.offset), dtype, hexadecimal)[1:]]
    return Content.assemble(*parts, ("  = ", MUTED), _full(applied.value, dtype, hexadecimal).stylize("bold"))


def _full(value: float, dtype: Dtype, hexadecimal: bool) -> Content:
    return Content(all_digits([value], dtype, hexadecimal=hexadecimal)[0])
