"""inspect(asked): the blocks of a checkpoint, and what else it holds; the exit status says how it went."""

from __future__ import annotations

from tui.checkpoint_options import InspectRequest


def inspect(asked: InspectRequest) -> int:
    """Print the report; returns the exit status."""
    raise NotImplementedError
