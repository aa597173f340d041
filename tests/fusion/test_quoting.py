"""What comes from outside stands in a message without harm, and our own numbers stay as they are written."""

from __future__ import annotations

import pytest

from tui.analysis.quantities import count
from tui.fusion.quoting import printable


def test_a_number_in_groups_of_three_stays_as_it_is() -> None:
    assert (
        printable(f"optimizer (3 tensors, {count(18436)} bytes)")
        == f"optimizer (3 tensors, {count(18436)} bytes)"
    )


@pytest.mark.parametrize(
    ("text", "shown"), [("a\x1b[31m", r"a\x1b[31m"), ("a\nb", r"a\nb"), ("\u202e", r"\u202e")]
)
def test_what_no_terminal_should_get_is_made_visible(text: str, shown: str) -> None:
    assert printable(text) == shown
