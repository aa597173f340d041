"""Where a fused convolution is put: a module's place, a convolution's with its norm, or into a forward."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from torch import nn

from tui.fusion.kernel import FusionError
from tui.modules.found import FoundBlock
from tui.modules.run.graph import Call, Graph, ModuleCall


@dataclass(frozen=True, eq=False)
class Place:
    """Modules of which the first is replaced by the fused convolution, the others by what does nothing.

    Attributes:
        modules: none where the block is only a part of a forward, which is rewritten.
        how: in words.
    """

    modules: tuple[nn.Module, ...]
    how: str


def place_of(found: FoundBlock, graph: Graph, blocks: Iterable[FoundBlock]) -> Place:
    """Where the convolution of that block goes.

    Raises:
        FusionError: its modules run elsewhere too, so that they cannot be replaced.
    """
    whole = whole_run(found, graph)
    if whole is not None:
        every = {(each.region.source, each.region.sink) for each in blocks}
        if all((run.source, run.outputs) in every for run in graph.runs_of[whole.module]):
            return Place((whole.module,), "the module")
        raise FusionError("its module runs more than once, and not always as a whole")
    modules = _modules_in_a_row(found)
    if modules is None:
        _refuse_second_run(found, graph)
        return Place((), "a part of the forward")
    for module in modules:
        if len(graph.runs_of[module]) > 1:
            raise FusionError(f"{type(module).__name__} runs more than once, and cannot be replaced")
    return Place(modules, "convolution and what follows it")


def whole_run(found: FoundBlock, graph: Graph) -> ModuleCall | None:
    """The outermost module that does nothing but the block."""
    return graph.outermost.get((found.region.source, found.region.sink))


def _modules_in_a_row(found: FoundBlock) -> tuple[nn.Module, ...] | None:
    """The convolutions and norms of a single branch that consists of nothing else."""
    modules = tuple(call.module for call in found.region.calls)
    single = len(found.block64.branches) == 1 and found.block64.post_norm is None
    known = tuple(module for module in modules if module is not None)
    if not single or len(known) < len(modules) or len(set(map(id, known))) < len(known):
        return None
    return known if isinstance(known[0], nn.Conv2d) else None


def owner_run(found: FoundBlock, graph: Graph) -> ModuleCall:
    """The run of the module in whose forward the block is."""
    first, last = found.region.calls[0], found.region.calls[-1]
    runs = (run for run in graph.runs_at.get(found.owner, ()) if run.holds(first) and run.holds(last))
    return max(runs, key=lambda run: run.first, default=graph.whole)


def _refuse_second_run(found: FoundBlock, graph: Graph) -> None:
    run = owner_run(found, graph)
    count = len(graph.runs_of[run.module])
    if count > 1:
        raise FusionError(
            f"{run.path or 'the module'} runs {count} times, and its forward cannot be rewritten"
        )


def readers_beside(graph: Graph, blocks: Iterable[FoundBlock]) -> dict[int, list[Call]]:
    """Of each parameter and buffer that operators outside of the blocks read, by its id, those.

    Without those that two modules hold, of which the other may be the one that reads.
    """
    inside = {call for each in blocks for call in each.region.calls}
    read: dict[int, list[Call]] = {}
    for call in graph.calls:
        for node in call.inputs if call.module is None and call not in inside else ():
            if node.name:
                read.setdefault(id(node.tensor), []).append(call)
    held = (graph.module.named_parameters, graph.module.named_buffers) if read else ()
    count = Counter(id(tensor) for named in held for _, tensor in named(remove_duplicate=False))
    return {tensor: calls for tensor, calls in read.items() if count[tensor] == 1}


def refuse_read_beside(place: Place, graph: Graph, readers: Mapping[int, Sequence[Call]]) -> None:
    """What is replaced holds other numbers afterwards, or none.

    Raises:
        FusionError: they are read elsewhere too than in its own forward.
    """
    for module in place.modules if readers else ():
        path = graph.runs_of[module][0].path
        for name, tensor in (*module.named_parameters(), *module.named_buffers()):
            for call in readers.get(id(tensor), ()):
                if path and call.path != path and not call.path.startswith(f"{path}."):
                    where = call.path or "forward"
                    raise FusionError(f"its {name} is read elsewhere too: {call.operator} in {where}")


class Parents:
    """Where a model holds each of its modules, to put others there."""

    def __init__(self, root: nn.Module) -> None:
        self._held: dict[nn.Module, list[tuple[nn.Module, str]]] = {}
        self._replaced: set[nn.Module] = set()
        for parent in root.modules():
            for name, child in parent._modules.items():
                if child is not None:
                    self._held.setdefault(child, []).append((parent, name))

    def replace(self, old: nn.Module, new: nn.Module) -> None:
        """Put a module wherever the model held that one."""
        self._replaced.add(old)
        for parent, name in self._held.get(old, ()):
            parent._modules[name] = new

    def restore(self) -> None:
        """Put each of its own back."""
        for module in self._replaced:
            for parent, name in self._held.get(module, ()):
                parent._modules[name] = module
        self._replaced.clear()


def by_owner(blocks: Sequence[FoundBlock], graph: Graph) -> Iterator[tuple[ModuleCall, list[FoundBlock]]]:
    """The blocks of each forward that is to be rewritten, the innermost first."""
    owners: dict[int, tuple[ModuleCall, list[FoundBlock]]] = {}
    for found in blocks:
        run = owner_run(found, graph)
        owners.setdefault(id(run), (run, []))[1].append(found)
    yield from sorted(owners.values(), key=lambda each: -each[0].first)
