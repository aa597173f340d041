"""From a found block to a ReparamBlock with the file's numbers, and to the fused tensors in its place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tui.checkpoints.found import FoundBlock, FoundBranch, FoundLayer
from tui.checkpoints.inspection.value_problems import ValueProblem, problems_of
from tui.fusion.block import ReparamBlock
from tui.fusion.kernel import FusionError, Kernel
from tui.fusion.layers import (
    Average,
    Branch,
    Chain,
    Convolution,
    Factor,
    FixedDepthwise,
    Identity,
    Layer,
    Norm,
    OffsetConvolution,
    OffsetIdentityConv,
    Sum,
)
from tui.fusion.specs.geometry import Geometry
from tui.fusion.specs.layer_spec import LayerKind
from tui.fusion.widening import dilate

Read = Callable[[str], Tensor]
"""The tensor of that name, as the file has it."""


@dataclass(frozen=True, eq=False)
class BuiltBlock:
    """A block out of a file.

    Attributes:
        found: where it was found.
        block: it, in eval mode, its numbers the file's.
        problems: numbers that a block should not have.
    """

    found: FoundBlock
    block: ReparamBlock
    problems: tuple[ValueProblem, ...]


def block_of(
    found: FoundBlock, read: Read, *, eps: float | None = None, dtype: torch.dtype | None = None
) -> ReparamBlock:
    """The block, in eval mode, with the file's numbers.

    `eps`: of all its batch norms, for the family's. `dtype`: of its parameters; else the widest that its
    tensors have in the file, in which each number is what it is there.

    Raises:
        FusionError: a fixed kernel differs from channel to channel.
    """
    return built(found, read, eps=eps, dtype=dtype).block


def built(
    found: FoundBlock, read: Read, *, eps: float | None = None, dtype: torch.dtype | None = None
) -> BuiltBlock:
    """As `block_of`, and what is amiss with its numbers. Each tensor is read once.

    Raises:
        FusionError: as `block_of`.
    """
    tensors = {name: read(name).detach() for name in found.reads if not name.endswith("num_batches_tracked")}
    block = built_of(found, tensors, eps=eps, dtype=dtype)
    return BuiltBlock(found, block, tuple(problems_of(tensors)))


def built_of(
    found: FoundBlock,
    tensors: Mapping[str, Tensor],
    *,
    eps: float | None = None,
    dtype: torch.dtype | None = None,
) -> ReparamBlock:
    """As `block_of`, of tensors that were read.

    Raises:
        FusionError: as `block_of`.
    """
    widest = dtype or _widest(tensors.values())
    maker = _Maker(found, {name: tensor.to(widest) for name, tensor in tensors.items()}, eps)
    block = ReparamBlock(
        [maker.branch(each) for each in found.branches],
        Geometry(groups=found.groups),
        post_norm=found.post_norm is not None,
    )
    if found.post_norm is not None:
        block.post_norm = maker.norm(found.post_norm)
    return block.to(widest).eval()


def fused_tensors(found: FoundBlock, block: ReparamBlock) -> dict[str, Tensor]:
    """The fused weight and bias under the names that the family's fused model has, in the file's dtype.

    Folded in float64 and rounded once. A block that adds nothing has a bias of zeros.

    Raises:
        FusionError: the block is not a convolution.
    """
    kernel = block.kernel()
    weight, bias = found.fused
    dtype = getattr(torch, found.dtype)
    offsets = kernel.weight.new_zeros(len(kernel.weight)) if kernel.bias is None else kernel.bias
    return {
        weight.name: kernel.weight.to(dtype).reshape(weight.shape).contiguous(),
        bias.name: offsets.to(dtype).contiguous(),
    }


def _widest(tensors: Iterable[Tensor]) -> torch.dtype:
    widest = torch.float16
    for place, tensor in enumerate(tensors):
        widest = tensor.dtype if place == 0 else torch.promote_types(widest, tensor.dtype)
    return widest


class _Maker:
    """Makes layers out of tensors, which are not copied."""

    def __init__(self, found: FoundBlock, tensors: dict[str, Tensor], eps: float | None) -> None:
        self._full_name = found.full_name
        self._tensors = tensors
        self._eps = eps

    def branch(self, found: FoundBranch) -> Branch:
        chain = found.chain
        return Branch(
            found.name,
            self._layers(found.layers),
            own_groups=chain.own_groups,
            zeros_between=chain.zeros_between,
        )

    def _layers(self, layers: Iterable[FoundLayer]) -> list[tuple[str, Layer]]:
        return [(layer.spec.name, self._layer(layer)) for layer in layers]

    def _layer(self, found: FoundLayer) -> Layer:
        spec = found.spec
        match spec.kind:
            case LayerKind.CONVOLUTION | LayerKind.OFFSET_CONVOLUTION:
                return self._conv(found)
            case LayerKind.NORM:
                return Norm(self.norm(found), spec.out_channels)
            case LayerKind.ALPHA | LayerKind.GAMMA:
                return self._factor(found)
            case LayerKind.AVERAGE:
                return Average(spec.out_channels, spec.kernel_size)
            case LayerKind.DEPTHWISE:
                return self._fixed(found)
            case LayerKind.SUM:
                return Sum(Chain(self._layers(chain), own_groups=spec.out_channels) for chain in found.chains)
            case _:
                return Identity(spec.out_channels)

    def _tensor(self, found: FoundLayer, part: str) -> Tensor | None:
        name = dict(found.names).get(part)
        return None if name is None else self._tensors[self._full_name(name)]

    def _given(self, found: FoundLayer, part: str) -> Tensor:
        tensor = self._tensor(found, part)
        assert tensor is not None  # recognised only with it
        return tensor

    def _conv(self, found: FoundLayer) -> Layer:
        spec = found.spec
        groups = spec.groups or spec.in_channels
        stored = tuple((size - 1) // found.spread + 1 for size in spec.kernel_size)
        weight = self._given(found, "weight").reshape(spec.out_channels, spec.in_channels // groups, *stored)
        weight = dilate(Kernel(weight, None), (found.spread, found.spread)).weight
        bias = self._tensor(found, "bias")
        conv: nn.Conv2d
        if spec.kind == LayerKind.OFFSET_CONVOLUTION:
            conv = OffsetIdentityConv(spec.out_channels, groups=groups, bias=bias is not None)
        else:
            conv = nn.Conv2d(
                spec.in_channels,
                spec.out_channels,
                spec.kernel_size,
                dilation=spec.dilation,
                groups=groups,
                bias=bias is not None,
                device="meta",  # no memory and no random values for parameters that are replaced at once
            )
        conv.weight = nn.Parameter(weight)
        conv.bias = None if bias is None else nn.Parameter(bias)
        return OffsetConvolution(conv) if isinstance(conv, OffsetIdentityConv) else Convolution(conv)

    def norm(self, found: FoundLayer) -> nn.BatchNorm2d:
        spec = found.spec
        gamma, beta = self._tensor(found, "weight"), self._tensor(found, "bias")
        eps = self._eps if self._eps is not None else spec.eps
        assert eps is not None  # every found norm has its family's
        norm = nn.BatchNorm2d(spec.out_channels, eps=eps, affine=gamma is not None, device="meta")
        if gamma is not None and beta is not None:
            norm.weight, norm.bias = nn.Parameter(gamma), nn.Parameter(beta)
        norm.running_mean = self._given(found, "running_mean")
        norm.running_var = self._given(found, "running_var")
        norm.num_batches_tracked = None
        return norm

    def _factor(self, found: FoundLayer) -> Factor:
        by_channel = found.spec.kind == LayerKind.GAMMA
        factor = Factor(found.spec.out_channels, by_channel=by_channel)
        shape = (found.spec.out_channels,) if by_channel else ()
        if found.number is not None:
            factor.factor = nn.Parameter(torch.tensor(found.number), requires_grad=False)
        else:
            factor.factor = nn.Parameter(self._given(found, "factor").reshape(shape))
        return factor

    def _fixed(self, found: FoundLayer) -> FixedDepthwise:
        taps = self._given(found, "taps")[:, 0]
        if not bool((taps == taps[:1]).all()):
            name = self._full_name(dict(found.names)["taps"])
            raise FusionError(f"{name} is not the same kernel in each channel")
        rows = tuple(tuple(map(float, row)) for row in taps[0].tolist())
        fixed = FixedDepthwise(found.spec.out_channels, rows)
        fixed.factor = nn.Parameter(self._given(found, "factor").reshape(-1))
        fixed.bias = nn.Parameter(self._given(found, "bias").reshape(-1))
        return fixed
