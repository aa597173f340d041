"""What branches and layers are called: like the attributes that their numbers came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tui.fusion.layers import Chain, Layer
from tui.fusion.quoting import printable
from tui.modules.run.graph import Call, Node

_RESERVED = ("name", "own_groups", "padding_mode", "zeros_between", "training")


@dataclass(eq=False)
class Names:
    """Names that are given out once each.

    Attributes:
        taken: those that are not free.
    """

    taken: set[str] = field(default_factory=set)

    def unlike(self, name: str, separator: str) -> str:
        """That name, with a number behind it where it is taken."""
        free, count = name, 1
        while free in self.taken:
            count += 1
            free = f"{name}{separator}{count}"
        self.taken.add(free)
        return free


def layer_name(path: str, layer: Layer) -> str:
    """The last part of its path, which a Chain may hold as a module; control characters made visible."""
    name = printable(path.rpartition(".")[2]) or _plain_word(layer)
    if name == "identity" and layer.batch_norm is not None:  # as many call the norm of a skip branch
        return "norm"
    return f"{name}_" if hasattr(Chain, name) or name in _RESERVED else name


def _plain_word(layer: Layer) -> str:
    word = layer.called.removeprefix("a ").split()[-1]
    return word if word.isidentifier() else "layer"


def branch_names(paths: Sequence[Sequence[str]]) -> list[str]:
    """A name for each branch, of the paths of its layers, without what all of them share.

    Control characters are made visible: an attribute may have any name, and these are shown everywhere.
    """
    every = [path for branch in paths for path in branch]
    shared = shared_path(
        every if len(paths) > 1 else [*every, *(path.rpartition(".")[0] for path in every[:1])]
    )
    names = Names()
    return [names.unlike(printable(_branch_name(branch, shared)), " #") for branch in paths]


def _branch_name(paths: Sequence[str], shared: str) -> str:
    if not paths:
        return "identity"
    inside = shared_path(paths)
    longer = [inside, *paths] if len(inside) > len(shared) else [path for path in paths if path != shared]
    name = longer[0] if longer else paths[0]
    return name.removeprefix(shared).removeprefix(".") or name.rpartition(".")[2] or "sum"


def shared_path(paths: Sequence[str]) -> str:
    """The longest path that all begin with, whole names only."""
    parts = [path.split(".") for path in paths]
    count = 0
    while parts and all(len(each) > count and each[count] == parts[0][count] for each in parts):
        count += 1
    return ".".join(parts[0][:count]) if parts else ""


def attribute_of(call: Call, node: Node | None) -> str:
    """The attribute that the numbers of a call came from, the place of the call where there is none."""
    parameter = None if node is None or call.module is not None else _first_parameter(node)
    if parameter is None:
        return call.path
    owner, _, last = parameter.rpartition(".")
    return owner if last in ("weight", "bias", "running_mean") and owner else parameter


def _first_parameter(node: Node) -> str | None:
    """The name of the parameter that was read first on the way to a constant."""
    if node.name or node.call is None:
        return node.name or None
    return next(filter(None, map(_first_parameter, node.call.inputs)), None)


def step_place(call: Call) -> str:
    """The place of a step, in words."""
    where = call.path or call.operator
    return f"{where} ({Path(call.place).name})" if call.place and call.module is None else where
