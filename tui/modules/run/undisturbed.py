"""undisturbed(module): a run after which the module's parameters and buffers are what they were before it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from tui.fusion.operator_mode import OperatorMode


@contextmanager
def undisturbed(module: nn.Module) -> Iterator[None]:
    """Where the module can be run, without gradients; what its forward writes over is given back."""
    keeping = _Keeping(module)
    with torch.no_grad(), statistics_kept(module):
        try:
            with keeping:
                yield
        finally:
            keeping.restore()


@contextmanager
def given_back(module: nn.Module, numbers: Mapping[str, Tensor]) -> Iterator[None]:
    """As `undisturbed`, where there are copies of its parameters and buffers, by their names.

    No operator is watched; each tensor of which there is a copy is held against it afterwards.
    """
    own = {name: tensor for name, tensor in parameters_and_buffers(module).items() if name in numbers}
    with torch.no_grad():
        try:
            yield
        finally:
            for name, tensor in own.items():
                if not torch.equal(tensor, numbers[name]):
                    tensor.detach().copy_(numbers[name])


def parameters_and_buffers(module: nn.Module) -> dict[str, Tensor]:
    """Its parameters and buffers by their names, each once."""
    return {**dict(module.named_parameters()), **dict(module.named_buffers())}


@contextmanager
def statistics_kept(module: nn.Module) -> Iterator[None]:
    """What batch norms in train mode follow stays as it is: their operator does not say that it writes."""
    norms = [each for each in module.modules() if isinstance(each, nn.modules.batchnorm._NormBase)]
    kept = [
        (buffer, buffer.clone()) for norm in norms if norm.training for buffer in norm.buffers(recurse=False)
    ]
    try:
        yield
    finally:
        for buffer, values in kept:
            buffer.copy_(values)


class _Keeping(OperatorMode):
    """Copies what is about to be written over, where it is the module's."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self._own: dict[int, list[Tensor]] = {}
        for tensor in (*module.parameters(), *module.buffers()):
            self._own.setdefault(storage_of(tensor), []).append(tensor)
        self._kept: list[tuple[Tensor, Tensor]] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run the operator."""
        kwargs = kwargs or {}
        for tensor in written_by(func, args, kwargs):
            for own in self._own.pop(storage_of(tensor), ()):
                self._kept.append((own, own.detach().clone()))
        return func(*args, **kwargs)

    def restore(self) -> None:
        """Give what was written over back."""
        for tensor, values in self._kept:
            tensor.detach().copy_(values)


def storage_of(tensor: Tensor) -> int:
    """By which two tensors are known that show the same memory; 0 of one that has none."""
    try:
        return int(tensor.untyped_storage()._cdata)
    except (NotImplementedError, RuntimeError):
        return 0


def written_by(func: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> list[Tensor]:
    """The tensors that the operator writes over."""
    schema = func._schema
    if not schema.is_mutable:
        return []
    given = dict(zip((each.name for each in schema.arguments), args, strict=False)) | dict(kwargs)
    wanted = (
        given.get(each.name) for each in schema.arguments if each.alias_info and each.alias_info.is_write
    )
    return [leaf for leaf in tree_leaves(list(wanted)) if isinstance(leaf, Tensor)]
