"""ModuleBlock: a block out of a module as a study takes it, with what really reached it."""

from __future__ import annotations

import copy
from dataclasses import replace

from torch import Tensor

from tui.analysis.origin import Origin
from tui.fusion.block import ReparamBlock
from tui.fusion.padding import Border
from tui.fusion.spec import BlockSpec, Dtype
from tui.fusion.structure import structure_of
from tui.fusion.torch_dtypes import dtype_of, torch_dtype
from tui.modules.found import FoundBlock

MOST_PIXELS = 64
"""Of each side of the image that a study begins with."""


class ModuleBlock(Origin):
    """A found block: its numbers are copied for each study, so that the module keeps its own.

    Attributes:
        found: it.
    """

    def __init__(self, found: FoundBlock, container: str) -> None:
        """`container`: what the block was found in: "ResNet", "blocks.py:Net"."""
        self.found = found
        self.title = found.title or container
        self.container = container if found.title else ""
        reached = found.region.source.value[:1, :, :MOST_PIXELS, :MOST_PIXELS]
        dtype = Dtype(dtype_of(found.dtype))
        self.spec = replace(structure_of(found.block, reached), dtype=dtype)
        self.remarks = tuple(_remarks(found))

    def block(self, spec: BlockSpec) -> ReparamBlock:
        """A copy of it; in float64 with what the forward makes of parameters made in float64."""
        dtype = torch_dtype(spec.dtype)
        own = self.found.block64 if spec.dtype is Dtype.FLOAT64 else self.found.block
        return copy.deepcopy(own).to(dtype).requires_grad_(False).eval()

    def input(self, spec: BlockSpec) -> Tensor | None:
        """What reached it from the example, where the spec asks for no other numbers, and no more of them."""
        if (spec.input, spec.seed) != (self.spec.input, self.spec.seed):
            return None
        reached = self.found.region.source.value
        batch, _, height, width = reached.shape
        rows, columns = spec.input_shape
        if spec.batch_size > batch or rows > height or columns > width:
            return None
        return reached[: spec.batch_size, :, :rows, :columns].to(torch_dtype(spec.dtype), copy=True)


def _remarks(found: FoundBlock) -> list[str]:
    """What was read, and where the study runs it otherwise than the module does."""
    owner = f" in {found.owner}" if found.owner and found.owner != found.title else ""
    made = [f"read off a run of the module{owner}"]
    if not found.region.calls:
        made = ["by its answers to impulses: what it does was not understood step by step"]
    if not found.pads_same:
        made.append(f'the module pads {_shown(found.border)}; here it runs with "same" padding')
    return made


def _shown(border: Border) -> str:
    left, right, top, bottom = border
    if left == right and top == bottom:
        return str(top) if top == left else f"{top}x{left}"
    return f"{left} left, {right} right, {top} above, {bottom} below"
