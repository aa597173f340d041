"""FootKey: what the foot of the screen says of a key; it stands beside the widget that binds it."""

from __future__ import annotations

from typing import NamedTuple


class FootKey(NamedTuple):
    """One entry of the line at the foot of the screen.

    Attributes:
        words: what the keys do, in a word or two.
        bindings: the ids of the bindings; of a key that has none ("tab"), the key itself.
    """

    words: str
    bindings: tuple[str, ...]


class ShownKey(NamedTuple):
    """A FootKey whose keys do work where the focus is.

    Attributes:
        words: what the keys do.
        keys: as textual names them, in their order.
        labels: as people write them.
    """

    words: str
    keys: tuple[str, ...]
    labels: tuple[str, ...]

    @property
    def text(self) -> str:
        """[ ] channel."""
        return f"{' '.join(self.labels)} {self.words}"
