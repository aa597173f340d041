"""What follows when another tool's file is given: it is opened, each block judged, and the verdicts kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tui.running.background import iterate_in_thread

if TYPE_CHECKING:
    from tui.analysis.alterations.alterations import Alterations
    from tui.checkpoints.comparison import comparing
    from tui.checkpoints.comparison.compared import ComparedBlock, ComparedCheckpoint
    from tui.checkpoints.contents import Checkpoint

    Judge = Callable[[Checkpoint], Iterator[comparing.Step]]
    """Judges what another tool made of the blocks, which is open."""


class Comparison:
    """Blocks beside what another tool made of them, as far as they have been judged.

    Attributes:
        other: the other file; or what was made of it, open already: the tensors of a module.
        given: it, open; None before.
        blocks: the verdicts so far, by the names of the tensors that each block reads.
        compared: all of it; None before.
        is_running: whether blocks are being judged.
    """

    def __init__(self, other: Path | Checkpoint) -> None:
        self.other = other
        self.given: Checkpoint | None = None
        self.blocks: dict[tuple[str, ...], ComparedBlock] = {}
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

    async def run(self, judge: Judge, tell: Callable[[str, float, str], object]) -> None:
        """Judge every block; `tell` takes what is done, how far it is, and where.

        Raises:
            CheckpointError: the other file cannot be read, or one of both has changed.
            Refusal: as `judge`.
        """
        tell("comparing", 0, "")
        self.is_running = True
        try:
            await self._run(judge, tell)
        finally:
            self.is_running = False

    async def _run(self, judge: Judge, tell: Callable[[str, float, str], object]) -> None:
        async for step in iterate_in_thread(partial(_steps, self.other, judge)):
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
                self.blocks[step.found.reads] = step
            elif isinstance(step, ComparedCheckpoint):
                self.compared = step

    def alterations(self, reads: tuple[str, ...]) -> Iterator[tuple[Alterations, str]]:
        """What makes the bench's fused kernel that of the other file, and what to know of it.

        `reads`: the names of the tensors of the block.

        Raises:
            CheckpointError: the other file has changed or is gone.
        """
        from tui.checkpoints.comparison.given_kernel import alterations_of

        if self.given is not None and reads in self.blocks:
            yield alterations_of(self.blocks[reads], self.given)


def _seen(paths: Iterable[Path]) -> tuple[tuple[int, int, int] | None, ...]:
    """What tells that a file is still the same one, for each; None where there is none."""
    return tuple(map(_mark, paths))


def _mark(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


def _steps(other: Path | Checkpoint, judge: Judge) -> Iterator[Checkpoint | comparing.Step]:
    from tui.checkpoints.opening import open_checkpoint  # not before the first paint

    given = open_checkpoint(other) if isinstance(other, Path) else other
    yield given
    yield from judge(given)
