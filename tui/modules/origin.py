"""ModuleBlock: a block out of a module as a study takes it, with what really reached it."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor, nn

from tui.analysis.origin import Origin
from tui.fusion.block import ReparamBlock
from tui.fusion.grammar.number_text import show_number
from tui.fusion.kernel import FusionError
from tui.fusion.specs.block_spec import BlockSpec, Dtype
from tui.fusion.specs.padding import Border, same_border, show_padding
from tui.fusion.structure import structure_of
from tui.fusion.torch_dtypes import dtype_of, torch_dtype
from tui.modules.found import FoundBlock

MOST_PIXELS = 64
"""Of each side of the image that a study begins with."""
SMALLEST_INPUT = 9
"""Rows and columns that a block is run on at first where what reached it says nothing."""


class ModuleBlock(Origin):
    """A found block: its numbers are copied for each study, so that the module keeps its own.

    Attributes:
        found: it.

    Raises:
        FusionError: its numbers are of a dtype in which no block can be studied.
        InvalidSpecError: it is larger than what can be looked at.
    """

    def __init__(
        self,
        found: FoundBlock,
        container: str,
        *,
        title: str = "",
        given: bool = True,
        all_of_it: bool = False,
    ) -> None:
        """`container`: what the block was found in: "ResNet", "blocks.py:Net".

        `title`: what it is called there, for its own. `given`: whether the user said what the whole runs on;
        only then what reached the block is worth to be run on. `all_of_it`: whether it is run on all of that,
        or on a part that can be looked at.
        """
        self.found = found
        name = title or found.title
        self.title = name or container
        self.container = container if name else ""
        self._reached = found.region.source.value.detach() if given else None
        self._block, self._block64 = (_as_it_pads(each, found) for each in (found.block, found.block64))
        self._eps = sorted({norm.eps for norm in _norms_of(self._block)})
        begin = self._first_input()
        if self._reached is not None:
            begin = self._reached if all_of_it else _window(self._reached, 1, MOST_PIXELS)
        self.spec = replace(structure_of(self._block, begin), dtype=_dtype_for(found))
        self.remarks = tuple(self._remarks())

    def block(self, spec: BlockSpec) -> ReparamBlock:
        """A copy of it; in float64 with what the forward makes of parameters made in float64."""
        own = self._block64 if spec.dtype is Dtype.FLOAT64 else self._block
        return copy.deepcopy(own).to("cpu", torch_dtype(spec.dtype)).requires_grad_(False).eval()

    def input(self, spec: BlockSpec) -> Tensor | None:
        """What reached it from the example, where the spec asks for no other numbers, and no more of them."""
        if self._reached is None or not self._reaches(self._reached, spec):
            return None
        rows, columns = spec.input_shape
        window = self._reached[: spec.batch_size, :, :rows, :columns]
        return window.to("cpu", torch_dtype(spec.dtype), copy=True)

    def image_of(self, spec: BlockSpec) -> str:
        """What is given to the whole is an example; a block in it has what that became."""
        if self._reached is None or not self._reaches(self._reached, spec):
            return ""
        return "what reached it" if self.container else "the example"

    def _reaches(self, reached: Tensor, spec: BlockSpec) -> bool:
        """Whether what the spec asks for is that, or a part of it."""
        batch, _, height, width = reached.shape
        rows, columns = spec.input_shape
        same = (spec.input, spec.seed) == (self.spec.input, self.spec.seed)
        return same and spec.batch_size <= batch and rows <= height and columns <= width

    def _first_input(self) -> Tensor:
        rows, columns = (max(SMALLEST_INPUT, size) for size in self._block.kernel_size)
        return torch.empty(1, self._block.in_channels, rows, columns, device="meta")

    def _remarks(self) -> Iterator[str]:
        """What was read, and where the study runs it otherwise than the module does."""
        found = self.found
        dtype = str(found.dtype).removeprefix("torch.")
        yield f"{found.shape_text.replace('->', '→')}, {dtype}"
        owner = f" in {found.owner}" if found.owner and found.owner != self.title else ""
        if found.region.calls:
            yield f"read off a run of the module{owner}"
        else:
            yield "by its answers to impulses: what it does was not understood step by step"
        if len(self._eps) > 1:
            yield f"eps {', '.join(map(show_number, self._eps))}: its norms differ"
        if self._reached is not None:
            whole = self.spec.input_nchw == tuple(self._reached.shape)
            yield f"runs on {'' if whole else 'a part of '}what reached it in that run"
        if not found.pads_same and self._block.geometry.border is None:
            yield f'the module pads {show_padding(found.border)}; here it runs with "same" padding'


def _window(reached: Tensor, batch: int, side: int) -> Tensor:
    return reached[:batch, :, :side, :side]


def _as_it_pads(block: ReparamBlock, found: FoundBlock) -> ReparamBlock:
    """The block, or a copy that pads as the module does, where an nn.Conv2d could pad so."""
    left, right, top, bottom = found.border
    if found.pads_same or (left, top) != (right, bottom):
        return block
    block = copy.deepcopy(block)
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


def _norms_of(block: ReparamBlock) -> Iterator[nn.BatchNorm2d]:
    return (each for each in block.modules() if isinstance(each, nn.BatchNorm2d))


def _dtype_for(found: FoundBlock) -> Dtype:
    try:
        return dtype_of(found.dtype)
    except KeyError:
        raise FusionError(f"{found.dtype} is none of the dtypes in which blocks are studied here") from None
