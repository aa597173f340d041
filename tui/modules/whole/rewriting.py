"""A module's forward with convolutions in the place of its blocks, as a torch.fx.GraphModule."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.utils._pytree import tree_leaves, tree_map_only

from tui.fusion.kernel import FusionError
from tui.fusion.quoting import with_article
from tui.modules.found import FoundBlock
from tui.modules.linear.naming import Names
from tui.modules.run.graph import Call, Graph, ModuleCall, Node, with_nodes
from tui.modules.run.undisturbed import storage_of


def rewritten(
    run: ModuleCall, graph: Graph, own: Sequence[FoundBlock], convs: Mapping[FoundBlock, nn.Conv2d]
) -> fx.GraphModule:
    """The module of that run, with the same arguments and results, and its children as they are.

    Args:
        own: the blocks in its forward; children that they reach into are written out in it.
        convs: the convolution of each block of the model that is a part of a forward.

    Raises:
        FusionError: its forward cannot be written as a graph.
    """
    return _Writer(run, graph, own, convs).module()


class _Writer:
    """Writes the graph, call by call, in the order of the run."""

    def __init__(
        self,
        run: ModuleCall,
        graph: Graph,
        own: Sequence[FoundBlock],
        convs: Mapping[FoundBlock, nn.Conv2d],
    ) -> None:
        self._run = run
        self._recorded = graph
        self._own = {call for found in own for call in found.region.calls}
        self._blocks = {
            call: found for found in convs if run.holds(found.region.calls[0]) for call in found.region.calls
        }
        self._convs = convs
        self._graph = fx.Graph()
        self._made: dict[Node, fx.Node] = {}
        self._root = nn.Module()
        self._names = Names({"forward", *(name for name, _ in run.module.named_children())})
        for name, child in run.module.named_children():
            self._root.add_module(name, child)
        for name, tensor in (
            *run.module.named_parameters(recurse=False),
            *run.module.named_buffers(recurse=False),
        ):
            self._hold(name, tensor)

    def module(self) -> fx.GraphModule:
        """What was written."""
        self._take_arguments()
        self._write(self._run)
        self._graph.output(tree_map_only(Node, self._value, self._run.outputs))
        module = fx.GraphModule(self._root, self._graph, type(self._run.module).__name__)
        for name, value in vars(self._run.module).items():  # what others may ask it for, as its stride
            if not name.startswith("_") and not hasattr(module, name):
                setattr(module, name, value)
        return module.eval()

    def _take_arguments(self) -> None:
        run = self._run
        signature = inspect.signature(run.module.forward)
        try:
            bound = signature.bind(*run.args, **run.kwargs).arguments
        except TypeError as error:
            raise FusionError(f"its arguments are not those of its forward: {error}") from error
        for name, parameter in signature.parameters.items():
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                if bound.get(name):
                    raise FusionError("its forward takes any number of arguments")
                continue
            given = bound.get(name, parameter.default)
            default = () if parameter.default is parameter.empty else (parameter.default,)
            made = self._graph.placeholder(name, default_value=default[0]) if default else None
            made = self._graph.placeholder(name) if made is None else made
            if isinstance(given, Node):
                self._made[given] = made
            elif any(isinstance(leaf, Node) for leaf in tree_leaves(given)):
                raise FusionError("its forward takes a list of images")

    def _write(self, run: ModuleCall) -> None:
        """The calls of that run, and the runs in it."""
        place = run.first
        for child in self._recorded.runs_in.get(run, ()):
            self._write_calls(place, child.first)
            self._write_child(child)
            place = child.last
        self._write_calls(place, run.last)

    def _write_child(self, child: ModuleCall) -> None:
        calls = self._recorded.calls[child.first : child.last]
        moving = [call for call in calls if not all(node.constant for node in call.outputs)]
        inside = [call for call in moving if call in self._own]
        if inside:
            if child.last - child.first == 1 and child.module is calls[0].module:
                self._write_calls(child.first, child.last)
            else:
                self._write(child)
        elif moving:
            self._write_module(child)

    def _write_module(self, child: ModuleCall) -> None:
        prefix = f"{self._run.path}." if self._run.path else ""
        target = child.path.removeprefix(prefix)
        if not child.path.startswith(prefix) or not _holds(self._root, target):
            target = self._names.unlike("other", "_")
            self._root.add_module(target, child.module)
        args, kwargs = (with_nodes(self._value, each) for each in (child.args, child.kwargs))
        made = self._graph.call_module(target, args, kwargs)
        outputs = child.outputs
        if isinstance(outputs, Node):
            self._made[outputs] = made
        elif isinstance(outputs, (tuple, list)) and all(isinstance(each, Node) for each in outputs):
            for place, node in enumerate(outputs):
                self._made[node] = self._graph.call_function(_item, (made, place))
        else:
            raise FusionError(
                f"{child.path} gives {with_article(type(outputs).__name__)}, which no graph can hold"
            )

    def _write_calls(self, first: int, last: int) -> None:
        for call in self._recorded.calls[first:last]:
            found = self._blocks.get(call)
            if found is not None:
                if call is found.region.calls[-1]:
                    self._write_block(found)
            elif call.pieces is not None:
                self._written_over(call)
            elif not all(node.constant for node in call.outputs) or not call.outputs:
                self._write_call(call)
            elif call.writes is not None:
                self._refuse_own_state(call.writes)

    def _write_block(self, found: FoundBlock) -> None:
        name = self._names.unlike("fused", "_")
        self._root.add_module(name, self._convs[found])
        source = self._value(found.region.source)
        self._made[found.region.sink] = self._graph.call_module(name, (source,))

    def _refuse_own_state(self, written: Node) -> None:
        """What a forward makes of its own numbers alone is written here as it was seen, and not made again.

        Raises:
            FusionError: that is kept in the module for the next run.
        """
        module = self._recorded.module
        for name, tensor in (*module.named_parameters(), *module.named_buffers()):
            if storage_of(tensor) == storage_of(written.tensor):
                raise FusionError(f"its forward writes over {name}, as one that counts its runs does")

    def _written_over(self, call: Call) -> None:
        """What shows numbers that were written over shows the new ones: it is the same tensor."""
        if call.writes in self._made:
            self._made[call.outputs[0]] = self._made[call.writes]

    def _write_call(self, call: Call) -> None:
        if not any(node in self._made for node in call.inputs) and not call.outputs:
            return
        if call.function is None:
            raise FusionError(f"{call.path} runs outside of its own module")
        args, kwargs = (with_nodes(self._value, each) for each in (call.args, call.kwargs))
        if call.operator.startswith("upsample") and len(args) > 1 and args[1] is not None:
            args = (args[0], self._size_like(call), *args[2:])
        made = self._graph.call_function(call.function, args, kwargs)
        if len(call.outputs) == 1 and len(call.function._schema.returns) == 1:
            self._made[call.outputs[0]] = made
            return
        for node in call.outputs:
            self._made[node] = self._graph.call_function(_item, (made, node.output))

    def _size_like(self, call: Call) -> list[Any]:
        """The size to which it resizes, as that of the image at hand that has it, which was made last."""
        size = list(call.args[1])
        alike = (
            node for node in reversed(self._made) if node.is_image and list(node.tensor.shape[2:]) == size
        )
        image = next(alike, None)
        if image is None:
            return size
        size_of = torch.ops.aten.sym_size.int
        return [self._graph.call_function(size_of, (self._made[image], dim)) for dim in (2, 3)]

    def _value(self, node: Node) -> fx.Node:
        if node not in self._made:
            if not node.constant:
                raise FusionError("its forward reads an image that it is not given")
            self._made[node] = self._constant(node)
        return self._made[node]

    def _constant(self, node: Node) -> fx.Node:
        """A parameter by its name, what was computed as a number of the module's."""
        prefix = f"{self._run.path}." if self._run.path else ""
        name = node.name.removeprefix(prefix)
        if not node.name.startswith(prefix) or not name or not _holds(self._root, name):
            name = self._names.unlike("constant", "_")
            self._hold(name, node.value)
        made = self._graph.get_attr(name)
        written = any(call.writes is node for call in node.users)
        return self._graph.call_function(torch.clone, (made,)) if written and not node.name else made

    def _hold(self, name: str, tensor: Tensor) -> None:
        self._names.unlike(name, "_")
        if isinstance(tensor, nn.Parameter):
            self._root.register_parameter(name, tensor)
        else:
            self._root.register_buffer(name, tensor)


def _item(values: Any, place: int) -> Any:
    return values[place]


def _holds(root: nn.Module, path: str) -> bool:
    """Whether the root has something of that name, at whatever depth."""
    here: Any = root
    for part in path.split("."):
        if not hasattr(here, part):
            return False
        here = getattr(here, part)
    return bool(path)
