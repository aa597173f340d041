"""The moving picture of the first minute: what it shows is what the stored screens show, each in its time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from tests.first_minute import MINUTE, PICTURE, first_minute, pictures
from tests.moving_picture import Frame, moving_picture

SVG = "{http://www.w3.org/2000/svg}"
MOST_BYTES = 400_000


@pytest.fixture(scope="module")
def stored() -> str:
    return PICTURE.read_text(encoding="utf-8")


def test_it_is_made_of_the_stored_screens(stored: str) -> None:
    assert stored == first_minute(), "run python -m tests.first_minute, and look at it"
    assert len(stored.encode()) < MOST_BYTES


def painted(
    group: ElementTree.Element, shared: dict[str, ElementTree.Element], styles: dict[str, str]
) -> Iterator[tuple[str, ...]]:
    """What a group paints, as a browser would: what it names is painted in its place."""
    for element in group:
        if element.tag == f"{SVG}use":
            yield from painted(shared[element.attrib["href"].removeprefix("#")], shared, styles)
        elif element.tag == f"{SVG}path":
            for x, y, width, height, back in re.findall(
                r"M(\S+) (\S+)h([\d.]+)v([\d.]+)H([\d.]+)z", element.attrib["d"]
            ):
                assert back == x
                yield (styles[element.attrib["class"]], x, y, width, height)
        else:
            of = element.attrib
            yield (
                styles[of["class"]],
                of["x"],
                of["y"],
                of["textLength"],
                of["clip-path"],
                element.text or "",
            )


def on_the_screen(picture: str) -> Iterator[tuple[str, ...]]:
    """What Rich's own SVG paints: grounds, and words that are not all blanks."""
    styles = dict(re.findall(r"\.terminal-(r\d+) \{ (.*?);? \}", picture))
    screen = ElementTree.fromstring(picture).findall(f"{SVG}g")[-1]
    for element in screen.iter():
        of = element.attrib
        if element.tag == f"{SVG}rect":
            yield (f"fill:{of['fill']}", of["x"], of["y"], of["width"], of["height"])
        elif element.tag == f"{SVG}text":
            style, text = styles[of["class"].removeprefix("terminal-")].replace(": ", ":"), element.text or ""
            if "underline" in style or not text.isspace():
                yield (
                    style,
                    of["x"],
                    of["y"],
                    of["textLength"],
                    of["clip-path"].replace("terminal-line-", "l"),
                    text,
                )


def test_each_frame_paints_its_screen_and_its_keys(stored: str) -> None:
    root = ElementTree.fromstring(stored)
    styles = dict(re.findall(r"\.(c\d+)\{(.*?)\}", stored))
    shared = {group.attrib["id"]: group for group in root.iterfind(f"{SVG}defs/{SVG}g")}
    assert len(shared) > 50
    frames = root.findall(f"{SVG}g[@class='frame']")
    for frame, picture, moment in zip(frames, pictures(), MINUTE, strict=True):
        screen, *caption = frame
        assert list(painted(screen, shared, styles)) == list(on_the_screen(picture))
        words = [element.text for element in caption if element.tag == f"{SVG}text"]
        assert len(words) == len(moment.keys) + 1
        assert words[-1] == moment.words


def test_one_frame_is_seen_at_any_time_for_as_long_as_was_asked(stored: str) -> None:
    total = sum(moment.seconds for moment in MINUTE)
    assert f"animation:{total:g}s step-end infinite" in stored
    turns = re.findall(r"@keyframes turn\d+\{.*?([\d.]+)%\{visibility:visible\}([\d.]+)%", stored)
    end = 0.0
    for (begins, over), moment in zip(turns, MINUTE, strict=True):
        assert float(begins) == end
        end = float(over)
        assert (end - float(begins)) / 100 * total == pytest.approx(moment.seconds, abs=0.01)
    assert end == 100


def test_it_asks_for_nothing_from_elsewhere_and_runs_nothing(stored: str) -> None:
    assert re.findall(r"https?:", stored) == ["http:"]  # the name of SVG itself
    assert "<script" not in stored
    assert set(re.findall(r'(?:href="|url\()(.)', stored)) == {"#"}


def test_screens_of_two_sizes_make_no_picture() -> None:
    frame = Frame(next(pictures()), 1.0, (), "")
    other = replace(frame, picture=frame.picture.replace("0 0 1482", "0 0 1000"))
    with pytest.raises(ValueError, match="of one size"):
        moving_picture([frame, other], "")
