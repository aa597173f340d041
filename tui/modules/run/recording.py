"""record(module, example): one run of a module, seen operator by operator, whatever Python its forward is.

torch.export gives such a graph too: of timm's repvgg_a0 in 3.7 s, behind 2.8 s of imports, where this takes
0.6 s, the model's own run of 0.13 s among them. torch.fx takes 0.3 to 1.5 s a model, sees no number, and
refuses a forward that iterates over what it is given. What is seen here has the numbers in it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves, tree_map_only

from tui.fusion.operator_mode import OperatorMode
from tui.modules.run.graph import Call, Graph, ModuleCall, Node
from tui.modules.run.undisturbed import statistics_kept, storage_of, written_by

_OF_SHAPE_ALONE = frozenset(
    f"{made}{like}"
    for made, like in (
        *(("new_", name) for name in ("zeros", "ones", "full", "empty", "empty_strided")),
        *((name, "_like") for name in ("zeros", "ones", "full", "empty")),
    )
)
"""Operators that read the shape of what they are given, and no number in it."""

_OURS = str(Path(__file__).parent)
_TORCH = str(Path(torch.__file__).parent)


def record(module: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any] | None = None) -> Graph:
    """Run the module on these arguments, without gradients, and see what it computes.

    The module and the arguments are afterwards what they were, whatever its forward writes over.

    Raises:
        Exception: whatever its forward raises.
    """
    recorder = _Recorder(module)
    with ExitStack() as stack:
        stack.enter_context(torch.no_grad())
        stack.enter_context(statistics_kept(module))
        stack.callback(recorder.restore)
        stack.enter_context(recorder.watching())
        recorder.give((args, kwargs or {}))
        stack.enter_context(recorder)
        module(*args, **(kwargs or {}))
    return recorder.graph()


def _is_whole(module: nn.Module) -> bool:
    """Whether it is one of torch's own that is taken as it is, without a look inside."""
    owns: dict[type[nn.Module], Callable[..., Tensor]] = {
        nn.BatchNorm2d: nn.BatchNorm2d.forward,
        nn.Conv2d: nn.Conv2d.forward,
    }
    own = owns.get(type(module))
    hooked = module._forward_hooks or module._forward_pre_hooks
    return own is not None and getattr(module.forward, "__func__", None) is own and not hooked


