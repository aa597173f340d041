"""Garbage collection, put off until the first paint: what is made on the way to it stays."""

from __future__ import annotations

import gc

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
