"""on_example(fused, ...): what a fused copy gives on the example, held against what the model gave."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from math import nan
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves, tree_map_only

from tui.modules.run.graph import Graph, Node
from tui.modules.run.near import near
from tui.modules.run.running import failure, same_random_numbers

_COARSEST = 0.25 / 1e4
"""The largest eps by which results are held against each other: beyond it anything would do."""


@dataclass(frozen=True, slots=True)
class OnExample:
    """What came of a run of a fused copy.

    Attributes:
        why_not: in words, why it does not do what the model did; "" where it does.
        apart: max |fused - given| over the outputs; NaN where it cannot be told.
        largest: max |given|.
    """

    why_not: str
    apart: float = 0.0
    largest: float = 0.0


@torch.no_grad()
def on_example(
    fused: nn.Module,
    arguments: tuple[Any, ...],
    graph: Graph,
    put: Iterable[nn.Module],
    keeping: Callable[[], AbstractContextManager[None]],
) -> OnExample:
    """Run it as the model was run.

    Args:
        graph: that run of the model.
        put: what stands in it in the place of something else.
        keeping: gives what a run writes over back.
    """
    ran: set[nn.Module] = set()
    put = list(put)
    try:
        with same_random_numbers(), keeping(), ExitStack() as stack:
            for module in put:
                stack.callback(module.register_forward_hook(lambda each, *_: ran.add(each)).remove)
            given = fused(*tree_map_only(Tensor, torch.clone, arguments))
            given = tree_map_only(Tensor, torch.clone, given)  # before what it shares is given back
    except Exception as error:  # whatever their forward ends in that asks for what is gone
        return OnExample(_failed(error))
    pairs = _pairs(given, graph.whole.outputs)
    eps = _coarsest(graph)
    if pairs is None or not all(near(one, right, eps) for one, right in pairs):
        return OnExample(_other_way(all(module in ran for module in put)))
    return OnExample("", *_difference(pairs))


def _failed(error: Exception) -> str:
    if isinstance(error, AttributeError):
        return f"the model's forward reads what is inside of it: {failure(error)}"
    return f"the model does not run with a convolution in its place: {failure(error)}"


def _other_way(came_by: bool) -> str:
    if came_by:
        return (
            "the model gives something else with a convolution in its place: its forward reads numbers of "
            "what is inside of it, or makes much of rounding"
        )
    return (
        "the model's forward passes over a convolution in its place, as one that asks for a module's class "
        "does"
    )


def _pairs(given: Any, outputs: Any) -> list[tuple[Tensor, Tensor]] | None:
    """Each tensor, and what the model gave there; None where it gave something of another kind."""
    leaves, right_ones = tree_leaves(given), tree_leaves(outputs)
    if len(leaves) != len(right_ones):
        return None
    made = []
    for one, node in zip(leaves, right_ones, strict=True):
        if isinstance(one, Tensor) is not isinstance(node, Node):
            return None
        if isinstance(node, Node):
            made.append((one, node.value))
    return made


def _coarsest(graph: Graph) -> float | None:
    """Of the dtypes in which anything was computed in that run."""
    dtypes = {node.tensor.dtype for call in graph.calls for node in call.outputs}
    eps = [torch.finfo(dtype).eps for dtype in dtypes if dtype.is_floating_point]
    return min(max(eps), _COARSEST) if eps else None


def _difference(pairs: Iterable[tuple[Tensor, Tensor]]) -> tuple[float, float]:
    """The largest difference, and the largest number; NaN where some are, or there are none."""
    found = [
        torch.stack([(one.double() - other.double()).abs().max(), other.double().abs().max()])
        for one, other in pairs
        if one.is_floating_point() and one.numel()
    ]
    if not found:
        return nan, nan
    apart, largest = torch.stack([each.cpu() for each in found]).amax(dim=0).tolist()  # NaN stays
    return apart, largest
