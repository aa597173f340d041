"""fuse(asked): every block of a checkpoint fused, into another file; the exit status says how it went."""

from __future__ import annotations

from tui.checkpoint_options import FuseRequest


def fuse(asked: FuseRequest) -> int:
    """Print the report; returns the exit status."""
    raise NotImplementedError
