"""work_of(module, x): what one run of a module has to do, found out from the shapes: nothing is computed.

The module runs once on torch's meta device, where a tensor has a shape and no numbers, and each operation
that it comes to is counted: so every kind of layer is, and every model.
"""

from __future__ import annotations

import copy
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

from tui.analysis.numerics.misread import is_misread, sees_nothing
from tui.analysis.speed.arithmetic import FLOPS_PER_MAC, Work
from tui.fusion.operator_mode import OperatorMode

_CONVOLUTION = torch.ops.aten.convolution.default
_OVERWRITING = ("copy_", "fill_", "zero_")
"""Operations in place that do not read what they write over."""
_FREE = ("_unsafe_view",)
"""Another view of what is there, whose schema does not say so."""
_NORM = "native_batch_norm"
"""It has the statistics of its batch as results, which in eval mode are empty, but not on the meta device."""


@dataclass(frozen=True, slots=True)
class Shapes:
    """What the shapes tell of a run.

    Attributes:
        work: what it has to do.
        bytes: the most memory that its results take at once, what a convolution needs beside them counted.
        is_misread: whether oneDNN would misread one of its convolutions if the dtype has 16 bits.
    """

    work: Work
    bytes: int
    is_misread: bool


def shapes_of(module: nn.Module, x: Tensor) -> Shapes:
    """What a run of the module on (batch, channels, H, W) takes; neither is touched.

    Somebody's module may look at its numbers, and then runs with them once.

    Raises:
        RuntimeError: the module cannot be run.
    """
    tensors = [*module.parameters(), *module.buffers()]
    memo: dict[int, Any] = {id(tensor): _without_numbers(tensor) for tensor in tensors}
    try:
        counting = _counted(copy.deepcopy(module, memo), _without_numbers(x))
    except Exception:  # whatever their code ends in where there is nothing to look at
        counting = _counted(module, x)
    params = sum(parameter.numel() for parameter in module.parameters())
    read, written = counting.bytes_read, counting.bytes_written
    work = Work(params, counting.flops // FLOPS_PER_MAC, read, written, counting.operations)
    return Shapes(work, counting.live.most + counting.most_beside, counting.is_misread)


def _counted(module: nn.Module, x: Tensor) -> _Counting:
    counting = _Counting()
    with torch.no_grad(), counting:
        module(x)
    return counting


def work_of(module: nn.Module, x: Tensor) -> Work:
    """What one run of the module has to do."""
    return shapes_of(module, x).work


def bytes_of_parameters(module: nn.Module) -> int:
    """Bytes of all its parameters and buffers."""
    return sum(map(_bytes, chain(module.parameters(), module.buffers())))


def _without_numbers(tensor: Tensor) -> Tensor:
    bare = torch.empty_like(tensor, device="meta")
    return nn.Parameter(bare, requires_grad=False) if isinstance(tensor, nn.Parameter) else bare


@dataclass(slots=True)
class _Live:
    """Bytes of the results that somebody still holds, and the most that they were."""

    now: int = 0
    most: int = 0

    def hold(self, tensor: Tensor) -> None:
        size = _bytes(tensor)
        self.now += size
        self.most = max(self.most, self.now)
        weakref.finalize(tensor, self._let_go, size)

    def _let_go(self, size: int) -> None:
        self.now -= size


@dataclass
class _Counts:
    bytes_read: int = 0
    bytes_written: int = 0
    flops: int = 0
    operations: int = 0
    most_beside: int = 0
    is_misread: bool = False
    live: _Live = field(default_factory=_Live)


class _Counting(OperatorMode, _Counts):
    """Inside `with`, counts what runs: each operation reads what it is given and writes its result, once."""

    def __init__(self) -> None:
        OperatorMode.__init__(self)
        _Counts.__init__(self)

    def __torch_dispatch__(
        self,
        func: Any,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Run it, and count it where it is more than another view of what is there."""
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        name = func._overloadpacket.__name__
        given, made = _tensors((args, kwargs)), _tensors(result)
        aliases = [each.alias_info for each in func._schema.returns]
        in_place = any(alias is not None and alias.is_write for alias in aliases)
        is_view = name in _FREE or (not in_place and any(alias is not None for alias in aliases))
        if is_view or not given:
            return result
        made = made[:1] if name == _NORM else made
        self.operations += 1
        self.bytes_read += sum(map(_bytes, given[1:] if in_place and name in _OVERWRITING else given))
        self.bytes_written += sum(map(_bytes, made))
        if func._overloadpacket in flop_registry:
            self.flops += flop_registry[func._overloadpacket](*args, **kwargs, out_val=result)
        if not in_place:
            for tensor in made:
                self.live.hold(tensor)
        if func is _CONVOLUTION:
            self._see_convolution(args, result)
        return result

    def _see_convolution(self, args: tuple[Any, ...], y: Tensor) -> None:
        """What a convolution needs beside its result: copies in another order, or the unfolded image."""
        x, weight, stride, padding, dilation = args[0], args[1], args[3], args[4], args[5]
        unfolded = len(y) * weight[0].numel() * y.shape[2] * y.shape[3] * y.element_size()
        copies = _bytes(x) + _bytes(weight) + _bytes(y)
        self.most_beside = max(self.most_beside, unfolded if y.dtype is torch.float64 else copies)
        columns, width = weight.shape[1], weight.shape[3]
        padded = ((pixels, pixels) for pixels in padding)
        sides = zip(x.shape[2:], weight.shape[2:], stride, dilation, padded, strict=True)
        misread = is_misread(columns, width, stride[-1], y.shape[3]) or sees_nothing(sides)
        self.is_misread = self.is_misread or misread


def _tensors(nested: Any) -> list[Tensor]:
    return [each for each in tree_leaves(nested) if isinstance(each, Tensor)]


def _bytes(tensor: Tensor) -> int:
    """What it takes in memory, where one number may stand for many."""
    return min(tensor.numel() * tensor.element_size(), tensor.untyped_storage().nbytes())
