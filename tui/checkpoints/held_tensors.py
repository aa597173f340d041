"""HeldTensors: tensors that are in memory, as a checkpoint is: a state_dict, or nothing at all."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from torch import Tensor

from tui.checkpoints.contents import Checkpoint, Entry, Format
from tui.checkpoints.errors import CheckpointError
from tui.checkpoints.formats.tensor_bytes import NoBytesError, bytes_of
from tui.fusion.quoting import quoted


class HeldTensors(Checkpoint):
    """Tensors by name; no file holds them."""

    format = Format.SAFETENSORS

    def __init__(self, tensors: Mapping[str, Tensor] | None = None, name: str = os.devnull) -> None:
        """`name`: what stands in messages for the name of a file."""
        self._tensors = dict(tensors or {})
        entries = {
            each: Entry(each, tuple(tensor.shape), str(tensor.dtype).removeprefix("torch."))
            for each, tensor in self._tensors.items()
        }
        super().__init__(Path(name), entries)

    @property
    def paths(self) -> tuple[Path, ...]:
        """None at all."""
        return ()

    def tensor(self, name: str) -> Tensor:
        """A copy of it, on the CPU.

        Raises:
            KeyError: there is no tensor of that name.
        """
        return self._tensors[name].detach().cpu().clone()

    def read_rows(self, name: str, start: int, target: Tensor) -> None:
        """Copy some rows of it.

        Raises:
            KeyError: there is no tensor of that name.
        """
        rows = self._tensors[name].detach()[start : start + len(target)]
        target.copy_(rows.reshape(target.shape))

    def pieces(self, name: str) -> Iterator[memoryview]:
        """Its bytes.

        Raises:
            KeyError: there is no tensor of that name.
            CheckpointError: it has no bytes.
        """
        try:
            yield from bytes_of(self.tensor(name))
        except NoBytesError as error:
            raise CheckpointError(f"{quoted(name)} is {error}") from None

    def close(self) -> None:
        """Nothing is open."""
