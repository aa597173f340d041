"""A step that is played: each tap comes once, in the order of reading, and it ends."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tui.fusion.tap import Tap
from tui.views.steps.playing import MOST_TICKS, Playing

shapes = st.tuples(st.integers(1, 70), st.integers(1, 70), st.integers(1, 40), st.integers(1, 40))


@given(shapes)
def test_it_ends_soon_and_nothing_is_pending_then(shape: tuple[int, int, int, int]) -> None:
    playing, ticks = Playing(shape, (0, 0)), 0
    while not playing.is_over:
        following, ticks = playing.next(), ticks + 1
        assert not playing.pending(playing.tap)
        assert playing.pending(following.tap), "something new lit up"
        playing = following
    assert ticks <= MOST_TICKS
    assert not playing.pending(Tap(*(size - 1 for size in shape)))


def test_small_kernels_come_tap_by_tap_in_all_channels() -> None:
    playing = Playing((2, 2, 2, 2), (1, 0))
    taps = [playing.tap]
    while not playing.is_over:
        playing = playing.next()
        taps.append(playing.tap)
    assert taps == [Tap(1, 0, 0, 0), Tap(1, 0, 0, 1), Tap(1, 0, 1, 0), Tap(1, 0, 1, 1)]
    assert not Playing((2, 2, 2, 2), (1, 0)).pending(Tap(0, 1, 0, 0))


def test_kernels_of_one_tap_come_one_after_another() -> None:
    playing = Playing((2, 1, 1, 1), (1, 0))
    assert (playing.tap, playing.pending(Tap(1, 0, 0, 0))) == (Tap(0, 0, 0, 0), True)
    assert playing.next().tap == Tap(1, 0, 0, 0)
