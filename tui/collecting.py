"""Garbage collection, put off until the first paint, and while much is made that stays."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_put_off = False


def put_off_collecting() -> None:
    """Collect nothing until `collect_again`: its rounds through what is just being made find nothing."""
    global _put_off  # of this process, as the collector is
    _put_off = gc.isenabled()
    gc.disable()


def collect_again() -> None:
    """Collect from now on, where that was put off, what is made from now on."""
    global _put_off
    if _put_off:
        _put_off = False
        gc.freeze()
        gc.enable()


def keep() -> None:
    """Never walk again through what is there, until `keep_no_more`: of 50,000 names that took 0.1 s."""
    gc.freeze()


def keep_no_more() -> None:
    """Let go of what was kept and nothing refers to any more; the rest, torch above all, stays kept."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


@contextmanager
def without_collecting() -> Iterator[None]:
    """Collect nothing meanwhile: of 50,000 tensors' names the collector took half of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
