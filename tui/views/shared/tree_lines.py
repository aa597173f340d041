"""A tree in which blocks stand, whatever it is a tree of, and the lines in which it is shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Generic, NamedTuple, Protocol, Self, TypeVar

BLOCK, SKIPPED, PROBLEM, OPEN, CLOSED = "◆", "△", "!", "▾", "▸"
INDENT = 2
DEEPEST = 12
"""Levels that are indented; what lies deeper stands below them."""


class TreeNode(Protocol):
    """A place in the tree, as checkpoints' and modules' outlines have it."""

    @property
    def path(self) -> str:
        """Its dotted name, which no other has."""
        ...

    @property
    def name(self) -> str:
        """The part of it that its parent has not."""
        ...

    @property
    def place(self) -> int:
        """Among all nodes in their order."""
        ...

    @property
    def parent(self) -> Self | None:
        """What it is a part of."""
        ...

    @property
    def children(self) -> Sequence[Self]:
        """Its parts."""
        ...

    @property
    def blocks(self) -> tuple[object, ...]:
        """Those that were found to stand here."""
        ...

    @property
    def marked(self) -> bool:
        """Whether a block stands here, or something that is left alone."""
        ...

    @property
    def within(self) -> int:
        """How many blocks stand here and below."""
        ...

    @property
    def skipped(self) -> int:
        """How many are left alone here and below."""
        ...

    def ancestors(self) -> Iterator[Self]:
        """Its parent, the parent of that, up to the root."""
        ...


AnyNode = TypeVar("AnyNode", bound=TreeNode)
AnyBlock = TypeVar("AnyBlock")
NodeOf_co = TypeVar("NodeOf_co", bound=TreeNode, covariant=True)


class BlockTree(Protocol[NodeOf_co]):
    """The whole tree."""

    @property
    def top(self) -> Sequence[NodeOf_co]:
        """Those that nothing shown stands above."""
        ...

    @property
    def nodes(self) -> Sequence[NodeOf_co]:
        """All that can be gone to, each before its children."""
        ...

    def matching(self, text: str) -> Sequence[NodeOf_co]:
        """Those that are meant by a text."""
        ...


class TreeLine(NamedTuple, Generic[AnyNode, AnyBlock]):
    """One line of the tree.

    Attributes:
        node: what it is about.
        depth: how far it is indented.
        block: of a node where several stand, the one that it is about.
    """

    node: AnyNode
    depth: int
    block: AnyBlock | None = None

    @property
    def only_block(self) -> AnyBlock | None:
        """The block that it is about, None where it is about none or several."""
        if self.block is not None:
            return self.block
        blocks: tuple[AnyBlock, ...] = self.node.blocks  # type: ignore[assignment]  # they are of that kind
        return blocks[0] if len(blocks) == 1 else None

    @property
    def indent(self) -> int:
        """Columns."""
        return INDENT * min(self.depth, DEEPEST)


def found_within(node: TreeNode) -> str:
    """ "3 blocks, 1 left alone"; empty where there is nothing."""
    words = []
    if node.within:
        words.append(f"{node.within} block{'s' if node.within > 1 else ''}")
    if node.skipped:
        words.append(f"{node.skipped} left alone")
    return ", ".join(words)
