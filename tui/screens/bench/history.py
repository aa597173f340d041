"""What a user has been through, blocks and their alterations, to go back and forth in."""

from __future__ import annotations

from tui.analysis.subject import Subject

LONGEST = 200
"""Subjects that are remembered."""


class SubjectHistory:
    """A line of subjects and a place in it. A new one after an older place drops those that came after."""

    def __init__(self, first: Subject) -> None:
        self._subjects = [first]
        self._place = 0

    @property
    def now(self) -> Subject:
        """The subject at the present place."""
        return self._subjects[self._place]

    def add(self, subject: Subject) -> None:
        """Go on to another subject.

        It takes the place of the present one if that was only a step on the way, as "1" is to "17":
        if both changed the same fields, and nothing about the branches, each change of which counts.
        """
        if subject == self.now:
            return
        kept = self._subjects[: self._place + 1]
        if len(kept) > 1 and subject.alterations == self.now.alterations:
            changed = self.now.spec.changes_from(kept[-2].spec)
            if changed == subject.spec.changes_from(self.now.spec) and "branches" not in changed:
                kept.pop()
        self._subjects = [*kept, subject][-LONGEST:]
        self._place = len(self._subjects) - 1

    def back(self) -> Subject | None:
        """Go to the subject before, None where there is none."""
        return self._go(-1)

    def forth(self) -> Subject | None:
        """Go to the subject after, None where there is none."""
        return self._go(1)

    def _go(self, step: int) -> Subject | None:
        if not 0 <= self._place + step < len(self._subjects):
            return None
        self._place += step
        return self.now
