"""fuse_model(model, example): a copy of a model with a convolution for each block, and a report."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves, tree_map_only

from tui.analysis.verdict.stored import StoredVerdict
from tui.analysis.verdict.stored_judging import judge_stored
from tui.fusion.kernel import FusionError
from tui.modules.finding import Finder
from tui.modules.finished import finished, verify
from tui.modules.found import FoundBlock, LeftAlone
from tui.modules.graph import Graph, ModuleCall, Node
from tui.modules.recording import record
from tui.modules.replacing import Parents, Place, by_owner, place_of
from tui.modules.rewriting import rewritten
from tui.modules.running import arguments_of, run_on

_SMALL_SIDE = 15
"""Pixels of the images on which a fused module is tried, beside those that it was seen on."""

_ALIKE = {torch.float64: 1e-9, torch.float32: 1e-2, torch.float16: 0.1, torch.bfloat16: 0.3}
"""Relative: how far two modules may lie apart that compute the same, each in its own order."""


@dataclass(frozen=True, eq=False)
class FusedBlock:
    """One block that was fused.

    Attributes:
        found: it.
        conv: what it is now.
        replaced: what the convolution stands in the place of, in words.
    """

    found: FoundBlock
    conv: nn.Conv2d
    replaced: str

    @cached_property
    def verdict(self) -> StoredVerdict:
        """The convolution's numbers held against what the block comes to."""
        block = self.found.block
        return judge_stored(block, self.found.kernel.to(self.conv.weight.dtype))

    @property
    def sentence(self) -> str:
        """In a line: where it was, its size, its branches."""
        found = self.found
        return f"{found.title or 'the module'}: {found.shape_text} of {found.branches_text}"


@dataclass(frozen=True, slots=True)
class ModelReport:
    """What became of a model.

    Attributes:
        fused: each block that is a convolution now, in the order in which they run.
        left_alone: what looks like one and is none, or could not be replaced, and why.
        apart: max |fused - given| over the outputs on the example, in the model's dtype.
        largest: max |given|.
    """

    fused: tuple[FusedBlock, ...]
    left_alone: tuple[LeftAlone, ...]
    apart: float
    largest: float

    def __str__(self) -> str:
        """A line for each."""
        lines = [f"{len(self.fused)} fused, {len(self.left_alone)} left alone"]
        lines += [f"  {each.sentence}" for each in self.fused]
        lines += [f"  left alone: {each.sentence}" for each in self.left_alone]
        lines.append(f"max |fused - unfused| of the output: {self.apart:.3g}, of {self.largest:.3g}")
        return "\n".join(lines)


class FusedModel(NamedTuple):
    """A fused copy of a model, and what was fused in it."""

    model: nn.Module
    report: ModelReport


def fuse_model(model: nn.Module, example: Any) -> FusedModel:
    """A copy of the model with one convolution in the place of each block; the model stays as it is.

    >>> model = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU()).eval()
    >>> fused, report = fuse_model(model, torch.randn(1, 3, 8, 8))
    >>> fused
    Sequential(
      (0): Conv2d(3, 8, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))
      (1): Identity()
      (2): ReLU()
    )

    Where a block is all that a module does, the convolution takes that module's place; where it is a
    convolution with its batch norm, the norm becomes nn.Identity. Where it is a part of a forward, as in
    RepVGG's, which goes on with an activation, that one module becomes a torch.fx.GraphModule that calls the
    same children and holds the module's other attributes, but not its methods. Each convolution is verified
    by its weights and, in float64, by what it gives, before it is put there.

    Args:
        model: in eval mode.
        example: an image (batch, channels, H, W) that it takes, or a tuple of its arguments.

    Raises:
        FusionError: the model is in train mode.
        RunError: its forward fails.
    """
    if model.training:
        raise FusionError("the model is in train mode: call eval() first")
    twin = copy.deepcopy(model)
    graph = run_on(record, twin, example)
    finder = Finder(graph)
    result = _Fusing(twin, graph, finder).model(arguments_of(example))
    _refuse_other_model(model, result.model, arguments_of(example))
    return result


@torch.no_grad()
def _results(model: nn.Module, arguments: tuple[Any, ...]) -> Any:
    return model(*tree_map_only(Tensor, torch.clone, arguments))


def _refuse_other_model(model: nn.Module, fused: nn.Module, arguments: tuple[Any, ...]) -> None:
    """That both still agree on images of another size, by which the forward may choose its way.

    Raises:
        FusionError: they do not.
    """
    other = tree_map_only(Tensor, _another_size, arguments)
    try:
        graph = record(model, other)
    except Exception:  # it takes that size only, whatever it says
        return
    right = [leaf.value for leaf in tree_leaves(graph.whole.outputs) if isinstance(leaf, Node)]
    given = [leaf for leaf in tree_leaves(_results(fused, other)) if isinstance(leaf, Tensor)]
    if len(right) != len(given) or not all(map(_near, given, right)):
        raise FusionError(
            "on images of another size the fused model gives something else: the model chooses its way by "
            "the size; fuse its parts, each with an example of its own"
        )


