"""Writing a checkpoint out of another: whole or not at all, and never over the one that it is made of."""

from __future__ import annotations

import errno
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tui.atomic_file import NotOrdinaryFileError, fill_whole
from tui.checkpoints.contents import Checkpoint, Format
from tui.checkpoints.errors import CheckpointError, ExistsError, about, about_path, reason_of
from tui.checkpoints.formats import safetensors_written, torch_written
from tui.checkpoints.formats.safetensors_header import HeaderError
from tui.checkpoints.plan import Planned
from tui.fusion.quoting import quoted

_FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
_OF_INDEX = ".safetensors.index.json"
_TORCH_SUFFIXES = (".pt", ".pth", ".bin", ".ckpt")
_FOREIGN_SUFFIXES = (
    *(
        ".onnx",
        ".gguf",
        ".tflite",
        ".pb",
        ".h5",
        ".hdf5",
        ".keras",
        ".msgpack",
        ".mlmodel",
        ".engine",
        ".plan",
    ),
    *(".npy", ".npz", ".pkl", ".pickle", ".pt2", ".torchscript", ".yaml", ".csv", ".txt", ".py"),
    *(".zip", ".tar", ".gz", ".xz", ".zst"),
)

Progress = Callable[[int, int], object]
"""Told the bytes that are written and those that there will be, once more when all are on the disk and the
file gets its name; what it raises ends the writing, and nothing is left of it."""


def format_for(path: Path) -> Format:
    """The format that the output's name asks for: safetensors, but of torch where it ends as those do.

    Raises:
        CheckpointError: it ends as files do that others would read as something else.
    """
    if path.suffix.lower() in _FOREIGN_SUFFIXES:
        raise about(path, f"would be no {path.suffix} file: end its name on .safetensors or .pt")
    return Format.TORCH if path.suffix.lower() in _TORCH_SUFFIXES else Format.SAFETENSORS


def write_checkpoint(
    source: Checkpoint,
    plan: Sequence[Planned],
    target: Path,
    *,
    format: Format = Format.SAFETENSORS,
    replace: bool = False,
    metadata: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> None:
    """Write the planned tensors, in their order, into one file.

    A safetensors file is written tensor by tensor, so that one or two are in memory. A file of torch has the
    nesting of `source`, where that is one too, with all that is no tensor in it.

    Args:
        source: what tensors are carried over from; open, and never written to.
        plan: the tensors of the output.
        target: the output, in a folder that is there.
        format: of the output.
        replace: whether a file of that name may be displaced; the input may never.
        metadata: of a safetensors file; what `source` has where None.
        progress: see `Progress`.

    Raises:
        ExistsError: there is something of that name, and `replace` is false.
        CheckpointError: the output is the input, a folder or no ordinary file, cannot hold what is planned,
            or could not be written; or the input has changed. Nothing is left behind, and an old file stays.
    """
    _check_target(source, target)
    doubles = [name for name, count in Counter(each.entry.name for each in plan).items() if count > 1]
    if doubles:
        raise about(target, f"would have {quoted(doubles[0])} twice")
    told = progress or (lambda _done, _of: None)
    with told_of(target):
        if format is Format.SAFETENSORS:
            fill = safetensors_written.filler(source, plan, metadata_of(source, metadata), told)
        else:
            fill = torch_written.filler(source, plan, told)
        fill_whole(target, fill, replace=replace, synced=lambda size: told(size, size))


@contextmanager
def told_of(target: Path) -> Iterator[None]:
    """Raise what goes wrong with an output as a CheckpointError that says so."""
    try:
        yield
    except CheckpointError:
        raise
    except HeaderError as error:
        raise about(target, str(error)) from None
    except FileExistsError:
        raise _exists(target) from None
    except NotOrdinaryFileError:
        raise _no_file(target) from None
    except MemoryError:
        raise about(
            target, "was not written, and nothing is left of it: it needs more memory than there is"
        ) from None
    except (OSError, ValueError) as error:
        raise _not_written(target, error) from None


def check_target(source: Checkpoint, target: Path, *, replace: bool) -> None:
    """Refuse an output that `write_checkpoint` would refuse, before any work is done for it.

    Raises:
        ExistsError, CheckpointError: as `write_checkpoint`.
    """
    _check_target(source, target)
    if target.exists() and not target.is_file():
        raise _no_file(target)
    if not replace and os.path.lexists(target):
        raise _exists(target)
    if not target.parent.is_dir():
        raise about_path(target, "cannot be written: there is no such folder")


def metadata_of(source: Checkpoint, given: Mapping[str, str] | None = None) -> Mapping[str, str]:
    """What the input has; of one that cannot have any, what transformers refuses a file without."""
    if given is not None:
        return given
    return source.metadata if source.format is Format.SAFETENSORS else {"format": "pt"}


def _check_target(source: Checkpoint, target: Path) -> None:
    if str(target) == "-":
        raise about(target, "would be standard output, which is not written whole or not at all: name a file")
    try:
        if target.is_dir():
            raise about(target, "is a folder, and the output needs a file's name")
        same = [path for path in source.paths if target.exists() and path.samefile(target)]
    except (OSError, ValueError) as error:
        raise error if isinstance(error, CheckpointError) else _not_written(target, error) from None
    if same:
        raise about(target, "is the input itself, which is never written to: choose another name")
    if target.suffix.lower() == ".json":
        raise _is_of_json(target)


def _is_of_json(target: Path) -> CheckpointError:
    """Of what would be a checkpoint under a name by which each other tool takes it for something else."""
    index = target.name.lower().endswith(_OF_INDEX)
    kind = "the index of a sharded checkpoint" if index else "a JSON file"
    stem = target.name[: -len(_OF_INDEX if index else target.suffix)] or "model"
    fit = quoted(f"{stem}.safetensors")
    return about(target, f"is the name of {kind}, and the output is one file of tensors: name it {fit}")


def _exists(target: Path) -> ExistsError:
    return ExistsError(f"{quoted(target.name)} is there already: it is replaced only where you say so")


def _no_file(target: Path) -> CheckpointError:
    return about_path(target, "is a pipe or a device, and no file can be put in its place")


def _not_written(target: Path, error: OSError | ValueError) -> CheckpointError:
    number = getattr(error, "errno", None)
    if number in _FULL:
        return about(target, f"was not written, and nothing is left of it: {reason_of(error)}")
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        return about_path(target, "cannot be written: there is no such folder")
    return about(target, f"cannot be written: {reason_of(error)}")
