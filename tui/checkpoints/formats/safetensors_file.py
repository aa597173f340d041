"""A safetensors file, open: listed by its header alone, and each tensor read when it is asked for.

Read, not mapped: a mapped file that another program cuts short ends this one by a signal.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tui.checkpoints.contents import Checkpoint, Format
from tui.checkpoints.errors import about
from tui.checkpoints.formats import safetensors_header
from tui.checkpoints.formats.opened_file import OpenedFile
from tui.checkpoints.formats.tensor_bytes import PIECE, memory_of
from tui.fusion.quoting import quoted

if TYPE_CHECKING:
    import torch


class SafetensorsCheckpoint(Checkpoint):
    """One safetensors file."""

    format = Format.SAFETENSORS

    def __init__(self, file: OpenedFile) -> None:
        """Read the header of an open file, which is closed if that fails.

        Raises:
            CheckpointError: it breaks a rule of the format.
        """
        self._file = file
        try:
            length = safetensors_header.length_of(file.head(safetensors_header.BEFORE), file.size)
            data = bytearray(length)
            file.read_into(memoryview(data), safetensors_header.BEFORE)
            header = safetensors_header.parsed(bytes(data), file.size)
        except safetensors_header.HeaderError as error:
            file.close()
            raise about(file.path, str(error)) from None
        except BaseException:
            file.close()
            raise
        self._places = header.places
        super().__init__(file.path, header.entries, header.metadata)

    def tensor(self, name: str) -> torch.Tensor:
        """See `Checkpoint.tensor`."""
        import torch  # a list of tensors needs none

        entry, place = self.entries[name], self._places[name]
        dtype = getattr(torch, entry.dtype, None)
        if not isinstance(dtype, torch.dtype):
            raise about(
                self.path, f"has {quoted(name)} in {entry.dtype}, a dtype that this torch does not have"
            )
        try:
            tensor = torch.empty(entry.shape, dtype=dtype)
        except (RuntimeError, MemoryError):
            raise about(
                self.path, f"has {place.length:,} bytes in {quoted(name)}: more memory than there is"
            ) from None
        self._file.read_into(memory_of(tensor), place.start)
        self._file.check()
        return tensor

    def read_rows(self, name: str, start: int, target: torch.Tensor) -> None:
        """See `Checkpoint.read_rows`."""
        memory = memory_of(target)
        self._file.read_into(memory, self._places[name].start + start * (len(memory) // target.shape[0]))
        self._file.check()

    def pieces(self, name: str) -> Iterator[memoryview]:
        """See `Checkpoint.pieces`."""
        place = self._places[name]
        buffer = memoryview(bytearray(min(place.length, PIECE)))
        end = place.start + place.length
        for start in range(place.start, end, PIECE):
            piece = buffer[: min(PIECE, end - start)]
            self._file.read_into(piece, start)
            yield piece
        self._file.check()

    def close(self) -> None:
        """See `Checkpoint.close`."""
        self._file.close()
