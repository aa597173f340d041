"""The dicts and lists in which a file of torch keeps its tensors: laid flat by name, and built up again."""

from __future__ import annotations

import copy
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeGuard

from tui.checkpoints.contents import Entry

if TYPE_CHECKING:
    import torch

MOST_DEPTH = 64
MOST_VALUES = 500_000
"""Values that are looked at: a file of a few bytes can say a list of lists of lists that has more."""

Keys = tuple[Hashable, ...]


class NestingError(ValueError):
    """The nesting cannot be laid flat; the message says why, as what follows the file's name."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One tensor in the nesting: what it is called when laid flat, and the keys that lead to it."""

    entry: Entry
    keys: Keys
    tensor: torch.Tensor


@dataclass(frozen=True, slots=True)
class Laid:
    """A nesting, laid flat: its tensors by name in its own order, and the names of what holds no tensor."""

    leaves: dict[str, Leaf]
    others: tuple[str, ...]


def laid_flat(root: object) -> Laid:
    """The tensors in dicts, lists and tuples, by their keys joined by dots.

    Raises:
        NestingError: it is nested too deep, or in itself, or there is too much of it.
    """
    walk = _Walk()
    walk.go(root, ())
    return Laid(walk.leaves, tuple(walk.others))


class _Walk:
    def __init__(self) -> None:
        self.leaves: dict[str, Leaf] = {}
        self.others: list[str] = []
        self._left = MOST_VALUES
        self._without: set[int] = set()  # what is known to hold no tensor, while the root keeps it alive

    def go(self, value: object, keys: Keys) -> bool:
        """Take what is there; whether it is a tensor or holds one."""
        self._left -= 1
        if len(keys) > MOST_DEPTH or self._left < 0:
            raise NestingError(
                "is nested too deep, or in itself: it is no checkpoint that a training program wrote"
            )
        if _is_tensor(value):
            self._take(value, keys)
            return True
        if id(value) in self._without:
            self._add_other(keys)
            return False
        before = len(self.others)
        held = [self.go(inner, (*keys, key)) for key, inner in _items(value)]
        if not any(held):
            del self.others[before:]  # a dict without tensors is one thing
            self._add_other(keys)
            self._without.add(id(value))
        return any(held)

    def _add_other(self, keys: Keys) -> None:
        if keys:
            self.others.append(_joined(keys))

    def _take(self, tensor: torch.Tensor, keys: Keys) -> None:
        wrapper = _joined(keys[:-1]) + "." if len(keys) > 1 else ""
        name = wrapper + str(keys[-1]) if keys else "tensor"
        while name in self.leaves:  # {"a": {"b": ...}, "a.b": ...}
            name += "'"
        dtype = str(tensor.dtype).removeprefix("torch.")
        self.leaves[name] = Leaf(Entry(name, tuple(tensor.shape), dtype, wrapper), keys, tensor)


def _is_tensor(value: object) -> TypeGuard[torch.Tensor]:
    import torch  # there is a tensor only where it is imported already

    return isinstance(value, torch.Tensor) and not value.is_nested


def _items(value: object) -> Iterator[tuple[Hashable, object]]:
    if isinstance(value, dict):
        return iter(value.items())
    if isinstance(value, (list, tuple)):
        return iter(enumerate(value))
    return iter(())


def _joined(keys: Keys) -> str:
    return ".".join(map(str, keys))


def built_up(root: object, laid: Laid, tensors: Mapping[str, torch.Tensor]) -> Any:
    """The nesting with these tensors, by their flat names, in their order, in place of its own.

    One that had a name in the nesting keeps its place. A new one goes into the dict whose name its own begins
    with. What is no tensor stays, and so does what a dict carries beside its items (a state_dict's versions).
    """
    placed: dict[Keys, list[tuple[Hashable, torch.Tensor]]] = {}
    wrappers = _wrappers(laid)
    for name, tensor in tensors.items():
        keys = laid.leaves[name].keys if name in laid.leaves else _new_keys(name, wrappers)
        if not keys:
            return tensor
        placed.setdefault(keys[:-1], []).append((keys[-1], tensor))
    return _rebuilt(root, (), placed, _on_the_way(laid, placed))


def _wrappers(laid: Laid) -> dict[str, Keys]:
    """The keys of each dict that holds tensors, by what their names begin with; the longest first."""
    found = {"": ()} | {
        leaf.entry.wrapper: leaf.keys[:-1]
        for leaf in laid.leaves.values()
        if leaf.keys and isinstance(leaf.keys[-1], str)
    }
    return dict(sorted(found.items(), key=lambda each: -len(each[0])))


def _new_keys(name: str, wrappers: Mapping[str, Keys]) -> Keys:
    wrapper = next(each for each in wrappers if name.startswith(each))
    return (*wrappers[wrapper], name.removeprefix(wrapper))


def _on_the_way(laid: Laid, placed: Mapping[Keys, object]) -> set[Keys]:
    """The keys of all that holds a tensor, before or after: the rest stays as it is."""
    ends = {leaf.keys[:-1] for leaf in laid.leaves.values()} | placed.keys()
    return {keys[:count] for keys in ends for count in range(len(keys) + 1)}


def _rebuilt(
    value: object,
    keys: Keys,
    placed: Mapping[Keys, list[tuple[Hashable, torch.Tensor]]],
    on_the_way: set[Keys],
) -> object:
    if keys not in on_the_way:
        return value
    items = [
        (key, None if _is_tensor(inner) else _rebuilt(inner, (*keys, key), placed, on_the_way))
        for key, inner in _items(value)
    ]
    filled = _filled(items, {key for key, inner in _items(value) if _is_tensor(inner)}, placed.get(keys, []))
    if isinstance(value, dict):
        fresh = copy.copy(value)  # an OrderedDict with the attributes that it has
        fresh.clear()
        fresh.update(filled)
        return fresh
    return type(value)(inner for _, inner in filled)  # type: ignore[call-arg]


def _filled(
    items: Sequence[tuple[Hashable, object]],
    tensor_keys: set[Hashable],
    planned: Sequence[tuple[Hashable, torch.Tensor]],
) -> list[tuple[Hashable, object]]:
    """The items with the planned tensors in their order, each old one where it was; the unplanned dropped."""
    waiting = list(planned)
    kept = {key for key, _ in planned}
    filled: list[tuple[Hashable, object]] = []
    given: set[Hashable] = set()
    for key, value in items:
        if key not in tensor_keys:
            filled.append((key, value))
            continue
        if key not in kept:
            continue
        while key not in given:
            filled.append(waiting.pop(0))
            given.add(filled[-1][0])
    return [*filled, *waiting]