class _Recorder(OperatorMode):
    """Sees every operator that runs."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self._module = module
        self._names = {id(each): name for name, each in module.named_modules()}
        self._calls: list[Call] = []
        self._runs: list[ModuleCall] = []
        self._open: list[ModuleCall] = []
        self._whole = 0
        self._nodes: dict[int, Node] = {}
        self._kept_alive: list[Node] = []
        self._in_storage: dict[int, list[Node]] = {}
        self._inputs: list[Node] = []
        self._written: dict[int, Node] = {}
        for name, tensor in (*module.named_parameters(), *module.named_buffers()):
            self._add(Node(tensor, name, constant=True))

    def graph(self) -> Graph:
        """What was seen."""
        for leaf in tree_leaves(self._runs[0].outputs):
            if isinstance(leaf, Node):
                leaf.escapes = True
        return Graph(self._module, self._calls, self._runs, self._inputs)

    def give(self, arguments: Any) -> None:
        """The tensors that the module is run on."""
        for leaf in tree_leaves(arguments):
            if isinstance(leaf, Tensor) and id(leaf) not in self._nodes:
                self._inputs.append(self._add(Node(leaf)))

    def restore(self) -> None:
        """Give parameters, buffers and arguments that were written over their numbers back."""
        with torch.no_grad():
            for node in self._written.values():
                node.tensor.copy_(node.value)
                node.kept = None

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Know which module is running."""
        handles = []
        for module in self._module.modules():
            if isinstance(module, torch.jit.ScriptModule):
                continue
            whole = _is_whole(module)
            handles.append(
                module.register_forward_pre_hook(self._begun(whole), prepend=True, with_kwargs=True)
            )
            handles.append(module.register_forward_hook(self._ended(whole), always_call=True))
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _begun(self, whole: bool) -> Callable[..., None]:
        def begun(module: nn.Module, args: Any, kwargs: Any) -> None:
            if not self._whole:
                path = self._names[id(module)]
                parent = self._open[-1] if self._open else None
                given, named = self._as_nodes(args), self._as_nodes(kwargs)
                run = ModuleCall(path, module, given, named, len(self._calls), parent)
                self._runs.append(run)
                self._open.append(run)
            self._whole += whole

        return begun

    def _ended(self, whole: bool) -> Callable[..., None]:
        def ended(module: nn.Module, _: Any, output: Any) -> None:
            self._whole -= whole
            if self._whole:
                return
            run = self._open.pop()
            if whole and isinstance(output, Tensor):
                call = Call(len(self._calls), None, module, run.args, run.kwargs, run.path, _user_line())
                self._finish(call, [output])
            run.outputs = self._as_nodes(output)
            run.last = len(self._calls)

        return ended

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run the operator, and write down that it ran."""
        kwargs = kwargs or {}
        written = written_by(func, args, kwargs)
        for tensor in written:
            self._keep(tensor)
        if self._whole:
            return func(*args, **kwargs)
        path = self._open[-1].path if self._open else ""
        given, named = self._as_nodes(args), self._as_nodes(kwargs)
        call = Call(len(self._calls), func, None, given, named, path, _user_line())
        if written:
            call.writes = self._node(written[0])
        result = func(*args, **kwargs)
        self._finish(call, [leaf for leaf in tree_leaves(result) if isinstance(leaf, Tensor)])
        if written:
            self._spread(call, written[0])
        return result

    def _finish(self, call: Call, outputs: list[Tensor]) -> None:
        self._calls.append(call)
        inputs = list(call.inputs)
        constant = all(node.constant for node in inputs) or call.operator in _OF_SHAPE_ALONE
        constant = constant and not _is_random(call)
        for node in inputs:
            node.users.append(call)
        for place, tensor in enumerate(outputs):
            call.outputs.append(self._add(Node(tensor, call=call, output=place, constant=constant)))

    def _spread(self, call: Call, tensor: Tensor) -> None:
        """What else shows the numbers that were written over is another tensor now."""
        made = self._nodes[id(tensor)]
        way = _slices_of(call.writes)
        seen = {id(tensor)}
        for node in list(self._in_storage.get(storage_of(tensor), ())):
            if id(node.tensor) in seen:
                continue
            seen.add(id(node.tensor))
            old = self._nodes[id(node.tensor)]
            if old is made:
                continue
            pieces = way[1] if way is not None and way[0] is old else None
            args = (old, made) if pieces is not None else ()
            written = Call(len(self._calls), None, None, args, {}, call.path, call.place, pieces or ())
            written.writes = old
            self._finish(written, [node.tensor])
            if pieces is None:
                written.outputs[0].constant = made.constant and old.constant

    def _keep(self, tensor: Tensor) -> None:
        """What is about to be written over is kept as it was."""
        self._node(tensor)
        for each in self._in_storage.get(storage_of(tensor), ()):
            node = self._nodes[id(each.tensor)]
            if node.kept is None:
                node.kept = node.tensor.clone()
                if node.name or node in self._inputs:
                    self._written.setdefault(id(node.tensor), node)

    def _as_nodes(self, tree: Any) -> Any:
        if isinstance(tree, Tensor):
            return self._node(tree)
        if not tree:
            return tree
        return tree_map_only(Tensor, self._node, tree)

    def _node(self, tensor: Tensor) -> Node:
        found = self._nodes.get(id(tensor))
        return self._add(Node(tensor, constant=True)) if found is None else found

    def _add(self, node: Node) -> Node:
        self._nodes[id(node.tensor)] = node
        self._kept_alive.append(node)
        storage = storage_of(node.tensor)
        if storage:
            self._in_storage.setdefault(storage, []).append(node)
        return node


def _is_random(call: Call) -> bool:
    return call.function is not None and torch.Tag.nondeterministic_seeded in call.function.tags


def _slices_of(node: Node | None) -> tuple[Node, tuple[tuple[int, int, int], ...]] | None:
    """The image of which that is a rectangle, and the slices by which it came about."""
    pieces: list[tuple[int, int, int]] = []
    while node is not None and node.call is not None and node.call.operator in ("slice", "select"):
        image, dim, start, stop = sliced(node.call)
        pieces.append((dim, start, stop))
        node = image
        if node.call is not None and node.call.operator == "select":
            return None
    return None if node is None or not pieces else (node, tuple(reversed(pieces)))


def sliced(call: Call) -> tuple[Node, int, int, int]:
    """What is cut, along which dimension, from where to where; step 1."""
    image: Node = call.args[0]
    rest = dict(zip(("dim", "start", "end", "step"), call.args[1:], strict=False)) | call.kwargs
    dim = int(rest.get("dim", 0)) % image.tensor.dim()
    size = image.tensor.shape[dim]
    if call.operator == "select":
        start = int(call.args[2]) % size
        return image, dim, start, start + 1
    start, stop = rest.get("start") or 0, rest.get("end")
    stop = size if stop is None else stop
    start, stop = (max(0, min(size, each + size if each < 0 else each)) for each in (start, stop))
    return image, dim, start, stop


def _user_line() -> str:
    """File and line of the innermost frame that is neither torch's nor ours; "" of code that has no file."""
    frame = sys._getframe(2)
    while frame is not None and frame.f_code is not record.__code__:  # behind that is who asked for the run
        file = frame.f_code.co_filename
        if not file.startswith((_TORCH, _OURS)) and not file.startswith("<"):
            return f"{file}:{frame.f_lineno}"
        if frame.f_back is None:
            break
        frame = frame.f_back
    return ""
