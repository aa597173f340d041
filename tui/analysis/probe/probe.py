"""One output element written out: the products and sums of every branch, and of the fused convolution.

Each sum is computed exactly and rounded once, where the block stores a tensor: what a person gets by hand.
torch adds in an order of its own and rounds each addition, so its own values stand beside them.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from tui.analysis.numerics.exact_sum import rounded
from tui.analysis.numerics.pixel import Pixel
from tui.analysis.numerics.precision import spacing_at
from tui.analysis.probe.by_hand import ProbedBranch, probe_branch
from tui.analysis.probe.taps import Taps
from tui.analysis.probe.written import Applied, Element, WrittenStage, normed, written_sum
from tui.analysis.study import Study
from tui.fusion.block import ReparamBlock
from tui.fusion.kernel import FusionError
from tui.fusion.specs.block_spec import Dtype, PaddingMode, Pair


@dataclass(frozen=True, slots=True)
class Totals:
    """The element on both sides; `ulps` is how far apart, in spacings of the dtype at the larger one."""

    dtype: Dtype
    unfused: float
    fused: float

    @property
    def difference(self) -> float:
        """fused - unfused."""
        return self.fused - self.unfused

    @property
    def ulps(self) -> float:
        """|difference| in spacings of the dtype's numbers."""
        return abs(self.difference) / spacing_at(max(self.fused, self.unfused, key=abs), self.dtype)


@dataclass(frozen=True, eq=False)
class Unfused:
    """The unfused side by hand.

    Attributes:
        branches: what each adds, in the order in which the block adds them.
        sums: after each branch the sum so far, rounded to the dtype.
        post: the batch norm after the sum.
    """

    branches: tuple[ProbedBranch, ...]
    sums: tuple[float, ...]
    post: Applied | None

    @property
    def value(self) -> float:
        """The block's output."""
        return self.sums[-1] if self.post is None else self.post.value


@dataclass(frozen=True, eq=False)
class Probe:
    """One element of the output.

    Attributes:
        pixel: its place.
        unfused: None where it cannot be written out; `obstacle` says why.
        fused: the fused convolution by hand, its kernel in the dtype.
        torch: both outputs as torch computed them in the dtype. `float64`: in float64.
    """

    pixel: Pixel
    unfused: Unfused | None
    obstacle: str
    fused: WrittenStage
    torch: Totals
    float64: Totals

    @property
    def by_hand(self) -> Totals | None:
        """Both sides by hand."""
        if self.unfused is None:
            return None
        return Totals(self.torch.dtype, self.unfused.value, self.fused.value)


@torch.no_grad()
def probe(study: Study, pixel: Pixel, between: int = 0) -> Probe:
    """Write the element out on both sides; reads only what it needs.

    `between` chooses the channel between the two steps of a sequence whose first step is written out too.
    """
    batch, channel, row, column = pixel
    image = study.x[batch]
    height, width = image.shape[1:]
    element = Element(channel, (row, column), (int(height), int(width)), study.x.dtype)
    unfused, obstacle = None, ""
    try:
        unfused = _unfused(study.fusion.block, image, element, between)
    except FusionError as error:
        obstacle = str(error)
    dtype = study.spec.dtype
    return Probe(
        pixel,
        unfused,
        obstacle,
        _fused(study, image, element),
        Totals(dtype, float(study.outputs.unfused[pixel]), float(study.outputs.fused[pixel])),
        Totals(Dtype.FLOAT64, float(study.outputs64.unfused[pixel]), float(study.outputs64.fused[pixel])),
    )


def fused_taps(study: Study, pixel: Pair) -> Taps:
    """Where the fused kernel reads for the output elements in that row and column."""
    height, width = study.spec.input_shape
    element = Element(0, pixel, (height, width), study.x.dtype)
    size = study.fused_kernel.kernel.kernel_size  # a wrong one may be smaller than the frame
    return element.taps(size, study.fusion.geometry)


def _unfused(block: ReparamBlock, image: torch.Tensor, element: Element, between: int) -> Unfused:
    if block.training:
        raise FusionError(
            "The block runs in train mode: its batch norms follow the statistics of the whole batch, "
            "which no patch shows."
        )
    branches = tuple(probe_branch(branch, image, element, between) for branch in block.branches)
    sums = [branches[0].stage.value]
    for branch in branches[1:]:
        sums.append(rounded(sums[-1] + branch.stage.value, element.dtype))
    post = None
    if block.post_norm is not None:
        post = normed(block.post_norm, "post norm", element.channel, sums[-1], element.dtype)
    return Unfused(branches, tuple(sums), post)


def _fused(study: Study, image: torch.Tensor, element: Element) -> WrittenStage:
    conv, kernel = study.conv, study.fused_kernel.kernel
    taps = fused_taps(study, element.pixel)
    group = _group_of(element.channel, conv)
    return WrittenStage(
        written_sum(
            taps.read(image[group.start : group.stop], PaddingMode(conv.padding_mode)),
            kernel.weight[element.channel],
            None if kernel.bias is None else kernel.bias[element.channel],
            taps.padding,
            first_channel=group.start,
            dtype=element.dtype,
        )
    )


def _group_of(out_channel: int, conv: nn.Conv2d) -> range:
    """The input channels that an output channel reads."""
    columns = conv.in_channels // conv.groups
    group = out_channel // (conv.out_channels // conv.groups)
    return range(group * columns, (group + 1) * columns)
