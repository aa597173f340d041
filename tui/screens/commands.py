"""The command palette's entries, made from the keys that a screen or a widget binds."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from textual.app import SystemCommand
from textual.binding import Binding
from textual.dom import DOMNode
from textual.keys import format_key

KEYS_APART = "  ·  "
"""Between an entry's words and its key."""


def commands_of(owner: DOMNode) -> Iterator[SystemCommand]:
    """An entry for each binding of this node that says what it does, with the first of its keys."""
    for binding in _bindings_of(type(owner)):
        if binding.description and binding.id:
            run = partial(owner.app.run_action, binding.action, owner)
            own = owner.app._keymap.get(binding.id)
            key = format_key(own.split(",")[0]) if own else _shown(binding)
            title = f"{binding.description}{KEYS_APART}{key}"
            yield SystemCommand(title, binding.tooltip or binding.description, run)


def _bindings_of(kind: type[DOMNode]) -> Iterator[Binding]:
    """Its own, then those that it has of classes of this program; textual's are the palette's already."""
    for each in kind.__mro__:
        if each.__module__.startswith("tui."):
            yield from (made for made in vars(each).get("BINDINGS", ()) if isinstance(made, Binding))


def _shown(binding: Binding) -> str:
    return binding.key_display or format_key(binding.key.split(",")[0])
