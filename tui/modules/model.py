"""fuse_model(model, example): a copy of a model with a convolution for each block, and a report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves, tree_map_only

from tui.analysis.verdict.stored import StoredVerdict
from tui.analysis.verdict.stored_judging import judge_stored
from tui.fusion.block import ReparamBlock
from tui.fusion.kernel import FusionError, Kernel
from tui.modules.finding import Finder
from tui.modules.finished import finished, verify
from tui.modules.found import FoundBlock, LeftAlone
from tui.modules.replacing import Parents, Place, by_owner, place_of, whole_run
from tui.modules.rewriting import rewritten
from tui.modules.run.copying import copied
from tui.modules.run.exact import Exact
from tui.modules.run.given import refuse_no_module
from tui.modules.run.graph import Graph, ModuleCall, Node
from tui.modules.run.other_sizes import (
    agrees_on_other_sizes,
    refuse_other_model,
    refuse_other_results,
    tried_on_other_sizes,
)
from tui.modules.run.recording import record
from tui.modules.run.running import arguments_of, run_on, same_random_numbers
from tui.modules.run.undisturbed import tensors_of


@dataclass(frozen=True, eq=False)
class FusedBlock:
    """One block that was fused.

    Attributes:
        title: where it was: "stage1.0".
        shape: "64 -> 64, 3x3, groups 4".
        branches: the names of its branches and layers: "conv1: conv, bn; identity".
        replaced: what the convolution stands in the place of, in words.
        block: what it was, in float64.
        kernel: what it comes to, rounded once: the numbers of `conv`.
        conv: what it is now.
    """

    title: str
    shape: str
    branches: str
    replaced: str
    block: ReparamBlock
    kernel: Kernel
    conv: nn.Conv2d

    @cached_property
    def verdict(self) -> StoredVerdict:
        """Its numbers held against what the block comes to."""
        return judge_stored(self.block, self.kernel)

    @property
    def sentence(self) -> str:
        """In a line: where it was, its size, its branches."""
        return f"{self.title or 'the module'}: {self.shape} of {self.branches}"


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
    by its weights and, in float64, by what it gives, before it is put there. The whole is then tried on one
    image more, of another size, and on strips of 256 pixels where the example is small: what it gives, and
    what each part gives that another stands for. What it does at still other sizes is not known.

    Args:
        model: in eval mode.
        example: an image (batch, channels, H, W) that it takes, or a tuple of its arguments.

    Raises:
        FusionError: the model is in train mode, cannot be copied, goes another way at another size of the
            image, or is no module.
        RunError: its forward fails.
    """
    refuse_no_module(model)
    if model.training:
        raise FusionError("the model is in train mode: call eval() first")
    fused = _fused_as_one(model, example)
    if fused is None:
        fusing = _fusing(model, example, each_alone=True)
        fusing.replace()
        fused = fusing.model(arguments_of(example))
        refuse_other_model(model, fused.model, arguments_of(example))
    return fused


def _fusing(model: nn.Module, example: Any, *, each_alone: bool) -> _Fusing:
    twin = copied(model)
    numbers = tensors_of(twin)
    with same_random_numbers():
        graph = run_on(record, twin, example)
    return _Fusing(twin, graph, numbers, each_alone=each_alone)


def _fused_as_one(model: nn.Module, example: Any) -> FusedModel | None:
    """The model fused, all its parts tried at once on other sizes; None where one does not hold there."""
    fusing, arguments = _fusing(model, example, each_alone=False), arguments_of(example)
    fusing.replace()
    own = {model.get_submodule(path): new for path, new in fusing.instead.items()}
    tried = tried_on_other_sizes(model, own, arguments, fusing.numbers)
    try:
        fused = fusing.model(arguments)
    except RuntimeError:
        return None
    return fused if agrees_on_other_sizes(fused.model, own, tried) else None


@torch.no_grad()
def _results(model: nn.Module, arguments: tuple[Any, ...]) -> Any:
    return model(*tree_map_only(Tensor, torch.clone, arguments))


