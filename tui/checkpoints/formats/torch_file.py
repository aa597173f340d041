"""A file that torch.save wrote, open: read by torch's safe reader, which runs no code of the file.

The tensors of an archive are mapped into memory and read when they are asked for; in the format before
torch 1.6 all are read at once.
"""

from __future__ import annotations

import io
import tarfile
import warnings
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from tui.checkpoints.contents import Checkpoint, Format
from tui.checkpoints.errors import about, reason_of
from tui.checkpoints.formats import torch_archive
from tui.checkpoints.formats.nesting import Laid, NestingError, laid_flat
from tui.checkpoints.formats.opened_file import OpenedFile
from tui.checkpoints.formats.pickle_refusal import names_in, why_refused
from tui.checkpoints.formats.tensor_bytes import NoBytesError, bytes_of, copy_of
from tui.fusion.quoting import quoted

if TYPE_CHECKING:
    import torch

LEGACY_MAGIC = b"\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19"
"""The number with which the format before torch 1.6 begins, as pickle writes it."""
_LEGACY_PICKLES = 5
"""Magic number, version, system, the object, the keys of its storages."""


class TorchCheckpoint(Checkpoint):
    """One file of torch.save.

    Attributes:
        root: what the file holds, as torch gives it; its tensors lie in the file until they are looked at.
        laid: the same, laid flat.
    """

    format = Format.TORCH

    def __init__(self, file: OpenedFile) -> None:
        """Read the nesting of an open file, which is closed if that fails.

        Raises:
            CheckpointError: it is damaged, wants to run code, or holds no tensor.
        """
        self._file = file
        try:
            is_archive = file.head(len(torch_archive.MAGIC)) == torch_archive.MAGIC
            self.root: Any = _loaded(file, is_archive=is_archive)
            self.laid: Laid = laid_flat(self.root)
            if not self.laid.leaves:
                raise about(file.path, "holds no tensor: it is no checkpoint, or none of a model")
        except NestingError as error:
            file.close()
            raise about(file.path, str(error)) from None
        except BaseException:
            file.close()
            raise
        entries = {name: leaf.entry for name, leaf in self.laid.leaves.items()}
        super().__init__(file.path, entries, None, self.laid.others)

    def check(self) -> None:
        """See whether the file is still the one that was opened.

        Raises:
            CheckpointError: it is not.
        """
        self._file.check()

    def tensor(self, name: str) -> torch.Tensor:
        """See `Checkpoint.tensor`."""
        found = copy_of(self._with_numbers(name))
        self.check()
        return found

    def read_rows(self, name: str, start: int, target: torch.Tensor) -> None:
        """See `Checkpoint.read_rows`."""
        found = self._with_numbers(name)
        if "strided" not in str(found.layout):
            raise about(self.path, f"has {quoted(name)} as a sparse tensor: make it dense first (to_dense)")
        rows = found[start : start + len(target)]
        target.copy_(rows.reshape(target.shape))
        self.check()

    def _with_numbers(self, name: str) -> torch.Tensor:
        self.check()
        found = self.laid.leaves[name].tensor.detach()
        if found.is_meta:
            raise about(self.path, f"has no numbers for {quoted(name)}: it was saved from the device meta")
        return found

    def as_loaded(self, name: str) -> torch.Tensor:
        """This tensor as it lies in the file: read when it is looked at, what it shares with others shared.

        Raises:
            CheckpointError: the file has changed or is gone.
        """
        self.check()
        return self.laid.leaves[name].tensor

    def pieces(self, name: str) -> Iterator[memoryview]:
        """See `Checkpoint.pieces`."""
        try:
            yield from bytes_of(self.as_loaded(name))
        except NoBytesError as error:
            raise about(self.path, f"has {quoted(name)} as {error}") from None
        self.check()

    def close(self) -> None:
        """See `Checkpoint.close`."""
        self.root, self.laid = None, Laid({}, ())
        self._file.close()


def _loaded(file: OpenedFile, *, is_archive: bool) -> Any:
    import torch

    names_in_it = _looked_at(file, is_archive=is_archive)
    file.check()
    try:
        with warnings.catch_warnings(action="ignore"):  # of old kinds of tensors, which the user did not make
            if is_archive and file.path.suffix != ".safetensors":
                found = torch.load(file.path, map_location="cpu", weights_only=True, mmap=True)
            else:  # by its name torch would take it for a safetensors file
                with file.stream() as stream:
                    found = torch.load(stream, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged pickle makes torch raise whatever there is
        file.check()
        raise about(file.path, why_refused(error, names_in_it())) from None
    file.check()
    return found


def _looked_at(file: OpenedFile, *, is_archive: bool) -> Callable[[], list[str]]:
    """See whether torch's reader may have the file; what finds the classes and functions that it names.

    Raises:
        CheckpointError: it may not.
    """
    try:
        with file.stream() as stream:
            if is_archive:
                pickle = torch_archive.pickle_in(stream)
                return lambda: names_in(io.BytesIO(pickle), 1)
            # torch tries this first, and before 2.6 it ran code of such a file (CVE-2025-32434).
            if tarfile.is_tarfile(stream):
                raise about(file.path, "is of torch before 0.1.10, which is not read: save it anew")
    except torch_archive.ArchiveError as error:
        raise about(file.path, str(error)) from None
    except OSError as error:
        raise about(file.path, f"cannot be read: {reason_of(error)}") from None
    return lambda: _names_in_legacy(file)


def _names_in_legacy(file: OpenedFile) -> list[str]:
    with file.stream() as stream:
        return names_in(stream, _LEGACY_PICKLES)
