"""A one-line input for numbers and sizes, which leaves every other key to the screen."""

from __future__ import annotations

from textual.events import Key
from textual.widgets import Input


class ValueInput(Input):
    """Takes digits and what stands between two of them ("3x5"); "q", "?" and the like keep their meaning."""

    ACCEPTED = frozenset("0123456789x×, ")

    def __init__(self, value: str, *, id: str) -> None:
        super().__init__(value, id=id, compact=True, select_on_focus=True)

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Whether the key is typed here, instead of being a binding of the screen."""
        return super().check_consume_key(key, character) and character in self.ACCEPTED

    async def _on_key(self, event: Key) -> None:
        """Keep a key that is not typed here from Input's own handler, which would take it."""
        if event.is_printable and event.character not in self.ACCEPTED:
            event.prevent_default()
