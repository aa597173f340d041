"""Copies of modules: what copy.deepcopy makes, without its way through a dozen dictionaries of each."""

from __future__ import annotations

import copy
from collections import OrderedDict
from typing import Any

import torch
from torch import Tensor, nn

_SHARED = frozenset((type(None), bool, int, float, str))
"""What Python's copy of is itself."""

_DTYPES = frozenset((torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64))

_DICTIONARIES = (dict, OrderedDict)


class Copying:
    """As copy.deepcopy, which spends most of its time on dictionaries of hooks that are empty.

    Modules whose class does not say itself how it is copied are copied attribute by attribute; all else, and
    what is in them that is neither a number, a name nor another such module, by copy.deepcopy.
    """

    def __init__(self, known: dict[Any, Any]) -> None:
        """`known`: copies by the ids of what they are of, as copy.deepcopy keeps them."""
        self._known = known

    def of_module(self, module: nn.Module) -> Any:
        """Its copy, made once."""
        known = self._known.get(id(module))
        if known is not None:
            return known
        return self.of_attributes(module) if _is_plain(module) else copy.deepcopy(module, self._known)

    def of_attributes(self, module: nn.Module) -> Any:
        """Its copy, attribute by attribute, whatever its class says; a `__deepcopy__` may call it."""
        plain: Any = module
        given = plain.__getstate__()
        if type(given) is not dict:
            return copy.deepcopy(module, self._known)
        state = given.copy()
        made: Any = type(module).__new__(type(module))
        self._known[id(module)] = made
        for name, value in state.items():
            if type(value) not in _SHARED:
                state[name] = self._of(value)
        made.__setstate__(state)
        return made

    def _of(self, value: Any) -> Any:
        kind = type(value)
        if kind in _SHARED:
            return value
        if kind in _DICTIONARIES:
            return self._of_dictionary(value)
        if kind is Tensor:
            return self._of_tensor(value)
        if kind is tuple and all(type(each) in _SHARED for each in value):
            return value
        if kind is set and not value and id(value) not in self._known:
            return self._known.setdefault(id(value), set())
        return self.of_module(value) if isinstance(value, nn.Module) else copy.deepcopy(value, self._known)

    def _of_dictionary(self, values: dict[Any, Any]) -> Any:
        known = self._known.get(id(values))
        if known is not None:
            return known
        made = self._known[id(values)] = type(values)()
        for key, value in values.items():
            made[key if type(key) in _SHARED else copy.deepcopy(key, self._known)] = self._of(value)
        return made

    def _of_tensor(self, tensor: Tensor) -> Any:
        """Its copy; of one that shows all of its memory, which other tensors may show too, by its numbers."""
        storages = self._known.setdefault("torch", {})  # where torch keeps copies of memory
        if id(tensor) in self._known or not _is_all_of_its_memory(tensor):
            return copy.deepcopy(tensor, self._known)
        storage = tensor.untyped_storage()
        if storage._cdata in storages:
            return copy.deepcopy(tensor, self._known)
        made = self._known[id(tensor)] = tensor.clone()
        storages[storage._cdata] = made.untyped_storage()
        return made


def _is_all_of_its_memory(tensor: Tensor) -> bool:
    """Whether its numbers, one after the other, are all that there is of it."""
    return (
        tensor.dtype in _DTYPES
        and tensor.layout is torch.strided
        and not tensor.is_meta
        and not tensor.requires_grad
        and not vars(tensor)
        and tensor.is_contiguous()
        and tensor.untyped_storage().nbytes() == tensor.nbytes
    )


def _is_plain(module: nn.Module) -> bool:
    """Whether copy.deepcopy would make one by __new__, and give it a copy of its state."""
    kind = type(module)
    return (
        kind.__reduce_ex__ is object.__reduce_ex__
        and kind.__reduce__ is object.__reduce__
        and kind.__new__ is object.__new__
        and "__deepcopy__" not in vars(module)
        and not any(hasattr(kind, name) for name in ("__deepcopy__", "__getnewargs__", "__getnewargs_ex__"))
    )
