"""Screens that were stored as SVG, joined into one SVG that shows them in turn, without a script.

Each frame is a screen as it was exported, letter by letter in its place; what several frames have in common
stands in the file once, so that a minute of them is not much larger than a few screens.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from html import escape
from itertools import accumulate, groupby, pairwise
from typing import NamedTuple
from xml.etree import ElementTree

KEYS = {"right": "→", "down": "↓", "enter": "enter", "tab": "tab"}
"""Of the keys that a keyboard shows otherwise than textual calls them."""

CAPTION_HEIGHT = 76.0
"""Pixels below the screens, for the keys and the words."""

_SVG = "{http://www.w3.org/2000/svg}"
_CLASS = re.compile(r"\.terminal-(r\d+) \{ (.*?) \}")
_LEFT, _TOP = 9, 41
"""Where Rich puts the first character of a screen, from the corner of the window."""

_STYLE = """\
@font-face{font-family:"Fira Code";src:local("FiraCode-Regular");font-weight:400}
@font-face{font-family:"Fira Code";src:local("FiraCode-Bold");font-weight:700}
text{font:20px Fira Code,monospace;font-variant-east-asian:full-width;white-space:pre}
path,.time{shape-rendering:crispEdges}
.title{font:bold 18px arial;fill:#c5c8c6;text-anchor:middle}
.key{fill:#15181d;stroke:#f0a040}
.name{font-size:24px;font-weight:700;fill:#f0a040;text-anchor:middle}
.words{font-size:24px;fill:#d8dce4}
.time{fill:#4d4d4d}
.now{fill:#f0a040}"""
_FRAMES = """\
.frame{{visibility:hidden;animation:{:g}s step-end infinite}}
#frame0{{visibility:visible}}
svg:hover .frame{{animation-play-state:paused}}"""
_STILL = "@media (prefers-reduced-motion:reduce){.frame{animation-name:none!important}}"


@dataclass(frozen=True)
class Frame:
    """A screen and what led to it.

    Attributes:
        picture: the SVG, as textual exports it and the snapshots hold it.
        seconds: for which it is shown.
        keys: that were pressed, as textual names them.
        words: the line beside them.
    """

    picture: str
    seconds: float
    keys: tuple[str, ...]
    words: str


class Mark(NamedTuple):
    """One thing that is painted: a ground, or some characters of a line."""

    style: str
    x: str
    y: str
    width: str
    height: str
    text: str
    clip: str


def moving_picture(frames: Sequence[Frame], title: str) -> str:
    """One SVG of all frames, over and over; the first alone for who wants no motion.

    Raises:
        ValueError: the frames are not of one size.
    """
    roots = [ElementTree.fromstring(frame.picture) for frame in frames]
    if len({root.get("viewBox") for root in roots}) != 1:
        raise ValueError(f"frames of one size, not of {[root.get('viewBox') for root in roots]}")
    width, height = map(float, (roots[0].get("viewBox") or "").split()[2:])
    pieces, shared = _pieces([list(marks_of(root)) for root in roots])
    styles = {mark.style: "" for screen in pieces for piece in screen for mark in piece}
    names = {style: f"c{number}" for number, style in enumerate(styles)}
    lines = [
        f'<svg viewBox="0 0 {width:g} {height + CAPTION_HEIGHT:g}" xmlns="http://www.w3.org/2000/svg">',
        f"<title>{escape(title)}</title>",
        "<style>",
        _STYLE,
        *(f".{name}{{{style}}}" for style, name in names.items()),
        *_turns([frame.seconds for frame in frames]),
        _STILL,
        "</style>",
        "<defs>",
        *_clips(roots[0]),
        *(f'<g id="{name}">{_painted(piece, names)}</g>' for piece, name in shared.items()),
        "</defs>",
        *_window(width, height + CAPTION_HEIGHT, _title_of(roots[0])),
    ]
    for number, screen in enumerate(pieces):
        lines += [
            f'<g class="frame" id="frame{number}">',
            f'<g transform="translate({_LEFT},{_TOP})" clip-path="url(#screen)">',
            *(f'<use href="#{shared[it]}"/>' if it in shared else _painted(it, names) for it in screen),
            "</g>",
            *_caption(frames, number, width, height),
            "</g>",
        ]
    return "\n".join([*lines, "</svg>", ""])


def marks_of(root: ElementTree.Element) -> Iterator[Mark]:
    """What a screen paints, in order; blanks without a line under them paint nothing.

    Raises:
        ValueError: it is not a screen as Rich exports it.
    """
    styles = dict(_CLASS.findall(root.findtext(f"{_SVG}style") or ""))
    screen = root.find(f"{_SVG}g[@clip-path]")
    if screen is None or not styles:
        raise ValueError("no screen as Rich exports it")
    for element in screen.iter():
        of = element.attrib
        if element.tag == f"{_SVG}rect":
            yield Mark(f"fill:{of['fill']}", of["x"], of["y"], of["width"], of["height"], "", "")
        elif element.tag == f"{_SVG}text":
            style = styles[of["class"].removeprefix("terminal-")].strip().rstrip(";")
            text = element.text or ""
            if text.strip() or "text-decoration" in style:
                clip = of["clip-path"].removeprefix("url(#terminal-line-").removesuffix(")")
                compact = style.replace(": ", ":")
                yield Mark(compact, of["x"], of["y"], of["textLength"], "", text, clip)


Piece = tuple[Mark, ...]


def _pieces(screens: Sequence[Sequence[Mark]]) -> tuple[list[list[Piece]], dict[Piece, str]]:
    """Each screen cut into pieces, and the names of those that stand in more than one.

    A cut is wherever one mark follows another in some of the screens only.
    """
    where: dict[Mark, set[int]] = {}
    after: dict[Mark, set[Mark | None]] = {}
    for number, screen in enumerate(screens):
        for mark, following in zip(screen, [*screen[1:], None], strict=True):
            where.setdefault(mark, set()).add(number)
            after.setdefault(mark, set()).add(following)
    cut = [list(_runs(screen, where, after)) for screen in screens]
    names: dict[Piece, str] = {}
    for piece in (piece for screen in cut for piece in screen):
        if len(where[piece[0]]) > 1:
            names.setdefault(piece, f"p{len(names)}")
    return cut, names


def _runs(
    screen: Sequence[Mark], where: dict[Mark, set[int]], after: dict[Mark, set[Mark | None]]
) -> Iterator[Piece]:
    run: list[Mark] = []
    for mark in screen:
        if run and not (after[run[-1]] == {mark} and where[run[-1]] == where[mark]):
            yield tuple(run)
            run = []
        run.append(mark)
    if run:
        yield tuple(run)


def _painted(piece: Piece, names: dict[str, str]) -> str:
    """Grounds of one colour that follow each other are one path."""
    return "".join(
        "".join(map(partial(_text, name=names[style]), marks))
        if is_text
        else f'<path class="{names[style]}" d="{"".join(map(_box, marks))}"/>'
        for (style, is_text), marks in groupby(piece, key=lambda mark: (mark.style, bool(mark.text)))
    )


def _text(mark: Mark, name: str) -> str:
    return (
        f'<text class="{name}" x="{mark.x}" y="{mark.y}" textLength="{mark.width}" '
        f'clip-path="url(#l{mark.clip})">{escape(mark.text, quote=False)}</text>'
    )


def _box(mark: Mark) -> str:
    return f"M{mark.x} {mark.y}h{mark.width}v{mark.height}H{mark.x}z"


def _turns(seconds: Sequence[float]) -> Iterator[str]:
    """When each frame is seen: one after the other, and then again."""
    total, ends = sum(seconds), list(accumulate(seconds))
    yield _FRAMES.format(total)
    for number, (begins, over) in enumerate(pairwise([0.0, *ends])):
        before = "0%{visibility:hidden}" if number else ""
        yield (
            f"@keyframes turn{number}{{{before}{begins / total:.3%}{{visibility:visible}}"
            f"{over / total:.3%}{{visibility:hidden}}}}#frame{number}{{animation-name:turn{number}}}"
        )


def _clips(root: ElementTree.Element) -> Iterator[str]:
    for clip in root.iter(f"{_SVG}clipPath"):
        (rect,) = clip
        name = (
            clip.attrib["id"]
            .removeprefix("terminal-")
            .replace("line-", "l")
            .replace("clip-terminal", "screen")
        )
        box = " ".join(f'{key}="{rect.attrib[key]}"' for key in ("x", "y", "width", "height"))
        yield f'<clipPath id="{name}"><rect {box}/></clipPath>'


def _title_of(root: ElementTree.Element) -> str:
    return root.findtext(f"{_SVG}text[@class='terminal-title']") or ""


def _window(width: float, height: float, title: str) -> Iterable[str]:
    yield (
        f'<rect class="window" fill="#292929" stroke="rgba(255,255,255,.35)" x="1" y="1" '
        f'width="{width - 2:g}" height="{height - 2:g}" rx="8"/>'
    )
    yield f'<text class="title" x="{width / 2:g}" y="27">{escape(title)}</text>'
    for number, colour in enumerate(("#ff5f57", "#febc2e", "#28c840")):
        yield f'<circle cx="{26 + 22 * number}" cy="22" r="7" fill="{colour}"/>'


def _caption(frames: Sequence[Frame], number: int, width: float, top: float) -> Iterator[str]:
    """The keys as a keyboard has them, the words, and which of the frames this is."""
    frame, x, middle = frames[number], 22.0, top + CAPTION_HEIGHT / 2 - 6
    for key in frame.keys:
        name = KEYS.get(key, key)
        box = 24 + 14.6 * len(name)
        yield f'<rect class="key" x="{x:g}" y="{middle - 20:g}" width="{box:g}" height="40" rx="6"/>'
        yield f'<text class="name" x="{x + box / 2:g}" y="{middle + 8:g}">{escape(name)}</text>'
        x += box + 16
    yield f'<text class="words" x="{x:g}" y="{middle + 8:g}">{escape(frame.words)}</text>'
    for other in range(len(frames)):
        place = width - 22 - 18 * (len(frames) - other) + 6
        now = " now" if other == number else ""
        yield f'<rect class="time{now}" x="{place:g}" y="{middle - 2:g}" width="12" height="4"/>'
