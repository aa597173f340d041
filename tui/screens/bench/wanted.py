"""What a user wants on the bench: a block and its alterations, and those before it to go back to."""

from __future__ import annotations

from dataclasses import replace

from tui.analysis.alterations.alterations import NOTHING_ALTERED, Alterations
from tui.analysis.origin import Origin
from tui.analysis.subject import Subject
from tui.fusion.specs.block_spec import BlockSpec
from tui.screens.bench.history import SubjectHistory


class WantedSubject:
    """The last subject that the form could say, and whether it can say one just now.

    Attributes:
        history: those before it, and those that were taken back.
    """

    def __init__(self, first: Subject) -> None:
        self.history = SubjectHistory(first)
        self._alterations = first.alterations  # of the user, also where the present block has no place
        self._is_valid = True

    @property
    def last(self) -> Subject:
        """The last valid one."""
        return self.history.now

    @property
    def is_valid(self) -> bool:
        """Whether the form holds a valid block."""
        return self._is_valid

    @property
    def of_the_form(self) -> Subject | None:
        """What the form asks for; None while that is nothing valid."""
        return self.last if self._is_valid else None

    def take(self, subject: Subject) -> None:
        """Go on to a whole other subject."""
        self._alterations = subject.alterations
        self._is_valid = True
        self.history.add(subject)

    def take_spec(self, spec: BlockSpec, origin: Origin | None) -> None:
        """Go on to another block, with as many of the alterations as have a place in it.

        On the way from 8 to 16 channels there is 1, which has no place for most edits: they come back.
        """
        self._is_valid = True
        self.history.add(Subject(spec, self._alterations.fitting(spec), origin))

    def alter(self, alterations: Alterations) -> bool:
        """Go on to the same block with these alterations, as far as they fit; whether they are others."""
        fitting = alterations.fitting(self.last.spec)
        if fitting == self.last.alterations:
            return False
        self._alterations = fitting
        self.history.add(replace(self.last, alterations=fitting))
        return True

    def alter_nothing(self) -> bool:
        """Drop all alterations, also those without a place; whether the present block had one."""
        self._alterations = NOTHING_ALTERED
        return self.alter(NOTHING_ALTERED)

    def refuse(self) -> None:
        """Know that the form holds nothing valid."""
        self._is_valid = False

    def back(self) -> bool:
        """Go back to the one before, or from what is not valid to the last that was; whether there is one."""
        return self._revisit(self.history.back() if self._is_valid else self.history.now)

    def forth(self) -> bool:
        """Go forth again; whether there is one."""
        return self._revisit(self.history.forth())

    def _revisit(self, subject: Subject | None) -> bool:
        if subject is None:
            return False
        self._alterations = subject.alterations
        self._is_valid = True
        return True
