"""What is made while nothing is collected; and that the collector goes on afterwards as it was."""

from __future__ import annotations

import gc
import weakref
from contextlib import suppress

from tui.collecting import keep, keep_no_more, without_collecting


def test_nothing_is_collected_meanwhile_and_again_afterwards() -> None:
    enabled = []
    with suppress(KeyError), without_collecting():
        enabled.append(gc.isenabled())
        raise KeyError
    assert [*enabled, gc.isenabled()] == [False, True]


def test_where_it_was_put_off_it_stays_so() -> None:
    gc.disable()
    try:
        with without_collecting():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


class Ring:
    """Refers to itself: only the collector finds that nothing else does."""

    def __init__(self) -> None:
        self.itself = self


def test_what_is_kept_no_more_is_collected_and_the_rest_stays_kept() -> None:
    ring, other = Ring(), Ring()
    gone, there = weakref.ref(ring), weakref.ref(other)
    keep()
    del ring
    gc.collect()
    assert gone() is not None
    keep_no_more()
    assert gone() is None
    del other
    gc.collect()
    assert there() is not None
    keep_no_more()
