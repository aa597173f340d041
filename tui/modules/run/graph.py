"""What a module computed, call by call: the tensors, the operators that made them, and where."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from torch import Tensor, nn
from torch.utils._pytree import tree_leaves, tree_map_only

_TREES = (list, tuple, dict)


@dataclass(eq=False)
class Node:
    """One tensor of a run.

    Attributes:
        tensor: it; what is in it now may have been written over since.
        name: of a parameter or a buffer, by its place in the module; "" of others.
        call: what made it; None of inputs, parameters and what came from elsewhere.
        output: which of the call's outputs it is.
        constant: whether it depends on no input.
        users: the calls that read it.
        kept: what was in it before it was written over.
        escapes: whether the module that was run returns it.
    """

    tensor: Tensor
    name: str = ""
    call: Call | None = None
    output: int = 0
    constant: bool = False
    users: list[Call] = field(default_factory=list)
    kept: Tensor | None = None
    escapes: bool = False

    @property
    def value(self) -> Tensor:
        """What was in it when it was made."""
        return self.tensor if self.kept is None else self.kept

    @property
    def is_image(self) -> bool:
        """Whether it is (batch, channels, H, W) of floating numbers."""
        return self.tensor.dim() == 4 and self.tensor.is_floating_point()


def with_nodes(value: Callable[[Node], Any], given: Any) -> Any:
    """Arguments with `value` of each Node in its place."""
    if isinstance(given, tuple) and not any(isinstance(each, _TREES) for each in given):
        return tuple(value(each) if isinstance(each, Node) else each for each in given)
    return tree_map_only(Node, value, given) if given else given


@dataclass(eq=False)
class Call:
    """One operator that ran, or one convolution or batch norm as a whole.

    Attributes:
        index: its place in the run.
        function: the operator; None of a module as a whole, and of what was pieced together.
        module: the module that ran as a whole.
        pieces: of an image that another was written into: (dimension, start, stop) of each slice.
        args, kwargs: as it was called, a Node in the place of each tensor.
        outputs: what it made.
        path: the module in whose forward it ran, or itself: "stage1.0.rbr_dense.conv".
        place: file and line of the user's code.
        writes: the node that it wrote over, None where it wrote over none.
    """

    index: int
    function: Any
    module: nn.Module | None
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    path: str
    place: str
    pieces: tuple[tuple[int, int, int], ...] | None = None
    outputs: list[Node] = field(default_factory=list)
    writes: Node | None = None

    @property
    def inputs(self) -> Iterator[Node]:
        """The tensors that it read."""
        return iter(self._read)

    @cached_property
    def _read(self) -> tuple[Node, ...]:
        given = tree_leaves(self.kwargs) if self.kwargs else ()
        flat = not any(isinstance(each, _TREES) for each in self.args)
        leaves = (*(self.args if flat else tree_leaves(self.args)), *given)
        return tuple(leaf for leaf in leaves if isinstance(leaf, Node))

    @cached_property
    def operator(self) -> str:
        """Its operator's name: "conv2d", "relu"; what writes over its input is called like what does not."""
        if self.module is not None:
            return type(self.module).__name__
        if self.pieces is not None:
            return "written into"
        name = str(self.function._schema.name).split("::")[-1]
        return name[:-1] if name.endswith("_") and not name.endswith("__") else name


@dataclass(eq=False)
class ModuleCall:
    """One run of a module's forward.

    Attributes:
        path: its place: "stage1.0".
        args, kwargs: as it was called, a Node in the place of each tensor.
        outputs: what it returned, likewise.
        first, last: the first call in it and the one after its last.
        parent: the run in which it ran.
    """

    path: str
    module: nn.Module
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    first: int
    parent: ModuleCall | None
    outputs: Any = None
    last: int = 0

    @cached_property
    def source(self) -> Node | None:
        """Its only argument, None where it has others."""
        leaves = tree_leaves((self.args, self.kwargs))
        return leaves[0] if len(leaves) == 1 and isinstance(leaves[0], Node) else None

    def holds(self, call: Call) -> bool:
        """Whether that call was made in it."""
        return self.first <= call.index < self.last


@dataclass(eq=False)
class Graph:
    """One run of a module.

    Attributes:
        module: it.
        calls: every operator that ran, in order.
        runs: every module that ran, in the order in which they began; the first is the whole.
        inputs: the tensors that it was given.
    """

    module: nn.Module
    calls: list[Call]
    runs: list[ModuleCall]
    inputs: list[Node]

    @property
    def whole(self) -> ModuleCall:
        """The run of the module itself."""
        return self.runs[0]

    @cached_property
    def outermost(self) -> dict[tuple[Node, Node], ModuleCall]:
        """Of the runs that lead from one image to one image, the outermost, by what it takes and gives."""
        found: dict[tuple[Node, Node], ModuleCall] = {}
        for run in self.runs:
            if run.source is not None and isinstance(run.outputs, Node):
                found.setdefault((run.source, run.outputs), run)
        return found

    @cached_property
    def runs_of(self) -> dict[nn.Module, list[ModuleCall]]:
        """Every run of each module."""
        found: dict[nn.Module, list[ModuleCall]] = {}
        for run in self.runs:
            found.setdefault(run.module, []).append(run)
        return found

    @cached_property
    def runs_at(self) -> dict[str, list[ModuleCall]]:
        """Every run by the path of its module."""
        found: dict[str, list[ModuleCall]] = {}
        for run in self.runs:
            found.setdefault(run.path, []).append(run)
        return found

    @cached_property
    def runs_in(self) -> dict[ModuleCall | None, list[ModuleCall]]:
        """The runs that began right in each run, in order."""
        found: dict[ModuleCall | None, list[ModuleCall]] = {}
        for run in self.runs:
            found.setdefault(run.parent, []).append(run)
        return found
