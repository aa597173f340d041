"""Words that suggest the name which somebody may have meant."""

from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(text: str, names: Iterable[str]) -> str:
    """The text "; did you mean float16?", for the name nearest to the text, "" where none is near."""
    from difflib import get_close_matches  # only a mistake needs it

    near = get_close_matches(text, list(names), n=1)
    return f"; did you mean {near[0]}?" if near else ""
