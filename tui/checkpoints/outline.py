"""Outline: what a checkpoint holds as a tree of dotted names, with the blocks where they stand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, TypeVar

from tui.checkpoints.contents import Entry
from tui.checkpoints.found import FoundBlock, LeftAlone, Recognition
from tui.collecting import without_collecting

DEEPEST = 64
"""Dots at which a name is parted; what comes after is told as one word."""


@dataclass(eq=False, slots=True)
class Node:
    """A tensor, or all tensors whose names begin alike.

    Attributes:
        path: the dotted name, as far as it reaches.
        name: the part of it that its parent has not.
        parent: None of the root, whose path is "".
        entry: the tensor of just that name, if there is one.
        children: those that are shown, in the file's order; a lone child of what is nothing by itself is
            told together with it.
        place: among all nodes in their order.
        blocks, left_alone: what was found to stand here.
        within: how many blocks stand here and below.
        skipped: how many are left alone here and below.
        tensors, parameters, bytes: sums of all below, and of this one; a number that is not a floating one,
            such as num_batches_tracked, is no parameter.
    """

    path: str
    name: str
    parent: Node | None = None
    entry: Entry | None = None
    children: Sequence[Node] = ()
    blocks: tuple[FoundBlock, ...] = ()
    left_alone: tuple[LeftAlone, ...] = ()
    within: int = 0
    skipped: int = 0
    tensors: int = 0
    parameters: int = 0
    bytes: int = 0
    place: int = 0

    @property
    def marked(self) -> bool:
        """Whether something was found to stand here."""
        return bool(self.blocks or self.left_alone)

    def ancestors(self) -> Iterator[Node]:
        """Its parent, the parent of that, up to the root."""
        node = self.parent
        while node is not None:
            yield node
            node = node.parent


class Outline:
    """The tree of a checkpoint's names.

    >>> entries = {name: Entry(name, (2,), "float32") for name in ("stem.conv.weight", "stem.conv.bias")}
    >>> [node.path for node in Outline(entries).nodes]
    ['stem.conv', 'stem.conv.weight', 'stem.conv.bias']

    Attributes:
        root: holds all the others.
        top: the nodes that nothing shown stands above: the root itself where the whole file is one block.
        nodes: all but the root, each before its children, in the file's order.
    """

    @without_collecting()
    def __init__(self, entries: Mapping[str, Entry], recognition: Recognition | None = None) -> None:
        """`recognition`: None while it is not known what the names mean."""
        self.root = Node("", "")
        found = recognition or Recognition((), (), ())
        blocks, left_alone = _by_prefix(found.blocks), _by_prefix(found.left_alone)
        by_path = _grown(self.root, entries)
        for path in dict.fromkeys((*blocks, *left_alone)):
            node = by_path[path] if path else self.root
            node.blocks = tuple(blocks.get(path, ()))
            node.left_alone = tuple(left_alone.get(path, ()))
            for each in (node, *node.ancestors()):
                each.within += len(node.blocks)
                each.skipped += len(node.left_alone)
        _join_lone_children(self.root)
        self.top = (self.root,) if self.root.marked else tuple(self.root.children)
        self.nodes = tuple(_in_order(self.root))
        for place, node in enumerate(self.nodes):
            node.place = place
        self._by_path = {node.path: node for node in self.nodes}

    def node(self, path: str) -> Node | None:
        """The node of that path, or the one that tells it together with its lone child."""
        found = self._by_path.get(path) if path else self.root
        if found is None:
            found = next((node for node in self.nodes if node.path.startswith(f"{path}.")), None)
        return found

    def matching(self, text: str) -> list[Node]:
        """Those whose path holds the text though their parent's does not, or whose family does."""
        wanted = text.lower()
        if not wanted:
            return []
        texts = self._texts
        hits = [wanted in path for path in texts.paths]
        hits.append(False)  # of what is above the top
        found = {place for place, hit in enumerate(hits) if hit and not hits[texts.parents[place]]}
        found |= {place for place, families in texts.families.items() if wanted in families}
        return [self.nodes[place] for place in sorted(found)]

    @cached_property
    def _texts(self) -> _Texts:
        return _Texts(
            [node.path.lower() for node in self.nodes],
            [-1 if node.parent in (None, self.root) else node.parent.place for node in self.nodes],
            {node.place: _families(node) for node in self.nodes if node.marked},
        )


class _Texts(NamedTuple):
    """What is searched in, made once: there may be 50,000 names, and each letter typed asks.

    Attributes:
        paths: of all nodes, in lower case.
        parents: the places of their parents; -1 where the root is it.
        families: of what was found, by the node's place.
    """

    paths: list[str]
    parents: list[int]
    families: dict[int, str]


def _families(node: Node) -> str:
    found = [*(block.family for block in node.blocks), *(each.family or "" for each in node.left_alone)]
    return "\n".join(found).lower()


Found = TypeVar("Found", FoundBlock, LeftAlone)


def _by_prefix(found: Iterable[Found]) -> dict[str, list[Found]]:
    by_prefix: dict[str, list[Found]] = {}
    for each in found:
        by_prefix.setdefault(each.prefix, []).append(each)
    return by_prefix


def _grown(root: Node, entries: Mapping[str, Entry]) -> dict[str, Node]:
    """Let the tree of all names grow from the root; its nodes by their paths, "" but for the root's."""
    by_path: dict[str, Node] = {}
    for name, entry in entries.items():
        above, dot, word = name.rpartition(".")
        parent = by_path.get(above) if dot else None
        # Most tensors lie beside the one before: the way from the root would be walked again.
        node = _walked(root, name, by_path) if parent is None else _child(parent, name, word, by_path)
        node.entry = entry
        parameters = entry.numel if entry.is_floating else 0
        node.tensors, node.parameters, node.bytes = 1, parameters, entry.bytes
    for node in reversed(by_path.values()):  # each after all that are below it
        if node.parent is not None:
            node.parent.tensors += node.tensors
            node.parent.parameters += node.parameters
            node.parent.bytes += node.bytes
    return by_path


def _walked(root: Node, name: str, by_path: dict[str, Node]) -> Node:
    """The node of a name, and all on the way to it."""
    node, path = root, ""
    for place, word in enumerate(name.split(".", DEEPEST)):
        path = f"{path}.{word}" if place else word
        node = _child(node, path, word, by_path)
    return node


def _child(parent: Node, path: str, word: str, by_path: dict[str, Node]) -> Node:
    child = by_path.get(path)
    if child is None:
        child = by_path[path] = Node(path, word, parent)
        if isinstance(parent.children, list):
            parent.children.append(child)
        else:
            parent.children = [child]
    return child


def _join_lone_children(root: Node) -> None:
    """Tell a node that is nothing by itself together with its only child: "backbone.stages"."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node.children:
            node.children = [_joined(child, node) for child in node.children]
            waiting += node.children


def _joined(node: Node, parent: Node) -> Node:
    while len(node.children) == 1 and not node.marked and node.entry is None:
        lone = node.children[0]
        lone.name, lone.parent = f"{node.name}.{lone.name}", parent
        node = lone
    return node


def _in_order(root: Node) -> Iterator[Node]:
    waiting = list(reversed(root.children))
    while waiting:
        node = waiting.pop()
        yield node
        waiting += reversed(node.children)
