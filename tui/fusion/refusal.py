"""Refusal: what this program says no to, told from its own faults."""

from __future__ import annotations


class Refusal(Exception):  # noqa: N818  # it names no error of ours, but something that cannot be done
    """Something that was asked for and cannot be done; the message says which, why, and what to do.

    Every such error of this program is one. A ValueError or TypeError that is not one is a fault of ours.
    """
