"""fold_norms(model, example): a copy of a model whose batch norms are folded, and nothing else is fused."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves, tree_map_only

from tui.fusion.kernel import FusionError, Kernel, fold_batch_norm
from tui.modules.run.copying import copied
from tui.modules.run.graph import Graph, Node
from tui.modules.run.recording import record
from tui.modules.run.running import arguments_of, run_on, same_random_numbers
from tui.modules.whole.replacing import Parents

_AGREEMENT = 0.01
"""Of the largest number of an output: how far rounding may take the copy, in 16 bit at most."""


def fold_norms(model: nn.Module, example: Any) -> nn.Module:
    """A copy of the model in which each convolution has the batch norm behind it folded in.

    The norm becomes nn.Identity. One that does not stand alone behind its convolution, or runs twice, stays.
    The copy is run once on the example, and held against the model; the model stays as it is.

    >>> model = nn.Sequential(nn.Conv2d(3, 8, 3, bias=False), nn.BatchNorm2d(8), nn.ReLU()).eval()
    >>> fold_norms(model, torch.randn(1, 3, 8, 8))
    Sequential(
      (0): Conv2d(3, 8, kernel_size=(3, 3), stride=(1, 1))
      (1): Identity()
      (2): ReLU()
    )

    Raises:
        FusionError: the model cannot be copied, or does not do without its norms.
        RunError: its forward fails.
    """
    twin = copied(model)
    with same_random_numbers():
        graph = run_on(record, twin, example)
    parents = Parents(twin)
    for conv, norm in _pairs(graph):
        try:
            folded = _folded(conv, norm)
        except FusionError:  # it has no statistics of its own to be folded
            continue
        parents.replace(conv, folded)
        parents.replace(norm, nn.Identity())
    _refuse_other_outputs(twin, graph, arguments_of(example))
    return twin


def _pairs(graph: Graph) -> Iterator[tuple[nn.Conv2d, nn.BatchNorm2d]]:
    """Each convolution whose only reader is a batch norm, if both run once."""
    runs = Counter(id(call.module) for call in graph.calls if call.module is not None)
    for call in graph.calls:
        norm, source = call.module, next(call.inputs, None)
        if type(norm) is not nn.BatchNorm2d or source is None or source.call is None:
            continue
        conv = source.call.module
        alone = len(source.users) == 1 and not source.escapes
        if type(conv) is nn.Conv2d and alone and runs[id(conv)] == runs[id(norm)] == 1:
            yield conv, norm


def _folded(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> nn.Conv2d:
    """Both as one convolution, folded in float64 and rounded once to the convolution's dtype.

    Raises:
        FusionError: the norm is in train mode, or keeps no statistics.
    """
    kernel = fold_batch_norm(Kernel(conv.weight, conv.bias), norm).to(conv.weight.dtype)
    folded = copy.copy(conv)
    folded._parameters = {
        "weight": nn.Parameter(kernel.weight, requires_grad=False),
        "bias": None if kernel.bias is None else nn.Parameter(kernel.bias, requires_grad=False),
    }
    return folded


@torch.no_grad()
def _refuse_other_outputs(twin: nn.Module, graph: Graph, arguments: tuple[Any, ...]) -> None:
    """That the copy gives what the model gave, but for rounding.

    Raises:
        FusionError: it does not, or cannot be run.
    """
    try:
        with same_random_numbers():
            given = tree_leaves(twin(*tree_map_only(Tensor, torch.clone, arguments)))
    except Exception as error:  # whatever their forward ends in that looks at its norms
        raise FusionError(f"the model does not run without its norms: {error}") from error
    right_ones = tree_leaves(graph.whole.outputs)
    if len(given) != len(right_ones):
        raise FusionError("the model gives another number of things with its norms folded")
    for one, node in zip(given, right_ones, strict=True):
        if isinstance(one, Tensor) and isinstance(node, Node) and one.is_floating_point() and one.numel():
            right = node.value.double()
            if not bool((one.double() - right).abs().max() <= _AGREEMENT * right.abs().max()):
                raise FusionError("the model gives something else with its norms folded")
