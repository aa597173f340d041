"""FusedFile: the output of a fusion in safetensors, each fused tensor written as soon as it is folded."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from tui.checkpoints.contents import Checkpoint, Entry, Format
from tui.checkpoints.conversion.output import output_of
from tui.checkpoints.formats.safetensors_in_parts import SafetensorsInParts
from tui.checkpoints.found import Recognition
from tui.checkpoints.plan import CarriedOver, Planned
from tui.checkpoints.writing import Progress, metadata_of, told_of

if TYPE_CHECKING:
    from torch import Tensor


class FusedFile:
    """It is planned as if every block could be fused; `is_as_planned` tells whether that held.

    Use it in a `with`: unless it was finished, nothing is left of it. Or `begin` and `discard` it, which
    another thread may do at any moment.
    """

    def __init__(
        self, source: Checkpoint, recognition: Recognition, target: Path, *, replace: bool = False
    ) -> None:
        self._source, self._recognition, self._target = source, recognition, target
        self._replace = replace
        self._plan: tuple[Planned, ...] = ()
        self._names: frozenset[str] = frozenset()
        self._lock = threading.Lock()
        self._begun: SafetensorsInParts | None = None
        self._is_discarded = False

    def begin(self) -> None:
        """Make room for it.

        Raises:
            CheckpointError: as `write_checkpoint`; or it was discarded.
        """
        self._plan = output_of(self._source, self._recognition.blocks, self.tensor, Format.SAFETENSORS)
        self._names = frozenset(each.entry.name for each in self._plan)
        entries, metadata = [each.entry for each in self._plan], metadata_of(self._source)
        with told_of(self._target), self._lock:
            if self._is_discarded:
                raise OSError("the file is no longer written to")
            self._begun = SafetensorsInParts(self._target, entries, metadata, replace=self._replace)

    @property
    def _file(self) -> SafetensorsInParts:
        if self._begun is None:  # a fault of ours
            raise AssertionError(f"{self._target} was not begun")
        return self._begun

    def put(self, entry: Entry, row: int, rows: Tensor) -> None:
        """Write rows of a fused tensor, from that one on.

        Raises:
            CheckpointError: they could not be written.
        """
        with told_of(self._target):
            self._file.put(self._name(entry), row, rows)

    def tensor(self, entry: Entry) -> Tensor:
        """A fused tensor, as it was written.

        Raises:
            CheckpointError: it cannot be read.
        """
        with told_of(self._target):
            return self._file.tensor(self._name(entry))

    def _name(self, entry: Entry) -> str:
        """What it is called in the file, which is without the wrapper where there was only one."""
        return entry.name if entry.name in self._names else entry.own_name

    def is_as_planned(self, plan: Sequence[Planned]) -> bool:
        """Whether that is what it has room for."""
        return [each.entry for each in plan] == [each.entry for each in self._plan]

    def finish(self, progress: Progress | None = None) -> None:
        """Carry over all other tensors, and give it its name.

        Raises:
            CheckpointError: as `write_checkpoint`.
        """
        told = progress or (lambda _done, _of: None)
        carried = [each for each in self._plan if isinstance(each, CarriedOver)]
        done = self._file.size - sum(each.entry.bytes for each in carried)
        with told_of(self._target):
            for each in carried:
                offset = 0
                for piece in self._source.pieces(each.name):
                    self._file.write(each.entry.name, offset, piece)
                    offset += len(piece)
                    told(done + offset, self._file.size)
                done += offset
            self._file.put_in_place(lambda size: told(size, size))

    def discard(self) -> None:
        """Leave nothing of it, unless it was finished; what was not begun cannot be after that."""
        with self._lock:
            self._is_discarded = True
        if self._begun is not None:
            self._begun.discard()

    def __enter__(self) -> Self:
        self.begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.discard()
