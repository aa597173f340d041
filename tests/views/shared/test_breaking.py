from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from textual.content import Content

from tui.views.shared.breaking import broken, tied


def test_a_line_breaks_between_pieces_only() -> None:
    line = Content(f"{tied('in 0:')} {tied('kxk +0.07')} {tied('+ 1x1 -0.62')} {tied('= fused +0.45')}")
    assert broken(line, 80).plain == "in 0: kxk +0.07 + 1x1 -0.62 = fused +0.45"
    assert broken(line, 20, indent=2).plain.split("\n") == [
        "in 0: kxk +0.07",
        "  + 1x1 -0.62",
        "  = fused +0.45",
    ]


def test_styles_stay_with_their_words() -> None:
    line = Content.assemble("one two ", ("three", "bold"), " four")
    second = broken(line, 9, indent=1).split("\n")[1]
    assert second.plain == " three"
    assert [(span.start, span.end) for span in second.spans] == [(1, 6)]


WORDS = st.lists(st.text("abc+0.", min_size=1, max_size=12), min_size=1, max_size=12)


@given(WORDS, st.integers(1, 40), st.integers(0, 3))
def test_nothing_is_lost_and_no_line_is_too_wide(words: list[str], width: int, indent: int) -> None:
    lines = broken(Content(" ".join(words)), width, indent=indent).plain.split("\n")
    assert " ".join(line.strip() for line in lines) == " ".join(words)
    assert all(len(line) <= width or " " not in line.strip() for line in lines)
