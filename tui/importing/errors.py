"""What keeps a file or a text from being read."""

from __future__ import annotations

from tui.fusion.refusal import Refusal


class ImportingError(Refusal, ValueError):
    """It cannot be read so; the message says what was given and what is expected, for the user."""
