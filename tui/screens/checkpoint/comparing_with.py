"""What follows when another tool's file is given: it is opened, each block judged, and the verdicts kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tui.analysis.progress import Doing
from tui.checkpoints.listing import Listing
from tui.running.background import iterate_in_thread

if TYPE_CHECKING:
    from tui.analysis.alterations.alterations import Alterations
    from tui.checkpoints.comparison import comparing
    from tui.checkpoints.comparison.compared import ComparedBlock, ComparedCheckpoint
    from tui.checkpoints.contents import Checkpoint

    Step = Doing | Checkpoint | comparing.Step


class Comparison:
    """A checkpoint beside what another tool made of it, as far as it has been judged.

    Attributes:
        other: the other file; or what was made of it, open already: the tensors of a module.
        given: it, open; None before.
        blocks: the verdicts so far, by the name of the block's fused weight.
        compared: all of it; None before.
        is_running: whether blocks are being judged.
    """

    def __init__(self, other: Path | Checkpoint) -> None:
        self.other = other
        self.given: Checkpoint | None = None
        self.blocks: dict[str, ComparedBlock] = {}
        self.compared: ComparedCheckpoint | None = None
        self.is_running = False
        self._seen: tuple[tuple[int, int, int] | None, ...] = ()

    @property
    def name(self) -> str:
        """What the other file is called."""
        return (self.other if isinstance(self.other, Path) else self.other.path).name

    @property
    def has_changed(self) -> bool:
        """Whether the other file, or a shard of it, was written over or is gone since it was opened."""
        return self.given is not None and self._seen != _seen(self.given.paths)

    async def run(
        self, listing: Listing, eps_of: Mapping[str, float], tell: Callable[[str, float, str], object]
    ) -> None:
        """Judge every block; `tell` takes what is done, how far it is, and where.

        Raises:
            CheckpointError: the other file cannot be read, or one of both has changed.
        """
        tell("comparing", 0, "")
        self.is_running = True
        try:
            await self._judge(listing, eps_of, tell)
        finally:
            self.is_running = False

    async def _judge(
        self, listing: Listing, eps_of: Mapping[str, float], tell: Callable[[str, float, str], object]
    ) -> None:
        async for step in iterate_in_thread(partial(_steps, self.other, listing, eps_of)):
            from tui.checkpoints.comparison.compared import (
                ComparedBlock,
                ComparedCheckpoint,
                Comparing,
            )
            from tui.checkpoints.contents import Checkpoint

            if isinstance(step, Checkpoint):
                self.given, self._seen = step, _seen(step.paths)
            elif isinstance(step, Comparing):
                tell("comparing", step.share, step.words)
            elif isinstance(step, ComparedBlock):
                self.blocks[step.found.fused[0].name] = step
            elif isinstance(step, ComparedCheckpoint):
                self.compared = step

    def alterations(self, name: str) -> Iterator[tuple[Alterations, str]]:
        """What makes the bench's fused kernel that of the other file, and what to know of it.

        `name`: of the block's fused weight.

        Raises:
            CheckpointError: the other file has changed or is gone.
        """
        from tui.checkpoints.comparison.given_kernel import alterations_of

        if self.given is not None and name in self.blocks:
            yield alterations_of(self.blocks[name], self.given)


def _seen(paths: Iterable[Path]) -> tuple[tuple[int, int, int] | None, ...]:
    """What tells that a file is still the same one, for each; None where there is none."""
    return tuple(map(_mark, paths))


def _mark(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


def _steps(other: Path | Checkpoint, listing: Listing, eps_of: Mapping[str, float]) -> Iterator[Step]:
    from tui.checkpoints.comparison.comparing import compare
    from tui.checkpoints.conversion.fusing import Wishes
    from tui.checkpoints.opening import open_checkpoint

    given = open_checkpoint(other) if isinstance(other, Path) else other
    yield given
    assert listing.recognition is not None
    yield from compare(listing.checkpoint, listing.recognition, given, Wishes(eps_of=dict(eps_of)))
