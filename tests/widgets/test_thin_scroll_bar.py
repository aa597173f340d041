from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tui.widgets.thin_scroll_bar import ThinScrollBar, line_of


def test_the_line_shows_the_part_in_sight() -> None:
    assert line_of(10, 100, 20, 0) == (0, 2)
    assert line_of(10, 100, 20, 40) == (4, 6)
    assert line_of(10, 100, 20, 80) == (8, 10)


def test_without_anything_to_scroll_there_is_no_line() -> None:
    assert line_of(10, 20, 20, 0) == line_of(10, 100, 0, 0) == (0, 0)


@given(st.integers(3, 60), st.integers(2, 5000), st.data())
def test_the_line_is_at_an_end_only_where_the_window_is(size: int, whole: int, data: st.DataObject) -> None:
    window = data.draw(st.integers(1, whole - 1))
    position = data.draw(st.integers(0, whole - window))
    first, last = line_of(size, whole, window, position)
    assert 0 <= first < last <= size
    if size - (last - first) > 1:
        assert (first == 0) == (position == 0)
        assert (last == size) == (position == whole - window)


def test_every_row_can_be_clicked() -> None:
    bar = ThinScrollBar.render_bar(size=5, virtual_size=50, window_size=10, position=20)
    assert [segment.text for segment in bar.segments] == [" ", " ", "┃", " ", " "]
    asked = [segment.style.meta["@mouse.down"] for segment in bar.segments if segment.style]
    assert asked == ["scroll_up", "scroll_up", "grab", "scroll_down", "scroll_down"]
