"""copied(model): a copy of somebody's module that shares no tensor with it."""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any, cast

import torch
from torch import Tensor, nn

from tui.fusion.kernel import FusionError
from tui.modules.run.running import failure

_SHARED = frozenset((type(None), bool, int, float, str))
"""What Python's copy of is itself."""

_DTYPES = frozenset((torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64))

_DICTIONARIES = (dict, OrderedDict)


def copied(model: nn.Module) -> nn.Module:
    """A copy that shares no tensor with the model, the same as copy.deepcopy gives.

    A tensor that was computed with gradients, as torch.nn.utils.weight_norm and prune leave one beside the
    parameters, is copied by its numbers: Python does not copy how it was computed.

    Raises:
        FusionError: Python cannot copy it.
    """
    computed = {id(each): each.detach().clone() for each in _plain_tensors(model) if not each.is_leaf}
    try:
        return cast("nn.Module", _Copying(dict[Any, Any](computed)).of_module(model))
    except Exception as error:  # whatever their __deepcopy__ and __reduce__ raise
        way = "fuse its parts, each by tui.fuse"
        raise FusionError(f"the model cannot be copied ({failure(error)}); {way}") from error


def _plain_tensors(model: nn.Module) -> Iterator[Tensor]:
    """Attributes that are tensors, and neither parameters nor buffers."""
    for module in model.modules():
        yield from (value for value in vars(module).values() if isinstance(value, Tensor))


class _Copying:
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
        plain: Any = module
        given = plain.__getstate__() if _is_plain(module) else None
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
