"""What a file or a pasted text holds, told by its content: a saved study, or a kernel."""

from __future__ import annotations

from tui.importing.checkpoint_files import is_checkpoint
from tui.importing.errors import ImportingError
from tui.importing.files import bytes_of
from tui.importing.given_numbers import GivenKernel
from tui.importing.npy import NPY_MAGIC, ZIP_MAGIC, npy_from, npz_from
from tui.importing.number_table import kernel_in
from tui.importing.saved_study import SavedStudy, study_in
from tui.importing.suggestions import SUFFIXES

BroughtBack = SavedStudy | GivenKernel


def read_file(name: str) -> BroughtBack:
    """What the file of that name holds.

    Raises:
        ImportingError: it cannot be read; the message says why, for the user.
    """
    data = bytes_of(name, SUFFIXES)
    if is_checkpoint(data):
        raise ImportingError(
            "it is a checkpoint, the weights of a model, and a saved study or one kernel is expected; "
            "repfuse-tui compare IN FUSED judges a fused checkpoint by the one that it was made of"
        )
    if data.startswith(NPY_MAGIC):
        return GivenKernel(npy_from(data))
    if data.startswith(ZIP_MAGIC):
        return npz_from(data)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ImportingError(
            "it is neither a saved study nor numbers: a study as JSON, .npy, .npz, CSV or text are read"
        ) from None
    return read_text(text)


def read_text(text: str) -> BroughtBack:
    """What a text says: a saved study as JSON, or numbers.

    Raises:
        ImportingError: it says neither.
    """
    return study_in(text.encode("utf-8", "replace")) if text.lstrip().startswith("{") else kernel_in(text)
