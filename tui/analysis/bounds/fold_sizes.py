"""How large the numbers were that a fold added up to each weight, and how often it rounded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from torch import Tensor, nn

from tui.analysis.bounds.by_layer import FoldSize, offset_size, size_of
from tui.analysis.numerics.precision import BATCH_NORM_ROUNDINGS
from tui.fusion.block import ReparamBlock
from tui.fusion.composition import Placed, followed_by
from tui.fusion.kernel import Kernel, add, affine_of, scale
from tui.fusion.layers import Branch, Chain, Layer
from tui.fusion.specs.layer_spec import in_a_row
from tui.fusion.specs.padding import taps_apart
from tui.fusion.widening import dilate


@dataclass(frozen=True, eq=False)
class FoldSizes:
    """What the fold of a whole block went through.

    Attributes:
        kernel, roundings, summing: as FoldSize's.
        touched: weights that are no plain copy of one branch's weight, a mask of the weight's shape.
    """

    kernel: Kernel
    roundings: int
    touched: Tensor
    summing: int = 0

    def rows(self, rows: Sequence[int]) -> FoldSizes:
        """Of these output channels only."""
        if len(rows) == len(self.touched):
            return self
        return replace(self, kernel=self.kernel.rows(rows), touched=self.touched[list(rows)])


def fold_sizes(block: ReparamBlock) -> FoldSizes:
    """The fold of all branches into one kernel, as ReparamBlock does it or in any other order.

    Raises:
        FusionError: a layer of no known kind, or a norm that is not a batch norm in eval mode.
    """
    summands = [_written_for(block, branch) for branch in block.branches]
    if block.post_norm is not None:
        summands = [_normalised(summand, block.post_norm) for summand in summands]
    kernel = add([summand.kernel for summand in summands])
    roundings = max(summand.roundings for summand in summands) + len(summands)
    return FoldSizes(kernel, roundings, _touched(summands), max(summand.summing for summand in summands))


def _touched(summands: Iterable[FoldSize]) -> Tensor:
    """Where two branches meet, or one that was itself computed."""
    counts = [
        Kernel((1.0 + bool(summand.roundings)) * (summand.kernel.weight != 0), None) for summand in summands
    ]
    return add(counts).weight > 1


def _written_for(block: ReparamBlock, branch: Branch) -> FoldSize:
    """With the groups and the spacing of taps of the block."""
    placed, roundings, summing = _of_chain(branch)
    kernel = block.placed(branch, placed.in_groups(block.geometry.groups).kernel)
    return FoldSize(kernel, roundings, summing)


def _of_chain(chain: Chain) -> tuple[Placed, int, int]:
    """The sizes of a chain's kernel, how often it was rounded, and how often of that in sums."""
    so_far: Placed | None = None
    roundings = summing = 0
    for layer, taps in zip(chain.layers, in_a_row(chain.layers), strict=True):
        own = _of_layer(layer)
        kernel = own.kernel
        placed = Placed(kernel, layer.groups or len(kernel.weight), taps.dilation)
        if so_far is not None:
            terms = 0 if layer.rescales else kernel.weight[0].numel()
            roundings += own.roundings + (terms + 2 if terms else 0)
            summing += own.summing + terms
            so_far = followed_by(so_far, placed)
            continue
        roundings, summing = own.roundings, own.summing
        so_far = placed.in_groups(chain.own_groups) if chain.mixing_groups is None else placed
    assert so_far is not None
    return so_far, roundings, summing


def _of_layer(layer: Layer) -> FoldSize:
    """Of a layer's own kernel; of a sum that of its chains, added."""
    if not layer.summands:
        return size_of(layer)
    kernels, roundings, summing = [], 0, 0
    for chain in layer.summands:
        placed, own, own_summing = _of_chain(chain)
        kernel = placed.in_groups(layer.groups or layer.out_channels).kernel
        kernels.append(dilate(kernel, taps_apart(kernel.kernel_size, placed.dilation, layer.dilation)))
        roundings, summing = max(roundings, own), max(summing, own_summing)
    return FoldSize(add(kernels), roundings + len(kernels), summing)


def _normalised(size: FoldSize, norm: nn.Module) -> FoldSize:
    """Behind a batch norm: |s W|, and |s b| + |beta| + |s mean|."""
    factors, shift = affine_of(norm)
    offset = offset_size(norm, shift)
    kernel = scale(size.kernel, factors.abs())
    bias = offset if kernel.bias is None else kernel.bias + offset
    return FoldSize(Kernel(kernel.weight, bias), size.roundings + BATCH_NORM_ROUNDINGS, size.summing)
