"""HelpLine: what the help says of some keys; it stands beside the widget that binds them."""

from __future__ import annotations

from typing import NamedTuple


class HelpLine(NamedTuple):
    """One line of the help.

    Attributes:
        keys: as people write them.
        words: what they do.
        bindings: the ids of the bindings that it tells of.
    """

    keys: str
    words: str
    bindings: tuple[str, ...] = ()
