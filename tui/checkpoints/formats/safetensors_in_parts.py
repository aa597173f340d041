"""A safetensors file that is written in any order, by several threads, before it has its name."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tui.atomic_file import UnnamedFile
from tui.checkpoints.contents import Entry
from tui.checkpoints.formats import safetensors_header
from tui.checkpoints.formats.tensor_bytes import PIECE, memory_of

if TYPE_CHECKING:
    import torch


class SafetensorsInParts:
    """The file: its header says where each tensor will stand before any is there.

    Attributes:
        size: its bytes when it is whole.
    """

    def __init__(
        self, target: Path, entries: Sequence[Entry], metadata: Mapping[str, str], *, replace: bool
    ) -> None:
        """Write the header.

        Raises:
            HeaderError: safetensors cannot hold these.
            OSError, ValueError: as of `UnnamedFile`.
        """
        head, placed = safetensors_header.written(entries, metadata)
        self._starts: dict[str, int] = {}
        self.size = len(head)
        for entry in placed:
            self._starts[entry.name] = self.size
            self.size += entry.bytes
        self._entries = {entry.name: entry for entry in placed}
        self._lock = threading.Lock()
        self._is_open = True
        self._part = UnnamedFile(target, replace=replace)
        self.write("", 0, memoryview(head))

    def put(self, name: str, row: int, rows: torch.Tensor) -> None:
        """Write contiguous rows of a tensor, from that one on.

        Raises:
            OSError: they could not be written; or the file was put in place or discarded.
        """
        memory = memory_of(rows)
        self.write(name, row * (len(memory) // max(rows.shape[0], 1)), memory)

    def write(self, name: str, offset: int, data: memoryview) -> None:
        """Write bytes of a tensor, from that one on; of the file itself where `name` is "".

        Raises:
            OSError: as `put`.
        """
        for start in range(0, len(data), PIECE):
            self._write(self._starts.get(name, 0) + offset + start, data[start : start + PIECE])

    def _write(self, start: int, data: memoryview) -> None:
        with self._lock:  # a file that is closed may give its number to another, which is written to then
            if not self._is_open:
                raise OSError("the file is no longer written to")
            if not hasattr(os, "pwrite"):
                self._part.file.seek(start)
                self._part.file.write(data)
                return
            while data:
                written = os.pwrite(self._part.file.fileno(), data, start)
                data, start = data[written:], start + written

    def tensor(self, name: str) -> torch.Tensor:
        """What was written of a tensor.

        Raises:
            OSError: it cannot be read.
        """
        import torch

        entry = self._entries[name]
        tensor = torch.empty(entry.shape, dtype=getattr(torch, entry.dtype))
        with self._lock:
            self._part.file.seek(self._starts[name])
            self._part.file.readinto(memory_of(tensor))  # type: ignore[attr-defined]
        return tensor

    def put_in_place(self, synced: Callable[[int], object]) -> None:
        """Give it its name, all of it being there; `synced` as of `UnnamedFile.put_in_place`.

        Raises:
            OSError: as `UnnamedFile.put_in_place`.
        """
        with self._lock:
            self._is_open = False
            self._part.put_in_place(synced)

    def discard(self) -> None:
        """Leave nothing of it, unless it was put in place; twice does nothing."""
        with self._lock:
            self._is_open = False
            self._part.discard()
