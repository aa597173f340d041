"""The archive that torch.save writes: a zip that holds one pickle and a record for each storage.

Looked at before torch is, so that what is none, is cut short or would unpack to more than it has is told so.
"""

from __future__ import annotations

import errno
import zipfile
import zlib
from typing import IO

from tui.fusion.quoting import quoted

MAGIC = b"PK\x03\x04"
MOST_PICKLE = 256 * 2**20
"""Bytes of the pickle, which holds names and shapes: 10 000 tensors need two million."""
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    RuntimeError,
    ValueError,
    OverflowError,
    NotImplementedError,
)


class ArchiveError(ValueError):
    """It is no archive that can be read; the message says why, as what follows the file's name."""


def pickle_in(file: IO[bytes]) -> bytes:
    """The archive's pickle, unread.

    Raises:
        ArchiveError: it is no archive of torch.save, damaged, or cut short.
        OSError: the file cannot be read.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            member = _checked(archive.infolist())
            return archive.read(member)
    except (*_DAMAGE, OSError) as error:
        if isinstance(error, ArchiveError) or getattr(error, "errno", errno.EINVAL) != errno.EINVAL:
            raise  # EINVAL is of a place before the file's beginning, which a damaged one names
        raise ArchiveError("is a zip archive that is cut short or damaged: get the file anew") from None


def _checked(members: list[zipfile.ZipInfo]) -> zipfile.ZipInfo:
    names = [member.filename for member in members]
    found = [member for member in members if member.filename.endswith("/data.pkl")]
    if not found:
        held = ", ".join(map(quoted, names[:3])) or "nothing"
        raise ArchiveError(f"is a zip archive, but not one of torch.save: it holds {held}")
    if any(name.endswith("/constants.pkl") or "/code/" in name for name in names):
        raise ArchiveError(
            "is a TorchScript program, which is not read. If you trust it, save its tensors in Python: "
            "torch.save(torch.jit.load(...).state_dict(), ...)"
        )
    if len(found) > 1 or any(member.compress_type != zipfile.ZIP_STORED for member in members):
        raise ArchiveError("is a zip archive that torch.save did not write: it is packed, or holds two")
    if found[0].file_size > MOST_PICKLE:
        raise ArchiveError(f"has a pickle of {found[0].file_size:,} bytes, and {MOST_PICKLE:,} is the most")
    return found[0]
