"""blocks_of(module, example): every part of a module that is one convolution in disguise."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from torch import nn

from tui.fusion.block import ReparamBlock
from tui.fusion.kernel import FusionError
from tui.fusion.quoting import with_article
from tui.modules.dearer import refuse_dearer, weights_in_a_row
from tui.modules.found import Findings, FoundBlock, LeftAlone
from tui.modules.linear.lowering import lowered
from tui.modules.linear.meaning import Meanings
from tui.modules.linear.naming import shared_path
from tui.modules.linear.refusing import NotUnderstoodError
from tui.modules.linear.regions import Reach, Region, Stop, reach_of
from tui.modules.linear.steps import Add, Average, Convolve, Normalise, Same, Scale, Shift, Step, Unknown
from tui.modules.run.exact import Exact
from tui.modules.run.given import refuse_no_module
from tui.modules.run.graph import Call, Graph, ModuleCall, Node
from tui.modules.run.recording import record
from tui.modules.run.running import run_on
from tui.modules.unreached import unreached

_QUESTIONS = frozenset(("_local_scalar_dense", "is_nonzero", "equal", "nonzero", "unique", "_unique2"))
"""Operators whose answer Python can go by."""

_WORTH_A_FUSION = 2
"""Layers that do something, the fewest that are a block."""


def blocks_of(module: nn.Module, example: Any) -> Findings:
    """Every block of a module that fuses, by one run on an example, and what does not, and why.

    >>> module = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU()).eval()
    >>> import torch
    >>> [(each.title, each.shape_text) for each in blocks_of(module, torch.zeros(1, 3, 8, 8)).blocks]
    [('0', '3 -> 8, 3x3')]

    `example`: an image (batch, channels, H, W), or a tuple of the module's arguments.

    The module is only run: its parameters are those of the blocks, and its buffers what they were.

    Raises:
        FusionError: it is no module.
        RunError: the module's forward raises, or gives nothing that can be read.
    """
    refuse_no_module(module)
    return findings_of(run_on(record, module, example))


def findings_of(graph: Graph) -> Findings:
    """As `blocks_of`, of a run."""
    return Finder(graph).findings()


class Finder:
    """Looks through a run from its end.

    Attributes:
        exact: what the run computes, again in float64.
    """

    def __init__(self, graph: Graph, accept: Callable[[FoundBlock, Exact], None] | None = None) -> None:
        """`accept`: raises FusionError of a block that is not wanted; then a smaller one is looked for."""
        self.exact = Exact(graph)
        self._accept = accept
        self._graph = graph
        self._meanings = Meanings(self.exact)
        self._covered: set[Call] = set()
        self._blocks: list[FoundBlock] = []
        self._left: dict[Call, LeftAlone] = {}
        self._questions = [
            call
            for call in graph.calls
            if call.operator in _QUESTIONS and not all(node.constant for node in call.inputs)
        ]

    def findings(self) -> Findings:
        """What was found, in the order in which it runs."""
        for call in reversed(self._graph.calls):
            if call not in self._covered and call.outputs and not call.outputs[0].constant:
                self._look_at(call)
        blocks = tuple(sorted(self._blocks, key=lambda block: block.region.calls[0].index))
        left = [self._left[call] for call in sorted(self._left, key=lambda call: call.index)]
        return Findings(blocks, (*left, *unreached(self._graph)))

    def whole(self) -> FoundBlock:
        """The block that the module is as a whole.

        Raises:
            FusionError: it is none; the message says where, and why.
        """
        source, sink = self.ends
        if sink is source:
            raise FusionError("it gives what it is given, and nothing is to be fused")
        reach = reach_of(sink, self._meanings)
        region = next((region for region in reach.regions if region.source is source), None)
        if region is None:
            if reach.stop.may_be_linear:
                raise NotUnderstoodError(told(reach.stop))
            raise FusionError(f"it is not one convolution: {told(reach.stop)}")
        self._take(region)
        return self._blocks[-1]

    @property
    def ends(self) -> tuple[Node, Node]:
        """The image that the module was given, and the one that it gave.

        Raises:
            FusionError: it was given something else, or gave it.
        """
        whole = self._graph.whole
        if whole.source is None or not whole.source.is_image or not isinstance(whole.outputs, Node):
            raise FusionError(_other_arguments(whole))
        return whole.source, whole.outputs

    def _look_at(self, call: Call) -> None:
        sink = call.outputs[0]
        step = self._meanings.of(sink)
        if isinstance(step, Unknown):
            if _is_norm(call):
                self._left[call] = _left_alone(call, step.reason)
            return
        reach = reach_of(sink, self._meanings)
        refused: dict[str, LeftAlone] = {}  # by the module in whose forward it is
        for region in reversed(self._fitting(reach.regions, step)):
            if not self._is_worth_it(region):
                break
            if self._splits_a_pair(region):
                continue
            try:
                self._take(region)
            except FusionError as error:
                refused.setdefault(owner_of(region), _left_alone(call, str(error)))
                continue
            # That it is none together with modules before it says nothing of it.
            refused = {owner: told for owner, told in refused.items() if owner == self._blocks[-1].owner}
            break
        if refused and not self._is_told_as_block(call):
            self._left[call] = next(iter(refused.values()))
        elif call not in self._covered and isinstance(step, (Normalise, Add)):
            self._tell(call, reach)

    def _is_told_as_block(self, call: Call) -> bool:
        """Whether what ends there was taken after all, and is called as more than that would be."""
        return call in self._covered and self._blocks[-1].title == call.path

    def _fitting(self, regions: Sequence[Region], last: Step) -> list[Region]:
        """Those that do not reach out of the forward of their block only to take in a factor."""
        fitting: list[Region] = []
        for region in regions:
            smaller = fitting[-1] if fitting else None
            more = set(region.calls) - set(smaller.calls if smaller else ())
            if smaller is None or self._is_weighty(more) or owner_of(region) == owner_of(smaller):
                fitting.append(region)
        if isinstance(last, (Scale, Shift, Same)) and last.images[0].call is not None:
            before = last.images[0].call
            inner = before.path.rpartition(".")[0] if before.module is not None else before.path
            return [region for region in fitting if owner_of(region) == inner]
        return fitting

    def _splits_a_pair(self, region: Region) -> bool:
        """Whether it begins with the norm of a convolution before it, which then is left without.

        A norm beside others that read the convolution is a branch, as a RepVGG block's own.
        """
        before = self._meanings.of(region.source)
        readers = [self._meanings.of(call.outputs[0]) for call in region.source.users if call.outputs]
        return isinstance(before, Convolve) and len(readers) == 1 and isinstance(readers[0], Normalise)

    def _is_weighty(self, calls: Iterable[Call]) -> bool:
        light = (Scale, Shift, Same)
        made = (call.outputs[0] for call in calls if call.outputs and not call.outputs[0].constant)
        return any(not isinstance(self._meanings.of(node), light) for node in made)

    def _tell(self, call: Call, reach: Reach) -> None:
        """Why a batch norm is not folded, or a sum is not one convolution."""
        step = self._meanings.of(call.outputs[0])
        if isinstance(step, Add) and len(reach.open) < 2 and reach.regions:
            return  # a sum of what holds no weight
        if isinstance(step, Add) and not any(map(self._is_weighted, step.images)):
            return
        self._left[call] = _left_alone(call, f"not fused with what is before it: {told(reach.stop)}")

    def _is_weighted(self, node: Node) -> bool:
        return isinstance(self._meanings.of(node), (Convolve, Normalise, Scale))

    def _is_worth_it(self, region: Region) -> bool:
        """Whether it has a convolution and more, and is not cheaper as it is."""
        steps = [
            self._meanings.of(node) for call in region.calls for node in call.outputs[:1] if not node.constant
        ]
        working = [
            step for step in steps if isinstance(step, (Convolve, Normalise, Average, Scale, Add, Shift))
        ]
        return any(isinstance(step, Convolve) for step in working) and len(working) >= _WORTH_A_FUSION

    def _take(self, region: Region) -> None:
        """Make a block of it.

        Raises:
            FusionError: it is not a single convolution, or one that costs more than it does.
        """
        self._refuse_questions(region)
        refuse = None if self._is_all(region) else partial(refuse_dearer, region, self._meanings)
        weights = weights_in_a_row(region, self._meanings)
        if refuse is not None and weights is not None:  # most that are refused are seen to be so at once
            refuse(weights)
        exact = lowered(region, self._meanings, self.exact, in_float64=True, refuse=refuse)
        title, owner = self._title(region, exact.block), owner_of(region)
        own = partial(self._of_own_parameters, region)
        found = FoundBlock(title, owner, exact.block, own, exact.border, exact.pads_same, region)
        _ = found.kernel
        if self._accept is not None:
            self._accept(found, self.exact)
        self._blocks.append(found)
        self._covered.update(region.calls)

    def _of_own_parameters(self, region: Region) -> ReparamBlock:
        return lowered(region, self._meanings, self.exact, in_float64=False).block

    def _refuse_questions(self, region: Region) -> None:
        """A forward that asks for a number of the image may go another way with the next one.

        Raises:
            FusionError: it does.
        """
        owner = owner_of(region)
        for call in self._questions:
            if not owner or call.path == owner or call.path.startswith(f"{owner}."):
                raise FusionError(
                    f"its forward asks for a number of the image ({call.place}), and what it does next may "
                    "depend on it"
                )

    def _is_all(self, region: Region) -> bool:
        """Whether it is all that the module does, so that it was asked for."""
        whole = self._graph.whole
        return whole.source is region.source and whole.outputs is region.sink

    def _title(self, region: Region, block: ReparamBlock) -> str:
        """The module that does nothing else, else the one in whose forward it runs, or its first layer."""
        whole = self._graph.outermost.get((region.source, region.sink))
        if whole is not None:
            return whole.path
        kinds = (Convolve, Normalise)
        paths = [call.path for call in region.calls if isinstance(self._meanings.of(call.outputs[0]), kinds)]
        if len(block.branches) == 1:
            return paths[0]
        title, shared = owner_of(region), shared_path(paths)
        if self._is_beside_what_runs(shared, title):
            title = shared
        begins = {each.title: each.region.calls[0].path for each in self._blocks}
        another = begins.get(title, region.calls[0].path) != region.calls[0].path
        return paths[0] if another or (not title and not self._is_all(region)) else title

    def _is_beside_what_runs(self, path: str, owner: str) -> bool:
        """Whether it is in what does not run itself: a list, or a module whose forward is called by name."""
        inside = path.removeprefix(owner).removeprefix(".").split(".") if path != owner else []
        above = (".".join(filter(None, (owner, *inside[: count + 1]))) for count in range(len(inside)))
        return any(each not in self._graph.runs_at for each in above)


def _left_alone(call: Call, reason: str) -> LeftAlone:
    return LeftAlone(call.path, reason, "" if call.module is not None else call.place)


def told(stop: Stop) -> str:
    """Where a region ends, in words."""
    call = stop.node.call
    if call is None:
        return stop.reason
    where = call.path or call.place
    return f"{stop.reason} (at {where})" if where else stop.reason


def _other_arguments(whole: ModuleCall) -> str:
    """Why a module that takes or gives something else than an image is no block."""
    if whole.source is None or not whole.source.is_image:
        return "it takes something else than one image (batch, channels, H, W) of floating numbers"
    kind = type(whole.outputs).__name__
    return f"it gives {with_article(kind)}, and not one image" if kind != "Node" else "it gives no image"


def _is_norm(call: Call) -> bool:
    return isinstance(call.module, nn.BatchNorm2d) or "norm" in call.operator


def owner_of(region: Region) -> str:
    """The innermost module in whose forward all of it runs."""
    paths = [
        (call.path.rpartition(".")[0] if call.module is not None else call.path).split(".")
        for call in region.calls
        if not all(node.constant for node in call.outputs)
    ]
    first, count = paths[0], 0
    while count < len(first) and all(len(each) > count and each[count] == first[count] for each in paths):
        count += 1
    return ".".join(first[:count])
