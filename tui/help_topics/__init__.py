"""Long texts of help, as Markdown: for the program, and plain for `repfuse-tui help TOPIC`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from textwrap import indent

TOPICS: Mapping[str, str] = {
    "blocks": "the blocks, and the grammar of their branches",
    "verdict": "how rounding is told from a bug, with the bounds and their sources",
    "speed": "where a gain in speed comes from, and why it changes from run to run",
    "families": "the designs that are known in checkpoint files, and their eps",
    "keys": "every key, and the id by which the settings may give it another",
}
"""What each is about; `keys` is no file, since the screens know them."""

KEYS = "keys"


def topic_in_markdown(name: str) -> str:
    """The text of one of `TOPICS` but `KEYS`; of the families with a line for each that is known."""
    text = (Path(__file__).parent / f"{name}.md").read_text(encoding="utf-8")
    return text + _families() if name == "families" else text


def plain(markdown: str) -> str:
    """Markdown as text for people: without marks round words, headings in capitals, formulas indented."""
    text = re.sub(r"(?ms)^```text\n(.*?)^```$", lambda code: indent(code[1].rstrip("\n"), "    "), markdown)
    text = re.sub(r"(?m)^#+ (.*)$", lambda heading: heading[1].upper(), text)
    return re.sub(r"\*\*|`", "", text)


def _families() -> str:
    from tui.checkpoints.families import FAMILIES

    lines = [f"- `{each.name}`: eps {each.eps:g}{_asked(each.on_wish)}; {each.source}" for each in FAMILIES]
    return "\n".join(lines) + "\n"


def _asked(on_wish: bool) -> str:
    return ", with --conv-bn only" if on_wish else ""
