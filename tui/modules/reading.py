"""names_read(found, state): which tensors of a module's state_dict a block stands in the place of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from torch import Tensor, nn

from tui.modules.found import FoundBlock
from tui.modules.run.graph import Call, Node


def names_read(found: FoundBlock, state: Mapping[str, Tensor]) -> tuple[str, ...]:
    """The names of every tensor that the block reads, in the state_dict's order; a shared one's each.

    `state`: the tensors of the module in which it was found, as `tensors_of` gives them. Of a block by its
    response that is all there is.
    """
    if not found.region.calls:
        return tuple(state)
    read = {id(tensor) for tensor in _read_by(found)}
    named = {name for node in _nodes_of(found.region.calls) if (name := node.name)}
    read |= {id(tensor) for name, tensor in state.items() if name in named}
    return tuple(name for name, tensor in state.items() if id(tensor) in read)


def tensors_of(module: nn.Module) -> dict[str, Tensor]:
    """Its state_dict, each tensor itself, without what is none."""
    return {
        name: each for name, each in module.state_dict(keep_vars=True).items() if isinstance(each, Tensor)
    }


def _read_by(found: FoundBlock) -> Iterator[Tensor]:
    """The tensors of what ran as a whole: a convolution, a batch norm."""
    for call in found.region.calls:
        if call.module is not None:
            yield from call.module.parameters()
            yield from call.module.buffers()


def _nodes_of(calls: tuple[Call, ...]) -> set[Node]:
    """What they read, and of what is computed of parameters alone, what that was computed of."""
    seen: set[Node] = set()
    waiting = [node for call in calls for node in call.inputs]
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        if node.constant and node.call is not None:
            waiting += node.call.inputs
    return seen
