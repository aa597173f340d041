"""Outline: a module as a tree of its modules, with what was found where it stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from torch import nn

from tui.modules.found import Findings, FoundBlock, LeftAlone


@dataclass(eq=False, slots=True)
class ModuleNode:
    """One module.

    Attributes:
        path: its dotted name; "" of the whole.
        name: the last word of it.
        kind: the name of its class.
        words: what it says of itself: "3, 8, kernel_size=(3, 3)".
        parent: None of the whole.
        children: its own modules.
        blocks, left_alone: what was found to stand here.
        within: how many blocks stand here and below.
        skipped: how many are left alone here and below.
        parameters: numbers that are learned, here and below.
        place: among all of them in their order.
    """

    path: str
    name: str
    kind: str
    words: str
    parent: ModuleNode | None = None
    children: list[ModuleNode] = field(default_factory=list)
    blocks: tuple[FoundBlock, ...] = ()
    left_alone: tuple[LeftAlone, ...] = ()
    within: int = 0
    skipped: int = 0
    parameters: int = 0
    place: int = 0

    @property
    def marked(self) -> bool:
        """Whether something was found to stand here."""
        return bool(self.blocks or self.left_alone)

    def ancestors(self) -> Iterator[ModuleNode]:
        """Its parent, the parent of that, up to the whole."""
        node = self.parent
        while node is not None:
            yield node
            node = node.parent


class ModuleOutline:
    """The tree of a module's modules.

    Attributes:
        root: the whole.
        top: the root alone.
        nodes: all of them, each before its children.
    """

    def __init__(self, module: nn.Module, findings: Findings, whole: FoundBlock | None = None) -> None:
        """`whole`: the block that the module is as a whole, which stands at the root."""
        by_path = dict(_grown(module))
        self.root = by_path[""]
        self.top = (self.root,)
        self.nodes = tuple(by_path.values())
        places = (("" if each is whole else path_of(each), each) for each in findings.blocks)
        blocks = _by_place(by_path, places)
        left_alone = _by_place(by_path, ((each.path, each) for each in findings.left_alone))
        for path, node in by_path.items():
            node.blocks = tuple(blocks.get(path, ()))
            node.left_alone = tuple(left_alone.get(path, ()))
            for each in (node, *node.ancestors()) if node.marked else ():
                each.within += len(node.blocks)
                each.skipped += len(node.left_alone)

    def matching(self, text: str) -> list[ModuleNode]:
        """Those whose path holds the text though their parent's does not, or whose class does."""
        wanted = text.lower()
        return [node for node in self.nodes if wanted and _matches(node, wanted)]


def path_of(found: FoundBlock) -> str:
    """Where a part of a module is told: at its title; of one in the forward of the whole, where it begins."""
    return found.title or found.region.calls[0].path.partition(".")[0]


def _matches(node: ModuleNode, wanted: str) -> bool:
    parent = node.parent.path.lower() if node.parent else ""
    return (wanted in node.path.lower() and wanted not in parent) or wanted in node.kind.lower()


def _grown(module: nn.Module) -> Iterator[tuple[str, ModuleNode]]:
    """Every module by its path, the whole first; one that stands in several places, in the first of them."""
    by_path: dict[str, ModuleNode] = {}
    for path, each in module.named_modules():
        above, _, name = path.rpartition(".")
        parent = _nearest(by_path, above) if path else None
        node = ModuleNode(path, name, type(each).__name__, _said_by(each), parent)
        node.place = len(by_path)
        node.parameters = sum(parameter.numel() for parameter in each.parameters())
        by_path[path] = node
        if parent is not None:
            parent.children.append(node)
    return iter(by_path.items())


def _said_by(module: nn.Module) -> str:
    """Its extra_repr, which may be the user's own, in one line."""
    try:
        return " ".join(str(module.extra_repr()).split())
    except Exception:  # whatever somebody's code raises, it is a matter of words only
        return ""


Found = TypeVar("Found", FoundBlock, LeftAlone)


def _by_place(by_path: dict[str, ModuleNode], found: Iterable[tuple[str, Found]]) -> dict[str, list[Found]]:
    by_place: dict[str, list[Found]] = {}
    for path, each in found:
        by_place.setdefault(_nearest(by_path, path).path, []).append(each)
    return by_place


def _nearest(by_path: dict[str, ModuleNode], path: str) -> ModuleNode:
    """The module of that path, or the one above it that is there: what runs may be no module of its own."""
    while path not in by_path:
        path = path.rpartition(".")[0]
    return by_path[path]
