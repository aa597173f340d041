"""JudgeOfModule: judges what another tool made of a module, and knows which block each verdict is on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.checkpoints.comparison.comparing import Step
    from tui.checkpoints.contents import Checkpoint
    from tui.comparing.unfused_module import UnfusedModule
    from tui.modules.found import FoundBlock
    from tui.modules.looking import LookedAt


class JudgeOfModule:
    """Makes the module's blocks comparable when it is first called, in the thread where it judges."""

    def __init__(self, looked: LookedAt) -> None:
        self._looked = looked
        self._made: UnfusedModule | None = None

    def __call__(self, given: Checkpoint) -> Iterator[Step]:
        """Judge the blocks, one after the other.

        Raises:
            CheckpointError: the other file has changed or is gone.
        """
        from tui.checkpoints.comparison.comparing import compare_unfused  # asked for when something is given
        from tui.comparing.unfused_module import unfused_in

        if self._made is None:
            self._made = unfused_in(self._looked)
        yield from compare_unfused(self._made.unfused, given)

    def reads(self, found: FoundBlock) -> tuple[str, ...]:
        """The names of the tensors that a block reads; none before they are known."""
        return () if self._made is None else self._made.reads[found]

    def block_that_reads(self, reads: tuple[str, ...]) -> FoundBlock | None:
        """The first block of the module that reads those; None before that is known."""
        known = {} if self._made is None else self._made.reads
        return next((found for found, names in known.items() if names == reads), None)
