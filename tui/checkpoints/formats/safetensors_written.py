"""A safetensors file, written tensor by tensor: what is carried over from another is copied byte by byte."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import BinaryIO

from tui.checkpoints.contents import Checkpoint
from tui.checkpoints.errors import CheckpointError
from tui.checkpoints.formats import safetensors_header
from tui.checkpoints.formats.made_tensor import made
from tui.checkpoints.formats.tensor_bytes import NoBytesError, bytes_of
from tui.checkpoints.plan import CarriedOver, Planned
from tui.fusion.quoting import quoted


def filler(
    source: Checkpoint,
    plan: Sequence[Planned],
    metadata: Mapping[str, str],
    progress: Callable[[int, int], object],
) -> Callable[[BinaryIO], None]:
    """What writes the file, once its header is known to be one.

    Raises:
        HeaderError: safetensors cannot hold what is planned.
    """
    by_name = {each.entry.name: each for each in plan}
    head, placed = safetensors_header.written([each.entry for each in plan], metadata)
    total = len(head) + sum(entry.bytes for entry in placed)

    def fill(file: BinaryIO) -> None:
        done = file.write(head)
        for entry in placed:
            written = 0
            for piece in _pieces(source, by_name[entry.name]):
                written += file.write(piece)
                progress(done + written, total)
            if written != entry.bytes:  # a plan that does not fit its tensor is a fault of ours
                raise AssertionError(f"{entry} was written with {written} bytes")
            done += written

    return fill


def _pieces(source: Checkpoint, planned: Planned) -> Iterator[memoryview]:
    if isinstance(planned, CarriedOver):
        yield from source.pieces(planned.name)
        return
    try:
        yield from bytes_of(made(planned))
    except NoBytesError as error:
        raise CheckpointError(f"{quoted(planned.entry.name)} is {error}") from None
