"""Lines that break between numbers and never inside one: at plain spaces only."""

from __future__ import annotations

from textual.content import Content

TIED = "\N{NO-BREAK SPACE}"
"""Holds a name and its number together."""


def tied(text: str) -> str:
    """The text, as one piece."""
    return text.replace(" ", TIED)


def broken(content: Content, width: int, *, indent: int = 0) -> Content:
    """The content in lines of at most `width` columns, those after the first one indented.

    A piece that is wider than a line stays whole. What tied pieces together is a plain space then.
    """
    lines: list[Content] = []
    for line in content.split("\n", allow_blank=True):
        lines += _lines_of(line, max(1, width), indent)
    text = Content("\n").join(lines)
    return Content(text.plain.replace(TIED, " "), spans=list(text.spans))


def _lines_of(line: Content, width: int, indent: int) -> list[Content]:
    lines: list[Content] = []
    start, last_space = 0, -1
    text = line.plain
    room = width
    for place, character in enumerate(f"{text} "):
        if character != " ":
            continue
        if place - start > room and last_space > start:
            lines.append(_cut(line, start, last_space, indent if lines else 0))
            start, room = last_space + 1, width - indent
        last_space = place
    lines.append(_cut(line, start, len(text), indent if lines else 0))
    return lines


def _cut(line: Content, start: int, stop: int, indent: int) -> Content:
    return Content(" " * indent) + line[start:stop]
