"""What can be taken away, by name; no torch, so that the dialog is there before it is loaded."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Item(StrEnum):
    """One thing to take away."""

    SNIPPET = "snippet"
    CONV = "conv"
    CSV = "csv"
    NPZ = "npz"
    JSON = "json"
    SVG = "svg"
    COMMAND_LINE = "command line"


@dataclass(frozen=True, slots=True)
class Description:
    """An item in words.

    Attributes:
        title: what it is called.
        summary: what it holds; "{grid}" stands for the name of a kernel.
        file_name: a name for its file, with the same place to fill.
        is_text: whether it can go to a clipboard.
    """

    title: str
    summary: str
    file_name: str
    is_text: bool = True


ITEMS: Mapping[Item, Description] = {
    Item.SNIPPET: Description(
        "PyTorch snippet", "the block, its fusion and the input, ready to run", "block.py"
    ),
    Item.CONV: Description("Fused conv", "one line, nn.Conv2d(...), without its numbers", "conv.py"),
    Item.CSV: Description("Grid as CSV", "{grid}: a row for each weight and bias", "{grid}.csv"),
    Item.NPZ: Description(
        "Grid as .npz", "{grid}: weight and bias for numpy.load", "{grid}.npz", is_text=False
    ),
    Item.JSON: Description("Study as JSON", "every choice, number and finding", "study.json"),
    Item.SVG: Description("Screen as SVG", "a picture of the screen behind this", "screen.svg"),
    Item.COMMAND_LINE: Description("Command line", "the repfuse-tui ... that makes this block", "block.sh"),
}


def summary_of(item: Item, grid: str) -> str:
    """What it holds, for the kernel of that name."""
    return ITEMS[item].summary.format(grid=grid)


def file_name_of(item: Item, grid: str) -> str:
    """A name for its file: letters, digits, "." and "-" only."""
    return ITEMS[item].file_name.format(grid=re.sub(r"[^0-9a-zA-Z]+", "-", grid))
