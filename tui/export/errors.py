"""What keeps a study from being taken away."""

from __future__ import annotations

from tui.fusion.refusal import Refusal


class ExportError(Refusal, ValueError):
    """It cannot be written so; the message says why, and what to do, for the user."""
