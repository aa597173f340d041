"""Conditions of a timing in a few words, as far as they are not the usual ones."""

from __future__ import annotations

from tui.analysis.speed.conditions import CPU, Conditions, MemoryFormat


def in_words(conditions: Conditions) -> str:
    """What is not as usual: "1 thread · channels_last"; empty where all is.

    >>> in_words(Conditions(threads=1, memory_format=MemoryFormat.CHANNELS_LAST))
    '1 thread · channels_last'
    """
    parts = [] if conditions.device == CPU else [conditions.device]
    if conditions.threads is not None:
        parts.append(f"{conditions.threads} thread{'s' if conditions.threads > 1 else ''}")
    if conditions.memory_format is not MemoryFormat.CONTIGUOUS:
        parts.append(conditions.memory_format)
    if conditions.compiled:
        parts.append("compiled")
    if conditions.rounds != Conditions().rounds:
        parts.append(f"{conditions.rounds} rounds")
    return " · ".join(parts)
