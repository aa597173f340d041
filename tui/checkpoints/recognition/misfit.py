"""Misfit: why names that look like a block of a family are none that can be fused."""

from __future__ import annotations


class Misfit(Exception):  # noqa: N818  # no error, but an answer
    """The words of a reason.

    Attributes:
        incomplete: whether a name is missing.
        disagree: whether shapes that go with each other in any such block do not.
        certain: whether names and shapes are those of a block, and only its numbers are of a wrong kind.
    """

    def __init__(
        self, reason: str, *, incomplete: bool = False, disagree: bool = False, certain: bool = False
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.incomplete = incomplete
        self.damaged = incomplete or disagree
        """Whether a block of that family can be it only after harm was done to it."""
        self.certain = certain
