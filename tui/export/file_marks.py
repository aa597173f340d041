"""The marks by which files of this program are known, for those who write and those who read them."""

from __future__ import annotations

SCHEMA = 1
"""What a study as JSON holds and how; another number where an older program could not read it any more."""

CSV_HEADER = "tensor,out,in,ky,kx,value"
"""The first line of a kernel as CSV."""
