"""fuse_model(model, example): a copy of a model with a convolution for each block, and a report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_map_only

from tui.fusion.kernel import FusionError
from tui.modules.finding import Finder
from tui.modules.finished import finished, verify
from tui.modules.found import FoundBlock, LeftAlone
from tui.modules.run.copying import copied
from tui.modules.run.exact import Exact
from tui.modules.run.given import refuse_no_module
from tui.modules.run.graph import Graph, ModuleCall
from tui.modules.run.recording import record
from tui.modules.run.running import RunError, arguments_of, run_on, same_random_numbers
from tui.modules.run.undisturbed import given_back, parameters_and_buffers, undisturbed
from tui.modules.whole.on_example import OnExample, on_example
from tui.modules.whole.other_sizes import (
    agrees_on_other_sizes,
    refuse_other_model,
    refuse_other_results,
    tried_on_other_sizes,
)
from tui.modules.whole.replacing import (
    Parents,
    Place,
    by_owner,
    owner_run,
    place_of,
    readers_beside,
    refuse_read_beside,
    whole_run,
)
from tui.modules.whole.report import FusedBlock, ModelReport
from tui.modules.whole.rewriting import rewritten


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
    what each part gives that another stands for. What it does at still other sizes is not known. A block that
    the model does not do without, because its forward reads what is inside of it, is left alone.

    Args:
        model: in eval mode.
        example: an image (batch, channels, H, W) that it takes, or a tuple of its arguments.

    Raises:
        FusionError: the model is in train mode, cannot be copied, does not do the same twice, goes another
            way at another size of the image, or is no module.
        RunError: its forward fails.
    """
    refuse_no_module(model)
    if model.training:
        raise FusionError("the model is in train mode: call eval() first")
    fused = _fused_as_one(model, example)
    if fused is None:
        fusing, arguments = _fusing(model, example, each_alone=True), arguments_of(example)
        fusing.replace(arguments)
        fused = fusing.model()
        refuse_other_model(model, fused.model, arguments, fusing.as_it_was)
    return fused


def _fusing(model: nn.Module, example: Any, *, each_alone: bool) -> _Fusing:
    twin = copied(model)
    numbers = parameters_and_buffers(twin)
    try:
        with same_random_numbers():
            graph = run_on(record, twin, example)
    except RunError as error:
        _refuse_only_a_copy(model, example, error)
        raise
    return _Fusing(twin, graph, numbers, parameters_and_buffers(model), each_alone=each_alone)


def _refuse_only_a_copy(model: nn.Module, example: Any, error: RunError) -> None:
    """Of a model whose copy fails, that it fails itself.

    Raises:
        FusionError: it does not.
    """
    try:
        with same_random_numbers(), undisturbed(model):
            model(*tree_map_only(Tensor, torch.clone, arguments_of(example)))
    except Exception:  # as its copy
        return
    raise FusionError(
        f"the model runs, and a copy of it does not: {error}; a hook or a function in it may still work on "
        "the model of which the copy was made: remove it, or fuse the model's parts, each by tui.fuse"
    ) from error


def _fused_as_one(model: nn.Module, example: Any) -> FusedModel | None:
    """The model fused, all its parts tried at once on other sizes; None where one does not hold there."""
    fusing, arguments = _fusing(model, example, each_alone=False), arguments_of(example)
    fusing.replace(arguments)
    own = {model.get_submodule(path): new for path, new in fusing.instead.items()}
    tried = tried_on_other_sizes(model, own, arguments, fusing.numbers)
    fused = fusing.model()
    return fused if agrees_on_other_sizes(fused.model, own, tried, fusing.as_it_was) else None


_Unit = tuple[FoundBlock, ...]
"""Blocks that can only be put into the model together."""


