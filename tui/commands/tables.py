"""The tables in which commands tell of checkpoints; names out of a file stand in them without markup."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from tui.analysis.quantities import count, memory_in_words
from tui.analysis.verdict.reason import Ruling
from tui.checkpoints.found import FoundBlock, LeftAlone
from tui.checkpoints.reports.blocks import assumed_of
from tui.fusion.quoting import printable

WIDTH = 140
"""Where stdout is no terminal: a file or a pager takes longer lines, and names are long."""
MEGABYTE = 1_000_000
HEADING = "bold cyan"
ASIDE = "dim"
RULINGS = {
    Ruling.EXACT: "bold green",
    Ruling.ROUNDING: "bold green",
    Ruling.SUSPICIOUS: "bold yellow",
    Ruling.WRONG: "bold red",
}


def table(*headings: str, title: str = "") -> Table:
    """An empty table without a frame, one rule under its headings."""
    made = Table(
        box=box.SIMPLE_HEAD,
        header_style=HEADING,
        show_edge=False,
        pad_edge=False,
        title=Text(title, HEADING) if title else None,
        title_justify="left",
    )
    for heading in headings:
        made.add_column(heading, overflow="fold")
    return made


def row(made: Table, *texts: str | Text) -> None:
    """Add a row, with nothing in it read as markup and nothing that a terminal should not get."""
    made.add_row(*(text if isinstance(text, Text) else plain(text) for text in texts))


def plain(text: str, style: str = "") -> Text:
    """Text from outside."""
    return Text(printable(text.replace("\N{NO-BREAK SPACE}", " ")), style)


def ruled(ruling: Ruling) -> Text:
    """A ruling in its colour."""
    return Text(ruling.value, RULINGS[ruling])


def left_alone(each: Sequence[LeftAlone]) -> Table:
    """What was left alone, and why."""
    made = table("left alone", "family", "why")
    for one in each:
        row(made, one.prefix or "(all of it)", one.family or "-", one.reason)
    return made


def doubts(blocks: Iterable[tuple[FoundBlock, float | None]]) -> list[Text]:
    """What was assumed and may well be otherwise, each once with the blocks of which it was.

    `blocks`: each with the eps that was used, None without a batch norm.
    """
    of: dict[str, list[str]] = {}
    for block, eps in blocks:
        for each in assumed_of(block, eps):
            if each.doubtful:
                of.setdefault(each.words, []).append(block.prefix or "(all of it)")
    return [plain(f"assumed: {words} ({listed(names)})") for words, names in of.items()]


def change(before: int, after: int) -> str:
    """ "126 124 032 -> 113 270 784"."""
    return f"{count(before)} -> {count(after)}"


def size(number: int) -> str:
    """Bytes: "504.5 MB", "17 448 bytes"."""
    return memory_in_words(number) if number >= MEGABYTE else f"{count(number)} bytes"


def listed(names: Iterable[str], most: int = 3) -> str:
    """The first of these names, and how many more there are."""
    given = list(names)
    shown = ", ".join(map(printable, given[:most]))
    return shown if len(given) <= most else f"{shown} and {len(given) - most} more"
