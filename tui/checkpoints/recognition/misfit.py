"""Misfit: why names that look like a block of a family are none that can be fused."""

from __future__ import annotations


class Misfit(Exception):  # noqa: N818  # no error, but an answer
    """The words of a reason.

    Attributes:
        ordinary: whether an ordinary module looks the same, so that there is nothing to tell.
        incomplete: whether a name is missing.
    """

    def __init__(self, reason: str, *, ordinary: bool = False, incomplete: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.ordinary = ordinary
        self.incomplete = incomplete
