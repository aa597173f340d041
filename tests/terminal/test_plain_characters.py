from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.color import Color

import tui
from tui.terminal.plain_characters import PlainCharacters

ENCODINGS = ["ascii", "latin-1", "cp1252", "cp437", "koi8-r"]
OURS = sorted(
    {
        character
        for path in Path(tui.__file__).parent.rglob("*.py")
        if path.name != "plain_characters.py"
        for character in path.read_text(encoding="utf-8")
        if not character.isascii()
    }
)
OF_TEXTUAL = "─━│╭╮╯╰┌┐└┘├┤┬┴┼█▀▄▌▐▁▔▎▊▏▕═║╔╗╚╝▉▇▆▅▃▂╸╺▼▶•"


def shown(text: str, encoding: str, style: Style | None = None) -> Segment:
    (segment,) = PlainCharacters(encoding).apply([Segment(text, style)], Color(0, 0, 0))
    return segment


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_what_the_program_writes_has_a_likeness_in_every_encoding(encoding: str) -> None:
    for character in (*OURS, *OF_TEXTUAL):
        plain = shown(character, encoding).text
        assert plain.encode(encoding)
        assert plain != "?", character
        assert cell_len(plain) == cell_len(character)


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(text=st.text(st.characters(exclude_categories=("Cs", "Cc"))))
def test_any_text_can_be_written_and_keeps_its_width(encoding: str, text: str) -> None:
    plain = shown(text, encoding).text
    assert plain.encode(encoding).decode(encoding) == plain
    assert sum(map(cell_len, plain)) == sum(map(cell_len, text))


@pytest.mark.parametrize(
    ("encoding", "text", "plain"),
    [
        ("ascii", "╭─ 3×3 ─╮", "+- 3x3 -+"),
        ("latin-1", "╭─ 3×3 ─╮", "+- 3×3 -+"),
        ("cp437", "╭─ 3×3 ─╮", "┌─ 3x3 ─┐"),
        ("ascii", "Größe", "Gro?e"),
        ("latin-1", "Größe", "Größe"),
        ("ascii", "日本", "????"),
        ("ascii", "-∞ ▴ ▾ ░▒▓█", "-I ^ v :=%#"),
    ],
)
def test_what_is_told_by_what(encoding: str, text: str, plain: str) -> None:
    assert shown(text, encoding).text == plain


def test_styles_stay() -> None:
    style = Style.parse("bold red")
    assert shown("×", "ascii", style).style == style
