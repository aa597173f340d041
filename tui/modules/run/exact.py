"""Exact: parts of a recorded run again, in float64, by the operators that the module itself used."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils._pytree import tree_map

from tui.modules.run.graph import Call, Graph, Node, with_nodes
from tui.modules.run.groups import convolved


class Exact:
    """What a run computes from parameters alone, and what any part of it makes of an image, in float64."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._constants: dict[Node, Tensor] = {}
        self._wide: dict[int, tuple[Tensor, Tensor]] = {}

    def wide(self, tensor: Tensor) -> Tensor:
        """A tensor of the module's in float64, made once."""
        if not tensor.is_floating_point():
            return tensor
        known = self._wide.get(id(tensor))
        if known is None:
            known = self._wide[id(tensor)] = tensor, tensor.detach().double()
        return known[1]

    def constant(self, node: Node) -> Tensor:
        """What a node holds that depends on no input: from the parameters on in float64.

        A weight that the forward makes is so rounded once, where it is used, and not at every step.
        """
        if node not in self._constants:
            self._constants[node] = self._made(node)
        return self._constants[node]

    def _made(self, node: Node) -> Tensor:
        own = node.value.detach()
        if node.kept is None and node.call is None:
            return self.wide(node.tensor)
        if not own.is_floating_point():
            return own
        if node.call is None or not all(each.constant for each in node.call.inputs):
            return own.double()
        try:
            made = self.outputs_of(node.call, self.constant)[node.output]
        except (RuntimeError, TypeError, NotImplementedError):  # an operator that has no float64
            return own.double()
        return made if made.shape == own.shape else own.double()

    def outputs_of(self, call: Call, value: Callable[[Node], Tensor]) -> list[Tensor]:
        """What the call gives for these values of its inputs."""
        with torch.no_grad():
            return self._outputs_of(call, value)

    def _outputs_of(self, call: Call, value: Callable[[Node], Tensor]) -> list[Tensor]:
        if call.module is not None:
            image, *others = (*call.args, *call.kwargs.values())
            if others or not isinstance(image, Node):
                raise TypeError(f"{call.path} was given something else than one image")
            return [self._whole(call.module, value(image))]
        if call.pieces is not None:
            return [_written_into(call, value)]
        values: dict[Node, Tensor] = {node: value(node) for node in call.inputs}
        if call.writes is not None:
            values[call.writes] = values[call.writes].clone()
        args = with_nodes(values.__getitem__, call.args)
        kwargs = call.kwargs and tree_map(_widened, with_nodes(values.__getitem__, call.kwargs))
        result = call.function(*args, **kwargs)
        every = [result] if isinstance(result, Tensor) else result
        return [each for each in every if isinstance(each, Tensor)]

    def _whole(self, module: nn.Module, x: Tensor) -> Tensor:
        """What a convolution or a batch norm gives, with its numbers in float64."""
        if isinstance(module, nn.Conv2d) and "_conv_forward" not in vars(module):
            bias = None if module.bias is None else self.wide(module.bias)
            return convolved(module, x, self.wide(module.weight), bias)
        if isinstance(module, nn.BatchNorm2d) and not module.training and module.running_var is not None:
            numbers = (module.running_mean, module.running_var, module.weight, module.bias)
            mean, var, weight, bias = (None if each is None else self.wide(each) for each in numbers)
            return functional.batch_norm(x, mean, var, weight, bias, eps=module.eps)
        twin = copy.copy(module)
        for kind in ("_parameters", "_buffers"):
            tensors = getattr(module, kind).items()
            twin.__dict__[kind] = {
                name: self.wide(each) if isinstance(each, Tensor) else each for name, each in tensors
            }
        for kind in ("_forward_hooks", "_forward_pre_hooks"):
            twin.__dict__[kind] = {}
        y: Tensor = twin(x)
        return y


def _widened(argument: Any) -> Any:
    is_dtype = isinstance(argument, torch.dtype) and argument.is_floating_point
    return torch.float64 if is_dtype else argument


def _written_into(call: Call, value: Callable[[Node], Tensor]) -> Tensor:
    if not call.pieces:
        raise NotImplementedError("numbers that were written over through another view")
    image: Tensor = value(call.args[0]).clone()
    part: Tensor = value(call.args[1])
    window = image
    for dim, start, stop in call.pieces:
        window = window.narrow(dim, start, stop - start)
    window.copy_(part.reshape(window.shape) if part.numel() == window.numel() else part)
    return image
