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

    def add(self, spec: BlockSpec) -> None:
        """Go on to another spec.

        It takes the place of the present one if that was only a step on the way, as "1" is to "17":
        if both changed the same fields, and nothing about the branches, each change of which counts.
        """
        if spec == self.now:
            return
        kept = self._specs[: self._place + 1]
        if len(kept) > 1:
            changed = self.now.changes_from(kept[-2])
            if changed == spec.changes_from(self.now) and "branches" not in changed:
                kept.pop()
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
