"""Which keys a foot tells of: those of the place in focus that do work there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from textual.binding import ActiveBinding
from textual.dom import DOMNode
from textual.keys import format_key
from textual.widget import Widget

from tui.widgets.foot_key import FootKey, ShownKey

LABELS = {
    "enter": "enter",
    "escape": "esc",
    "shift+up": "shift+↑",
    "shift+down": "↓",
}
"""Of the keys that the foot calls otherwise than textual."""


def place_of(focused: Widget | None, view: DOMNode) -> DOMNode:
    """The innermost thing around the focus that has words for the foot; else the view in sight."""
    around: Iterable[DOMNode] = () if focused is None else focused.ancestors_with_self
    return next((node for node in around if _foot_keys(node)), view)


def keys_here(place: DOMNode, active: Mapping[str, ActiveBinding]) -> tuple[ShownKey, ...]:
    """The keys of that place which reach it: what a text field takes for itself is left out."""
    return tuple(_shown(_foot_keys(place), active))


def shown(keys: Iterable[FootKey], active: Mapping[str, ActiveBinding]) -> tuple[ShownKey, ...]:
    """Those of these keys that work, without those that a text field takes."""
    return tuple(_shown(keys, active))


def _foot_keys(node: DOMNode) -> tuple[FootKey, ...]:
    """What a class says of itself, or where that differs from place to place in it, the widget.

    A subclass adds nothing to its parent's.
    """
    told: Callable[[], tuple[FootKey, ...]] | None = getattr(node, "foot_keys", None)
    keys: tuple[FootKey, ...] = getattr(node, "FOOT_KEYS", ())
    return keys if told is None else told()


def _shown(foot_keys: Iterable[FootKey], active: Mapping[str, ActiveBinding]) -> Iterator[ShownKey]:
    by_id: dict[str, str] = {}
    for key, bound in active.items():
        by_id.setdefault(bound.binding.id or key, key)
    for foot_key in foot_keys:
        names = foot_key.bindings
        keys = tuple(by_id.get(name, name) for name in names if name in by_id or name in active)
        if len(keys) == len(foot_key.bindings):
            yield ShownKey(foot_key.words, keys, tuple(_label(key, active[key]) for key in keys))


def _label(key: str, bound: ActiveBinding) -> str:
    return bound.binding.key_display or LABELS.get(key) or format_key(key)
