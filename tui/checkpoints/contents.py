"""What a checkpoint holds: its tensors by name, listed without being read, and each read when asked for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import prod
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Self

from tui.checkpoints.dtypes import bits_of

if TYPE_CHECKING:
    import torch


class Format(StrEnum):
    """How a checkpoint is written down."""

    SAFETENSORS = "safetensors"
    TORCH = "torch"
    """What torch.save writes: .pt, .pth, .bin, .ckpt."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One tensor of a checkpoint, as its header tells it.

    Attributes:
        name: as it is in the file, wrapper and all: any text, also one that no terminal should get.
        shape: its sizes; () is a single number, and a size may be 0.
        dtype: torch's name without "torch."; also of a dtype that torch lacks, such as float6_e2m3.
        wrapper: what `name` begins with that is the file's nesting and not the tensor's own name:
            "state_dict." in a file that torch.save made of {"state_dict": {...}}, "" in a flat one.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    wrapper: str = ""

    @property
    def own_name(self) -> str:
        """The name in its state_dict, as load_state_dict expects it."""
        return self.name.removeprefix(self.wrapper)

    @property
    def numel(self) -> int:
        """How many numbers it has."""
        return prod(self.shape)

    @property
    def is_floating(self) -> bool:
        """Whether its numbers are floating ones, as parameters are, and no counter's."""
        return "float" in self.dtype

    @property
    def bytes(self) -> int:
        """How many bytes its numbers take."""
        return (self.numel * bits_of(self.dtype) + 7) // 8


class Checkpoint(ABC):
    """An open checkpoint. Close it, or use it in a `with`.

    Its tensors can be asked for by several threads at once.

    Attributes:
        path: the file that was opened.
        format: how it is written down.
        entries: every tensor, by name, in the file's order.
        metadata: the text that a safetensors file carries beside its tensors; {} in other files.
        other_values: what a file of torch holds beside its tensors, by name ("epoch"): a file of torch takes
            it over, a safetensors file cannot hold it.
        is_nested: whether it holds a state_dict under a key ("model") beside which others stand ("rng").
    """

    format: Format

    def __init__(
        self,
        path: Path,
        entries: Mapping[str, Entry],
        metadata: Mapping[str, str] | None = None,
        other_values: tuple[str, ...] = (),
    ) -> None:
        self.path = path
        self.entries = MappingProxyType(dict(entries))
        self.metadata = MappingProxyType(dict(metadata or {}))
        self.other_values = other_values
        self.is_nested = any(entry.wrapper for entry in self.entries.values())

    @property
    def paths(self) -> tuple[Path, ...]:
        """Every file that it is read from: more than `path` where it lies in shards."""
        return (self.path,)

    @abstractmethod
    def tensor(self, name: str) -> torch.Tensor:
        """This tensor, read now, on the CPU, its memory nobody else's, with the entry's shape and dtype.

        Raises:
            CheckpointError: the file has changed or is gone, or torch has no such dtype.
            KeyError: there is no tensor of that name.
        """

    @abstractmethod
    def read_rows(self, name: str, start: int, target: torch.Tensor) -> None:
        """Fill contiguous memory of the tensor's dtype with its rows from `start` on, as many as it holds.

        Raises:
            CheckpointError, KeyError: as `tensor`; or it is sparse.
        """

    @abstractmethod
    def pieces(self, name: str) -> Iterator[memoryview]:
        """The tensor's bytes in pieces, little-endian and in C order; each good until the next is asked for.

        Raises:
            CheckpointError: as `tensor`; or it has no such bytes, being sparse or quantised.
            KeyError: there is no tensor of that name.
        """

    @abstractmethod
    def close(self) -> None:
        """Let the file go; what was read from it stays. Closing twice does nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
