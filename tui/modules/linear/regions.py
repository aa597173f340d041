"""Regions: the parts of a run that lead from one image to one image through linear steps alone."""

from __future__ import annotations

from dataclasses import dataclass

from tui.modules.linear.meaning import Meanings
from tui.modules.linear.refusing import read_elsewhere
from tui.modules.linear.steps import Unknown
from tui.modules.run.graph import Call, Node


@dataclass(frozen=True, eq=False)
class Region:
    """Linear steps from `source` to `sink`, which nothing outside of them looks into.

    Attributes:
        calls: in the order in which they ran.
    """

    source: Node
    sink: Node
    calls: tuple[Call, ...]


@dataclass(frozen=True, eq=False)
class Stop:
    """Where a region ends, and why: at what made `node`; `may_be_linear`: as of what is not known."""

    node: Node
    reason: str
    may_be_linear: bool = False


@dataclass(frozen=True, eq=False)
class Reach:
    """What leads to an image.

    Attributes:
        regions: the smallest first, each a part of the next.
        stop: why none is larger.
        open: the images that are left where it stops; more than one where that is why there is no region.
    """

    regions: tuple[Region, ...]
    stop: Stop
    open: tuple[Node, ...]


def reach_of(sink: Node, meanings: Meanings) -> Reach:
    """Every region that ends in that image.

    Walks back, always from the image that was made last, so that whoever reads an image has been seen before
    it. Each time a single image is left, all of the steps are a region, unless they write over that image,
    which others may hold.
    """
    inside: set[Call] = set()
    left = {sink}
    regions: list[Region] = []
    while True:
        node = max(left, key=_made_at)
        stop = _stop_at(node, sink, inside, meanings)
        if stop is not None:
            return Reach(tuple(regions), stop, tuple(left))
        step = meanings.of(node)
        assert not isinstance(step, Unknown)
        inside.update(step.calls)
        left = (left - {node}) | set(step.images)
        source = next(iter(left))
        if len(left) == 1 and all(call.writes is not source for call in inside):
            calls = tuple(sorted(inside, key=lambda call: call.index))
            regions.append(Region(source, sink, calls))


def _made_at(node: Node) -> int:
    return -1 if node.call is None else node.call.index


def _stop_at(node: Node, sink: Node, inside: set[Call], meanings: Meanings) -> Stop | None:
    step = meanings.of(node)
    if isinstance(step, Unknown):
        return Stop(node, step.reason, step.may_be_linear)
    if node is not sink:
        elsewhere = read_elsewhere(node, inside)
        if elsewhere:
            return Stop(node, f"used elsewhere too: {elsewhere}")
    for call in step.calls:  # what was on the way to an image that was pieced together
        for made in call.outputs:
            others = set(made.users) - inside - set(step.calls)
            if made is not node and (made.escapes or others):
                return Stop(node, "an image on the way to it is used elsewhere too")
    return None
