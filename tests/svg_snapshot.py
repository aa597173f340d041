"""Pictures of the screen, stored one SVG file each."""

from __future__ import annotations

import re

from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from syrupy.location import PyTestLocation
from syrupy.types import SnapshotIndex

_NAMES = re.compile(r"terminal-\d+-")
_FONT_FROM_THE_WEB = re.compile(r',\s*url\("https://[^"]*"\) format\("\w+"\)')


class SVGSnapshot(SingleFileSnapshotExtension):
    """Compares the pictures, not the names that Rich gives to their parts."""

    _write_mode = WriteMode.TEXT
    file_extension = "svg"

    def serialize(self, data: object, **_: object) -> str:
        """The SVG with names that stay the same, and without fonts to be fetched."""
        return _FONT_FROM_THE_WEB.sub("", _NAMES.sub("terminal-", str(data)))

    @classmethod
    def get_snapshot_name(cls, *, test_location: PyTestLocation, index: SnapshotIndex = 0) -> str:
        """A name that is given to a picture stands as if it were the last of the test's parameters."""
        if not isinstance(index, str):
            return super().get_snapshot_name(test_location=test_location, index=index)
        name = super().get_snapshot_name(test_location=test_location)
        named, *count = index.split(".")
        return ".".join([f"{name[:-1]}-{named}]" if name.endswith("]") else f"{name}[{named}]", *count])
