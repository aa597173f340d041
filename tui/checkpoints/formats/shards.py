"""A checkpoint in several safetensors files, with an index that tells which tensor lies in which.

Source: huggingface's `model.safetensors.index.json`: {"metadata": {...}, "weight_map": {name: file}}.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui.checkpoints.contents import Checkpoint, Entry, Format
from tui.checkpoints.errors import CheckpointError, about, named
from tui.checkpoints.formats import torch_archive
from tui.checkpoints.formats.opened_file import OpenedFile
from tui.checkpoints.formats.safetensors_file import SafetensorsCheckpoint
from tui.fusion.quoting import quoted

if TYPE_CHECKING:
    import torch

MOST_INDEX = 100_000_000
"""Bytes of an index, as of a header."""
MOST_SHARDS = 512
"""Files that are held open at once; systems allow a thousand."""


class ShardedCheckpoint(Checkpoint):
    """The safetensors files of one index, in the index' order."""

    format = Format.SAFETENSORS

    def __init__(self, file: OpenedFile) -> None:
        """Read the index and the header of every shard, and close the index.

        Raises:
            CheckpointError: the index is none, or a shard is missing, damaged, or not as the index has it.
        """
        try:
            weight_map = _weight_map(file)
        finally:
            file.close()
        self._shards: dict[str, SafetensorsCheckpoint] = {}
        try:
            for shard in dict.fromkeys(weight_map.values()):
                self._shards[shard] = _opened(file.path, shard)
            entries = self._entries(file.path, weight_map)
        except BaseException:
            self.close()
            raise
        self._shard_of = weight_map
        metadata: dict[str, str] = {}
        for opened in self._shards.values():
            metadata = dict(opened.metadata) | metadata
        super().__init__(file.path, entries, metadata)

    def _entries(self, index: Path, weight_map: dict[str, str]) -> dict[str, Entry]:
        for name, shard in weight_map.items():
            if name not in self._shards[shard].entries:
                raise about(index, f"has {quoted(name)} in {quoted(shard)}, where it is not")
        for shard, opened in self._shards.items():
            surplus = [name for name in opened.entries if weight_map.get(name) != shard]
            if surplus:
                raise about(
                    opened.path, f"has {quoted(surplus[0])}, of which the index {named(index)} has not"
                )
        return {name: self._shards[shard].entries[name] for name, shard in weight_map.items()}

    @property
    def paths(self) -> tuple[Path, ...]:
        """The index and every shard."""
        return (self.path, *(opened.path for opened in self._shards.values()))

    def tensor(self, name: str) -> torch.Tensor:
        """See `Checkpoint.tensor`."""
        return self._shards[self._shard_of[name]].tensor(name)

    def read_rows(self, name: str, start: int, target: torch.Tensor) -> None:
        """See `Checkpoint.read_rows`."""
        self._shards[self._shard_of[name]].read_rows(name, start, target)

    def pieces(self, name: str) -> Iterator[memoryview]:
        """See `Checkpoint.pieces`."""
        return self._shards[self._shard_of[name]].pieces(name)

    def close(self) -> None:
        """See `Checkpoint.close`."""
        for opened in self._shards.values():
            opened.close()


def _opened(index: Path, shard: str) -> SafetensorsCheckpoint:
    try:
        file = OpenedFile(index.with_name(shard))
        if file.head(len(torch_archive.MAGIC)) == torch_archive.MAGIC:
            file.close()
            raise about(
                file.path, "is a file of torch.save: of those in shards none is read, only safetensors"
            )
        return SafetensorsCheckpoint(file)
    except CheckpointError as error:
        raise CheckpointError(f"{error} (a shard of {named(index)})") from None


def _weight_map(file: OpenedFile) -> dict[str, str]:
    if file.size > MOST_INDEX:
        raise about(file.path, f"has {file.size:,} bytes of JSON, and {MOST_INDEX:,} is the most of an index")
    try:
        told: Any = json.loads(file.head(file.size).decode("utf-8"))
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        if isinstance(error, CheckpointError):
            raise
        raise about(
            file.path, "is no JSON: the index of a sharded checkpoint is expected, or safetensors"
        ) from None
    found = told.get("weight_map") if isinstance(told, dict) else None
    if not isinstance(found, dict) or not all(isinstance(shard, str) for shard in found.values()):
        raise about(
            file.path, 'is no index of a sharded checkpoint: it has no "weight_map" of names and files'
        )
    shards = set(found.values())
    for shard in shards:
        if shard in ("", ".", "..") or any(sign in shard for sign in "/\\\0"):
            raise about(file.path, f"has {quoted(shard)} for a shard: a file beside it is expected")
    if len(shards) > MOST_SHARDS:
        raise about(file.path, f"has {len(shards):,} shards, and {MOST_SHARDS} is the most")
    return found
