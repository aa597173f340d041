"""The pieces of an SVG: text, lines, marks; all that is written in it is escaped."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

WIDTH, HEIGHT = 760, 460
INK, QUIET, GRID = "#1b1f24", "#57606a", "#d8dee4"
FONT = "ui-sans-serif, system-ui, Helvetica, Arial, sans-serif"


def document(width: int, height: int, parts: Iterable[str]) -> str:
    """A whole file."""
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" font-family="{FONT}">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        *parts,
        "</svg>",
        "",
    ]
    return "\n".join(lines)


def text(
    x: float,
    y: float,
    words: str,
    *,
    size: int = 12,
    colour: str = INK,
    anchor: str = "start",
    bold: bool = False,
    turned: bool = False,
) -> str:
    """Words whose baseline is at y; `anchor`: which end of them stands at x; `turned`: from below upwards."""
    weight = ' font-weight="600"' if bold else ""
    turn = f' transform="rotate(-90 {x:.1f} {y:.1f})"' if turned else ""
    where = f'x="{x:.1f}" y="{y:.1f}"'
    return (
        f'<text {where} font-size="{size}" fill="{colour}" text-anchor="{anchor}"{weight}{turn}>'
        f"{escape(words)}</text>"
    )


def line(
    x1: float, y1: float, x2: float, y2: float, colour: str, *, width: float = 1, dashed: bool = False
) -> str:
    """From one point to another."""
    dashes = ' stroke-dasharray="5 4"' if dashed else ""
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {ends} stroke="{colour}" stroke-width="{width}"{dashes}/>'


def rectangle(x: float, y: float, width: float, height: float, fill: str, *, stroke: str = "none") -> str:
    """A filled one."""
    where = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
    return f'<rect {where} fill="{fill}" stroke="{stroke}"/>'


def mark(x: float, y: float, kind: int, colour: str) -> str:
    """A circle, a diamond or a triangle, which tell lines apart without colours."""
    if kind == 0:
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>'
    corners = ((0, -5), (5, 0), (0, 5), (-5, 0)) if kind == 1 else ((0, -5), (5, 4), (-5, 4))
    places = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in corners)
    return f'<polygon points="{places}" fill="{colour}"/>'