def _another_size(value: Tensor) -> Tensor:
    """An image of a row and two columns more; anything else as it is."""
    if value.dim() != 4 or not value.is_floating_point():
        return value
    batch, channels, height, width = value.shape
    generator = torch.Generator().manual_seed(6)
    shape = (batch, channels, height + 1, width + 2)
    return torch.randn(shape, generator=generator, dtype=torch.float64).to(value)


class _Fusing:
    """Puts convolutions in the place of blocks."""

    def __init__(self, twin: nn.Module, graph: Graph, finder: Finder) -> None:
        self._twin = twin
        self._parents = Parents(twin)
        self._graph = graph
        self._finder = finder
        findings = finder.findings()
        self._blocks = findings.blocks
        self._left = list(findings.left_alone)
        self._fused: dict[FoundBlock, FusedBlock] = {}

    def model(self, arguments: tuple[Any, ...]) -> FusedModel:
        """The fused model and the report."""
        places = {found: place for found in self._blocks if (place := self._checked(found)) is not None}
        parts = {found: self._fused[found].conv for found, place in places.items() if not place.modules}
        for found, place in places.items():
            self._replace(place, self._fused[found].conv)
        for run, own in by_owner(list(parts), self._graph):
            self._rewrite(run, own, parts)
        fused = tuple(self._fused[found] for found in self._blocks if found in self._fused)
        given = _results(self._twin, arguments)
        apart, largest = _difference(tree_leaves(given), tree_leaves(self._graph.whole.outputs))
        return FusedModel(self._twin, ModelReport(fused, tuple(self._left), apart, largest))

    def _checked(self, found: FoundBlock) -> Place | None:
        """Where it goes; None where it is left alone."""
        try:
            place = place_of(found, self._graph, self._blocks)
            conv = finished(found)
            verify(found, conv, self._finder.exact)
            if place.run is not None:
                _refuse_other_results(place.run, conv)
        except FusionError as error:
            self._left.append(LeftAlone(found.title, str(error)))
            return None
        self._fused[found] = FusedBlock(found, conv, place.how)
        return place

    def _replace(self, place: Place, conv: nn.Conv2d) -> None:
        for first, module in enumerate(place.modules):
            new = conv if first == 0 else nn.Identity()
            if module is self._twin:
                self._twin = new
            self._parents.replace(module, new)

    def _rewrite(
        self, run: ModuleCall, own: Sequence[FoundBlock], parts: dict[FoundBlock, nn.Conv2d]
    ) -> None:
        try:
            module = rewritten(run, self._graph, own, parts)
            _refuse_other_results(run, module)
        except FusionError as error:
            for found in own:
                self._left.append(LeftAlone(found.title, str(error)))
                self._fused.pop(found, None)
            return
        if run.module is self._twin:
            self._twin = module
        self._parents.replace(run.module, module)


def _difference(given: list[Any], nodes: list[Any]) -> tuple[float, float]:
    """The largest difference, and the largest number."""
    apart = largest = 0.0
    for one, node in zip(given, nodes, strict=False):
        if isinstance(one, Tensor) and isinstance(node, Node) and one.is_floating_point() and one.numel():
            right = node.value.double()
            apart = max(apart, float((one.double() - right).abs().max()))
            largest = max(largest, float(right.abs().max()))
    return apart, largest


@torch.no_grad()
def _refuse_other_results(run: ModuleCall, module: nn.Module) -> None:
    """What a forward does is seen with one size of the image only, and it may compute with that.

    Raises:
        FusionError: on images of another size the fused module gives something else.
    """
    other = tree_map_only(Node, _resized, (run.args, run.kwargs))
    try:
        right = run.module(*_cloned(other[0]), **_cloned(other[1]))
    except Exception:  # it takes that size only, whatever it says
        return
    try:
        given = module(*_cloned(other[0]), **_cloned(other[1]))
        alike = all(map(_near, tree_leaves(given), tree_leaves(right)))
    except RuntimeError:
        alike = False
    if not alike:
        raise FusionError(
            "its forward computes with the size of the image, which a fused one would have fixed, as padding "
            "that follows it; where that is beside the block, move the block into a module of its own"
        )


def _cloned(tree: Any) -> Any:
    return tree_map_only(Tensor, torch.clone, tree)


def _resized(node: Node) -> Tensor:
    value = node.value
    if not node.is_image or min(value.shape[2:]) < 2:
        return value
    height, width = (min(size, _SMALL_SIDE) for size in value.shape[2:])
    height, width = (height - 2, width - 2) if (height, width) == tuple(value.shape[2:]) else (height, width)
    generator = torch.Generator().manual_seed(2)
    shape = (value.shape[0] + 1, value.shape[1], max(height, 1), max(width, 1))
    return torch.randn(shape, generator=generator, dtype=torch.float64).to(value)


def _near(one: Any, other: Any) -> bool:
    if not isinstance(one, Tensor) or not isinstance(other, Tensor):
        return one is other or one == other
    if one.shape != other.shape:
        return False
    slack = 1e4 * torch.finfo(other.dtype).eps if other.is_floating_point() else 0.0
    return (
        bool((one - other).abs().max() <= slack * max(float(other.abs().max()), 1e-30))
        if one.numel()
        else True
    )
