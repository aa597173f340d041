"""What is made while nothing is collected; and that the collector goes on afterwards as it was."""

from __future__ import annotations

import gc
from contextlib import suppress

from tui.collecting import without_collecting


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
