"""unreached(graph): the parts of a module with convolutions that a run on the example did not come by."""

from __future__ import annotations

from collections.abc import Iterator

from torch import nn

from tui.modules.found import LeftAlone
from tui.modules.run.graph import Graph

REASON = "it did not run on the example: give one that reaches it, or fuse it by itself"


def unreached(graph: Graph) -> Iterator[LeftAlone]:
    """The outermost of them: of which nothing ran, and no parameter was read by another's forward."""
    read = {id(node.tensor) for call in graph.calls for node in call.inputs if node.constant}
    used = {module for module in graph.module.modules() if _is_used(module, graph, read)}
    yield from _unused(graph.module, "", used)


def _is_used(module: nn.Module, graph: Graph, read: set[int]) -> bool:
    return module in graph.runs_of or any(id(each) in read for each in module.parameters(recurse=False))


def _unused(module: nn.Module, path: str, used: set[nn.Module]) -> Iterator[LeftAlone]:
    for name, child in module.named_children():
        inner = f"{path}.{name}" if path else name
        if any(each in used for each in child.modules()):
            yield from _unused(child, inner, used)
        elif any(isinstance(each, nn.Conv2d) for each in child.modules()):
            yield LeftAlone(inner, REASON)
