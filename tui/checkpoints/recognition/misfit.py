"""Misfit: why names that look like a block of a family are none that can be fused."""

from __future__ import annotations


class Misfit(Exception):  # noqa: N818  # no error, but an answer
    """The words of a reason.

    Attributes:
        incomplete: whether a name is missing.
        certain: whether names and shapes are those of a block, and only its numbers are of a wrong kind.
    """

    def __init__(self, reason: str, *, incomplete: bool = False, certain: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.incomplete = incomplete
        self.certain = certain
