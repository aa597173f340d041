"""TextError: a text of the form or the command line that cannot be read."""

from __future__ import annotations

from tui.fusion.refusal import Refusal


class TextError(Refusal, ValueError):
    """What was typed says nothing that can be used; the message says what was expected."""