class _Fusing:
    """Puts convolutions in the place of blocks.

    Attributes:
        instead: what was put where, by the path of the module whose output it gives.
        numbers: of the copy as it was, by their names.
    """

    def __init__(
        self,
        twin: nn.Module,
        graph: Graph,
        numbers: dict[str, Tensor],
        given: dict[str, Tensor],
        *,
        each_alone: bool,
    ) -> None:
        """`given`: as `numbers`, the model's own.

        `each_alone`: whether each part is tried by itself on an image of another size.
        """
        self._whole = self._twin = twin
        self._each_alone = each_alone
        self._paths = {module: path for path, module in twin.named_modules()}
        self.numbers = numbers
        self._given = {id(tensor): given[name] for name, tensor in numbers.items()}
        self.instead: dict[str, nn.Module] = {}
        self._parents = Parents(twin)
        self._graph = graph
        self._convs: dict[FoundBlock, nn.Conv2d] = {}
        self._fused: dict[FoundBlock, FusedBlock] = {}
        self._places: dict[FoundBlock, Place] = {}
        findings = Finder(graph, self._accept).findings()
        self._blocks = findings.blocks
        self._left = list(findings.left_alone)
        self._readers = readers_beside(graph, self._blocks)
        self._outcome = OnExample("")

    def replace(self, arguments: tuple[Any, ...]) -> None:
        """Put each convolution where it belongs.

        What has no place is left alone, and what the model does not do without: each is run on the example.

        Raises:
            FusionError: the model does not do the same twice, whatever is in it.
        """
        self._places = {found: place for found in self._blocks if (place := self._placed(found)) is not None}
        units = self._units()
        if not self._why_not(units, arguments):
            return
        for _ in range(2):  # one that does something else every second time does once as it did
            if self._why_not([], arguments):
                raise FusionError(
                    "the model does not do the same twice: run again on the example, as it was, it gives "
                    "something else, as one that counts its runs does; nothing can be verified"
                )
        self._why_not(self._with([], units, arguments), arguments)

    def _units(self) -> list[_Unit]:
        """One for each place; all of a forward that is to be rewritten are one."""
        by_place: dict[Any, list[FoundBlock]] = {}
        for found, place in self._places.items():
            key = place.modules or owner_run(found, self._graph).module
            by_place.setdefault(key, []).append(found)
        return [tuple(each) for each in by_place.values()]

    def _with(self, kept: list[_Unit], more: list[_Unit], arguments: tuple[Any, ...]) -> list[_Unit]:
        """Those kept, and of the others those beside them with which the model gives what it gave.

        Tried in halves: where few fail of many, few runs tell which.
        """
        why_not = self._why_not([*kept, *more], arguments)
        if not why_not:
            return [*kept, *more]
        if len(more) == 1:
            for found in more[0]:
                self._leave(found, why_not)
            return kept
        half = len(more) // 2
        return self._with(self._with(kept, more[:half], arguments), more[half:], arguments)

    def _why_not(self, units: Iterable[_Unit], arguments: tuple[Any, ...]) -> str:
        """Why the model does not give what it gave with these put in, and no others; "" where it does."""
        self._put([found for unit in units for found in unit])
        put = list(self.instead.values())
        self._outcome = on_example(self._twin, arguments, self._graph, put, self.as_it_was)
        return self._outcome.why_not

    def _put(self, blocks: Iterable[FoundBlock]) -> None:
        self._parents.restore()
        self._twin = self._whole
        self.instead.clear()
        wanted = [found for found in blocks if found in self._fused]
        parts = {found: self._convs[found] for found in wanted if not self._places[found].modules}
        for found in wanted:
            self._replace(self._places[found], self._convs[found])
        for run, own in by_owner(list(parts), self._graph):
            self._rewrite(run, own, parts)

    def as_it_was(self, module: nn.Module | None = None) -> AbstractContextManager[None]:
        """Where a part of the copy can be run, else all of it: what that writes over is given back."""
        module = self._twin if module is None else module
        held = parameters_and_buffers(module).items()
        given = {name: self._given[id(tensor)] for name, tensor in held if id(tensor) in self._given}
        return given_back(module, given)

    def _leave(self, found: FoundBlock, reason: str) -> None:
        self._left.append(LeftAlone(found.title, reason))
        self._fused.pop(found, None)

    def model(self) -> FusedModel:
        """The fused model, and the report."""
        once = {
            self._places[found].modules or found: found for found in self._fused
        }  # of one that runs again
        fused = tuple(self._fused[found] for found in self._blocks if found in once.values())
        report = ModelReport(
            fused, tuple(dict.fromkeys(self._left)), self._outcome.apart, self._outcome.largest
        )
        return FusedModel(self._twin, report)

    def _accept(self, found: FoundBlock, exact: Exact) -> None:
        """Make its convolution, and verify it."""
        conv = finished(found)
        verify(found, conv, exact)
        run = whole_run(found, self._graph) if self._each_alone else None
        if run is not None:
            refuse_other_results(run, conv, partial(self.as_it_was, run.module))
        self._convs[found] = conv

    def _placed(self, found: FoundBlock) -> Place | None:
        """Where it goes; None where it is left alone."""
        try:
            place = place_of(found, self._graph, self._blocks)
            refuse_read_beside(place, self._graph, self._readers)
        except FusionError as error:
            self._left.append(LeftAlone(found.title, str(error)))
            return None
        self._fused[found] = FusedBlock(
            found.title,
            found.shape_text,
            found.branches_text,
            place.how,
            found.block64,
            self._convs[found],
            found.dtype,
        )
        return place

    def _replace(self, place: Place, conv: nn.Conv2d) -> None:
        for first, module in enumerate(place.modules):
            new = conv if first == 0 else nn.Identity()
            if module is self._whole:
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
                refuse_other_results(run, module, partial(self.as_it_was, run.module))
        except FusionError as error:
            for found in own:
                self._leave(found, str(error))
            return
        if run.module is self._whole:
            self._twin = module
        self._parents.replace(run.module, module)
        self.instead[self._paths[run.module]] = module
