"""ModuleBlock: a block that was found in somebody's module as what the bench looks at."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor

from tui.analysis.origin import HOW_IT_IS_RUN, Origin
from tui.fusion.block import ReparamBlock
from tui.fusion.kernel import FusionError
from tui.fusion.padding import Border, same_border, show_padding
from tui.fusion.spec import BlockSpec, Dtype
from tui.fusion.structure import structure_of
from tui.fusion.torch_dtypes import dtype_of, torch_dtype
from tui.modules.found import FoundBlock

SMALLEST_INPUT = 9
"""Rows and columns that a block is run on at first, where its kernel is not larger."""
_OF_THE_INPUT = HOW_IT_IS_RUN - {"dtype"}


class ModuleBlock(Origin):
    """A block of a module, with the numbers that it had when the module was run.

    Attributes:
        found: it.

    Raises:
        FusionError: its numbers are of a dtype in which no block can be studied.
        InvalidSpecError: it is larger than what can be looked at.
    """

    def __init__(self, found: FoundBlock, title: str, container: str, *, given: bool) -> None:
        """`given`: whether the user said what the module runs on.

        Only then what reached the block is worth to be run on, and it begins with that.
        """
        self.found = found
        self.title = title
        self.container = container
        self._reached = found.region.source.value.detach() if given else None
        self._block = _as_it_pads(found)
        dtype = _dtype_for(found)
        begin = self._first_input() if self._reached is None else self._reached
        self.spec = replace(structure_of(self._block, begin), dtype=dtype)
        self.remarks = tuple(self._remarks())

    def block(self, spec: BlockSpec) -> ReparamBlock:
        """A copy of it, on the CPU: the module stays as it is."""
        return copy.deepcopy(self._block).to("cpu", torch_dtype(spec.dtype))

    def input(self, spec: BlockSpec) -> Tensor | None:
        """What reached it, as long as no other input is chosen."""
        if self._reached is None or _OF_THE_INPUT.intersection(self.spec.changes_from(spec)):
            return None
        return self._reached.to("cpu", torch_dtype(spec.dtype), copy=True)

    def _first_input(self) -> Tensor:
        rows, columns = (max(SMALLEST_INPUT, size) for size in self._block.kernel_size)
        return torch.empty(1, self._block.in_channels, rows, columns, device="meta")

    def _remarks(self) -> Iterator[str]:
        found = self.found
        dtype = str(found.region.sink.tensor.dtype).removeprefix("torch.")
        yield f"{found.shape_text.replace('->', '→')}, {dtype}"
        yield "read off a run of its forward"
        if self._reached is not None:
            yield "runs on what reached it in that run"
        if not found.pads_same and self._block.geometry.border is None:
            yield f"the module pads {show_padding(found.border)}, here it is padded same"


def _as_it_pads(found: FoundBlock) -> ReparamBlock:
    """A copy of the block that pads as the module does, where an nn.Conv2d could pad so."""
    block = copy.deepcopy(found.block)
    left, right, top, bottom = found.border
    if found.pads_same or (left, top) != (right, bottom):
        return block
    same = same_border(block.kernel_size, block.geometry.dilation)
    for branch in block.branches:
        own = same_border(branch.kernel_size, branch.dilation)
        branch.own_border = _moved(own, same, found.border)
    block.geometry = replace(block.geometry, border=found.border)
    return block


def _moved(own: Border, same: Border, border: Border) -> Border:
    left, right, top, bottom = (
        mine + given - usual for mine, usual, given in zip(own, same, border, strict=True)
    )
    return left, right, top, bottom


def _dtype_for(found: FoundBlock) -> Dtype:
    dtype = found.region.sink.tensor.dtype
    try:
        return dtype_of(dtype)
    except KeyError:
        raise FusionError(f"{dtype} is none of the dtypes in which blocks are studied here") from None
