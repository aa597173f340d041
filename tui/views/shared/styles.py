"""Styles of text that the views share."""

from __future__ import annotations

from tui.analysis.verdict.reason import Ruling

MUTED = "$foreground 60%"
"""What stands between the numbers."""

RULING_STYLES = {
    Ruling.EXACT: "$text-success",
    Ruling.ROUNDING: "$text-success",
    Ruling.SUSPICIOUS: "$text-warning",
    Ruling.WRONG: "$text-error",
}
