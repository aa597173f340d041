"""A file as torch.save writes it, with the nesting of the one that it was made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from tui.checkpoints.contents import Checkpoint
from tui.checkpoints.formats.made_tensor import made
from tui.checkpoints.formats.nesting import built_up
from tui.checkpoints.formats.torch_file import TorchCheckpoint
from tui.checkpoints.plan import CarriedOver, Planned

if TYPE_CHECKING:
    import torch


def filler(
    source: Checkpoint, plan: Sequence[Planned], progress: Callable[[int, int], object]
) -> Callable[[BinaryIO], None]:
    """What writes the file. Tensors that are mapped from another stay there until they are written."""
    total = sum(each.entry.bytes for each in plan)

    def fill(file: BinaryIO) -> None:
        import torch

        tensors = {each.entry.name: _tensor(source, each) for each in plan}
        nested = tensors
        if isinstance(source, TorchCheckpoint):
            nested = built_up(source.root, source.laid, tensors)
        counted = _Counted(file, lambda done: progress(min(done, total), total))
        try:
            torch.save(nested, cast("BinaryIO", counted))
        except BaseException:  # torch's own words for a write that failed are about its archive
            if counted.failure is not None:
                raise counted.failure from None
            raise
        _check(source)

    return fill


def _tensor(source: Checkpoint, planned: Planned) -> torch.Tensor:
    if not isinstance(planned, CarriedOver):
        tensor = made(planned)
        whole = tensor.untyped_storage().nbytes() == tensor.nbytes
        return tensor if whole else tensor.clone()  # or all that it is a part of would be saved
    if isinstance(source, TorchCheckpoint):
        return source.as_loaded(planned.name)
    return source.tensor(planned.name)


def _check(source: Checkpoint) -> None:
    if isinstance(source, TorchCheckpoint):
        source.check()


class _Counted:
    """A file that tells how many bytes it took, and keeps the error that torch hides."""

    def __init__(self, file: BinaryIO, tell: Callable[[int], object]) -> None:
        self._file = file
        self._tell = tell
        self._done = 0
        self.failure: BaseException | None = None

    def write(self, data: Any) -> int:
        """Write and tell."""
        try:
            count = self._file.write(data)
            self._done += count
            self._tell(self._done)
        except BaseException as error:
            self.failure = error
            raise
        return count

    def flush(self) -> None:
        """Nothing: the file is synced as a whole."""