class _Fusing:
    """Puts convolutions in the place of blocks.

    Attributes:
        instead: what was put where, by the path of the module whose output it gives.
        numbers: of the copy as it was, by their names.
    """

    def __init__(
        self, twin: nn.Module, graph: Graph, numbers: dict[str, Tensor], *, each_alone: bool
    ) -> None:
        """`each_alone`: whether each part is tried by itself on an image of another size."""
        self._twin = twin
        self._each_alone = each_alone
        self._paths = {module: path for path, module in twin.named_modules()}
        self.numbers = numbers
        self.instead: dict[str, nn.Module] = {}
        self._parents = Parents(twin)
        self._graph = graph
        self._convs: dict[FoundBlock, nn.Conv2d] = {}
        self._fused: dict[FoundBlock, FusedBlock] = {}
        self._places: dict[FoundBlock, Place] = {}
        findings = Finder(graph, self._accept).findings()
        self._blocks = findings.blocks
        self._left = list(findings.left_alone)

    def replace(self) -> None:
        """Put each convolution where it belongs; what has no place is left alone."""
        self._places = {found: place for found in self._blocks if (place := self._placed(found)) is not None}
        parts = {found: self._fused[found].conv for found, place in self._places.items() if not place.modules}
        for found, place in self._places.items():
            self._replace(place, self._fused[found].conv)
        for run, own in by_owner(list(parts), self._graph):
            self._rewrite(run, own, parts)

    def model(self, arguments: tuple[Any, ...]) -> FusedModel:
        """The fused model, run once on the example, and the report."""
        once = {
            self._places[found].modules or found: found for found in self._fused
        }  # of one that runs again
        fused = tuple(self._fused[found] for found in self._blocks if found in once.values())
        with same_random_numbers():
            given = _results(self._twin, arguments)
        apart, largest = _difference(tree_leaves(given), tree_leaves(self._graph.whole.outputs))
        return FusedModel(self._twin, ModelReport(fused, tuple(dict.fromkeys(self._left)), apart, largest))

    def _accept(self, found: FoundBlock, exact: Exact) -> None:
        """Make its convolution, and verify it."""
        conv = finished(found)
        verify(found, conv, exact)
        run = whole_run(found, self._graph) if self._each_alone else None
        if run is not None:
            refuse_other_results(run, conv)
        self._convs[found] = conv

    def _placed(self, found: FoundBlock) -> Place | None:
        """Where it goes; None where it is left alone."""
        try:
            place = place_of(found, self._graph, self._blocks)
        except FusionError as error:
            self._left.append(LeftAlone(found.title, str(error)))
            return None
        self._fused[found] = FusedBlock(
            found.title,
            found.shape_text,
            found.branches_text,
            place.how,
            found.block64,
            found.kernel.to(found.dtype),
            self._convs[found],
        )
        return place

    def _replace(self, place: Place, conv: nn.Conv2d) -> None:
        for first, module in enumerate(place.modules):
            new = conv if first == 0 else nn.Identity()
            if module is self._twin:
                self._twin = new
            self._parents.replace(module, new)
            if module is place.modules[-1]:
                self.instead[self._paths[module]] = new

    def _rewrite(
        self, run: ModuleCall, own: Sequence[FoundBlock], parts: dict[FoundBlock, nn.Conv2d]
    ) -> None:
        try:
            module = rewritten(run, self._graph, own, parts)
            if self._each_alone:
                refuse_other_results(run, module)
        except FusionError as error:
            for found in own:
                self._left.append(LeftAlone(found.title, str(error)))
                self._fused.pop(found, None)
            return
        if run.module is self._twin:
            self._twin = module
        self._parents.replace(run.module, module)
        self.instead[self._paths[run.module]] = module


def _difference(given: list[Any], nodes: list[Any]) -> tuple[float, float]:
    """The largest difference, and the largest number."""
    apart = largest = 0.0
    for one, node in zip(given, nodes, strict=False):
        if isinstance(one, Tensor) and isinstance(node, Node) and one.is_floating_point() and one.numel():
            right = node.value.double()
            apart = max(apart, float((one.double() - right).abs().max()))
            largest = max(largest, float(right.abs().max()))
    return apart, largest
