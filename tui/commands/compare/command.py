"""compare(asked): what another tool made of a checkpoint, judged; the exit status says how it went."""

from __future__ import annotations

from tui.checkpoint_options import CompareRequest


def compare(asked: CompareRequest) -> int:
    """Print the report; returns the exit status."""
    raise NotImplementedError
