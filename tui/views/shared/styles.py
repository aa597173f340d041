"""Styles of text that the views share."""

from __future__ import annotations

MUTED = "$foreground 60%"
"""What stands between the numbers."""
