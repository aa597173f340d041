"""The specs that a user has been through, to go back and forth in."""

from __future__ import annotations

from tui.fusion.spec import BlockSpec

LONGEST = 200
"""Specs that are remembered."""


class SpecHistory:
    """A line of specs and a place in it. A new spec behind an older place drops those that came after."""

    def __init__(self, first: BlockSpec) -> None:
        self._specs = [first]
        self._place = 0

    @property
    def now(self) -> BlockSpec:
        """The spec at the present place."""
        return self._specs[self._place]

    def add(self, spec: BlockSpec, *, instead: bool = False) -> None:
        """Go on to another spec; `instead`: the present one was only a step in typing it."""
        if spec == self.now:
            return
        kept = self._specs[: self._place + (0 if instead and self._place else 1)]
        self._specs = [*kept, spec][-LONGEST:]
        self._place = len(self._specs) - 1

    def back(self) -> BlockSpec | None:
        """Go to the spec before, None where there is none."""
        return self._go(-1)

    def forth(self) -> BlockSpec | None:
        """Go to the spec after, None where there is none."""
        return self._go(1)

    def _go(self, step: int) -> BlockSpec | None:
        if not 0 <= self._place + step < len(self._specs):
            return None
        self._place += step
        return self.now
