"""From a region to a ReparamBlock: its steps as layers, which hold the module's own parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

import torch
from torch import Tensor, nn

from tui.fusion.block import ReparamBlock
from tui.fusion.filled import batch_norm2d_of, conv2d_of
from tui.fusion.kernel import FusionError
from tui.fusion.layers import Average as AverageLayer
from tui.fusion.layers import Branch, Chain, Convolution, Factor, Identity, Layer, Norm
from tui.fusion.specs.block_spec import PaddingMode
from tui.fusion.specs.geometry import Geometry
from tui.fusion.specs.layer_spec import spacing_of
from tui.fusion.specs.padding import Border, same_border
from tui.modules.linear.meaning import Meanings
from tui.modules.linear.naming import Names, attribute_of, branch_names, layer_name, step_place
from tui.modules.linear.refusing import NotUnderstoodError
from tui.modules.linear.regions import Region, reach_of
from tui.modules.linear.steps import (
    Add,
    Average,
    Convolve,
    Frame,
    Normalise,
    Same,
    Scale,
    Shift,
    Step,
    Unknown,
)
from tui.modules.linear.strand import Link, Strand, aligned, groups_of, summed, taps_of
from tui.modules.run.exact import Exact
from tui.modules.run.graph import Node

AnyLayer = TypeVar("AnyLayer", bound=Layer)


@dataclass(frozen=True, eq=False)
class Lowered:
    """A region as a block.

    Attributes:
        block: it, in eval mode.
        border: what the module pads around the image for the fused kernel (left, right, top, bottom).
        pads_same: whether that is as the block pads when it runs: "same".
    """

    block: ReparamBlock
    border: Border
    pads_same: bool


def lowered(
    region: Region,
    meanings: Meanings,
    exact: Exact,
    *,
    in_float64: bool,
    refuse: Callable[[int], None] | None = None,
) -> Lowered:
    """The region as a block, of the module's own parameters, or of copies of them in float64.

    Numbers that the forward makes of parameters are made in float64, and rounded to the parameters' dtype
    where that is another.

    `refuse`: raises FusionError where a fused weight of so many numbers is not wanted; asked before the block
    is made.

    Raises:
        FusionError: it is not a single convolution.
    """
    maker = _Lowering(region, meanings, exact, in_float64)
    return maker.block(refuse)


@dataclass(frozen=True, eq=False)
class Base:
    """The image from which strands are counted, and what leads to it from the region's source."""

    node: Node
    strand: Strand | None


class _Lowering:
    """Makes a block of a region."""

    def __init__(self, region: Region, meanings: Meanings, exact: Exact, in_float64: bool) -> None:
        self._region = region
        self._meanings = meanings
        self._exact = exact
        self._in_float64 = in_float64
        self._dtype = torch.float64 if in_float64 else region.sink.tensor.dtype
        self._placement = torch.empty(0, dtype=self._dtype, device=region.sink.tensor.device)
        self._known: dict[tuple[Node, Node], list[Strand]] = {}
        self._root = Base(region.source, None)

    def block(self, refuse: Callable[[int], None] | None) -> Lowered:
        """The sum of the strands, each a branch; a batch norm behind the sum is the block's post norm."""
        sink, post = self._without_post_norm(self._region.sink)
        strands = self._strands(sink, self._root)
        if post is not None and len(strands) == 1:
            strands, post = self._strands(self._region.sink, self._root), None
        excess = aligned(strands)
        modes = {strand.mode for strand in strands if strand.mode != "zeros"} or {"zeros"}
        if len(modes) > 1:
            raise FusionError(f"{' and '.join(sorted(modes))} padding side by side are no single convolution")
        mode = PaddingMode(modes.pop())
        groups = groups_of(strands) or strands[0].channels
        taps = taps_of(strands)
        if refuse is not None:
            weights = strands[0].channels * self._region.source.tensor.shape[1] // groups
            refuse(weights * taps[0] * taps[1])
        names = branch_names([[link.path for link in strand.links if link.path] for strand in strands])
        named = zip(names, strands, strict=True)
        branches = [self._branch(strand, name, groups, mode) for name, strand in named]
        geometry = Geometry(strands[0].stride, spacing_of(branches), groups, mode)
        block = ReparamBlock(branches, geometry, post_norm=post is not None)
        if post is not None:
            block.post_norm = self._norm(post)
        same = same_border(taps, geometry.dilation)
        left, right, top, bottom = (own + more for own, more in zip(same, excess, strict=True))
        if min(left, right, top, bottom) < 0:
            raise NotUnderstoodError(
                "the image is cropped by more than it is padded: no convolution does that"
            )
        return Lowered(block.eval(), (left, right, top, bottom), not any(excess))

    def _without_post_norm(self, sink: Node) -> tuple[Node, Normalise | None]:
        step = self._meanings.of(sink)
        while isinstance(step, Same):
            sink = step.images[0]
            step = self._meanings.of(sink)
        if isinstance(step, Normalise) and step.images[0] is not self._region.source:
            return step.images[0], step
        return sink, None

    def _strands(self, node: Node, base: Base) -> list[Strand]:
        """What leads from the base to that image, as strands that are added."""
        if node is base.node:
            return [Strand(node.tensor.shape[1], before=base.strand)]
        if (node, base.node) not in self._known:
            step = self._meanings.of(node)
            assert not isinstance(step, Unknown)
            self._known[node, base.node] = self._made(node, step, base)
        return self._known[node, base.node]

    def _made(self, node: Node, step: Step, base: Base) -> list[Strand]:
        if isinstance(step, Add):
            return self._added(node, step, base)
        before = self._strands(step.images[0], base)
        if isinstance(step, Same):
            return before
        if isinstance(step, Shift):
            return [*before, self._shifted(step, before[0], base)]
        if isinstance(step, Frame) and len(before) > 1 and max(step.border) <= 0:
            return [self._framed(strand, step) for strand in before]
        return [self._after(self._one(before, step), step)]

    def _added(self, node: Node, step: Add, base: Base) -> list[Strand]:
        """The summands; where all of them begin behind a layer that they share, that and then their sum."""
        near = reach_of(node, self._meanings).regions[0].source
        if near is not base.node:
            outer = self._one(self._strands(near, base), step)
            inner = self._summands(step, Base(near, outer))
            return [outer.with_sum(summed(inner, self._chain, step.calls[0].path), step_place(step.calls[0]))]
        return self._summands(step, base)

    def _summands(self, step: Add, base: Base) -> list[Strand]:
        strands = []
        for image, factor in zip(step.images, step.factors, strict=True):
            part = self._strands(image, base)
            strands += part if factor == 1 else [self._scaled(self._one(part, step), factor)]
        return strands

    def _one(self, strands: list[Strand], step: Step) -> Strand:
        return strands[0] if len(strands) == 1 else summed(strands, self._chain, step.calls[-1].path)

    def _after(self, strand: Strand, step: Step) -> Strand:
        match step:
            case Convolve():
                return self._convolved(strand, step)
            case Normalise():
                norm = self._here(Norm(self._norm(step), strand.channels))
                return strand.followed_by(Link(attribute_of(step.calls[0], step.weight or step.mean), norm))
            case Average():
                strand = self._padded(strand, step, step.border, "zeros")
                average = self._here(AverageLayer(strand.channels, step.kernel_size, step.stride))
                return strand.followed_by(Link(step.calls[0].path, average))
            case Scale():
                return strand.followed_by(
                    Link(attribute_of(step.calls[0], step.node), self._factor(strand, step))
                )
            case Frame():
                return self._framed(strand, step)
        raise FusionError(f"{type(step).__name__} is not a kind of step that is known here")

    def _framed(self, strand: Strand, step: Frame) -> Strand:
        return self._padded(strand, step, step.border, step.mode, step.values)

    def _padded(
        self, strand: Strand, step: Step, border: Border, mode: str, values: Tensor | None = None
    ) -> Strand:
        if not any(border):
            return strand
        height, width = step.images[0].tensor.shape[2:]
        values = self._zeros(strand) if values is None else values
        checked = values if self._in_float64 else None
        return strand.framed(border, mode, checked, step_place(step.calls[-1]), (height, width))

    def _zeros(self, strand: Strand) -> Tensor:
        return torch.zeros(strand.channels, dtype=torch.float64, device=self._region.sink.tensor.device)

    def _convolved(self, strand: Strand, step: Convolve) -> Strand:
        strand = self._padded(strand, step, step.border, step.mode)
        weight, bias = self._parameter(step.weight), self._parameter(step.bias)
        assert weight is not None
        conv = conv2d_of(weight, bias, stride=step.stride, dilation=step.dilation, groups=step.groups)
        whole = None
        if step.module is not None and not self._in_float64 and not isinstance(step.module.padding, str):
            whole = self._here(Convolution(step.module))
        layer = self._here(Convolution(conv))
        return strand.followed_by(Link(attribute_of(step.calls[0], step.weight), layer, whole))

    def _norm(self, step: Normalise) -> nn.BatchNorm2d:
        if step.module is not None and not self._in_float64:
            return step.module
        mean, var = self._numbers(step.mean), self._numbers(step.var)
        return batch_norm2d_of(self._parameter(step.weight), self._parameter(step.bias), mean, var, step.eps)

    def _factor(self, strand: Strand, step: Scale) -> Factor:
        factor = self._here(Factor(strand.channels, by_channel=step.factor.dim() > 0))
        numbers = step.factor
        if step.learned and step.node is not None and not self._in_float64:
            own = step.node.value.detach()
            if own.numel() == numbers.numel() and own.dtype is self._dtype:
                numbers = own.reshape(numbers.shape)
        factor.factor = nn.Parameter(numbers.to(self._dtype), requires_grad=False)
        return factor

    def _scaled(self, strand: Strand, factor: float) -> Strand:
        layer = self._here(Factor(strand.channels, by_channel=False))
        layer.factor = nn.Parameter(torch.tensor(factor, dtype=self._dtype), requires_grad=False)
        return strand.followed_by(Link("", layer))

    def _shifted(self, step: Shift, strand: Strand, base: Base) -> Strand:
        """A number a channel, as a 1x1 convolution of zeros with that bias."""
        channels, out_channels = base.node.tensor.shape[1], len(step.offset)
        groups = channels if channels == out_channels else 1
        weight = torch.zeros(out_channels, channels // groups, 1, 1, dtype=self._dtype)
        conv = conv2d_of(
            nn.Parameter(weight, requires_grad=False),
            nn.Parameter(step.offset.to(self._dtype), requires_grad=False),
            stride=strand.stride,
            groups=groups,
        )
        link = Link(attribute_of(step.calls[0], step.node), self._here(Convolution(conv)))
        plain = Strand(channels, before=base.strand).followed_by(link)
        return replace(plain, border=strand.excess, mode=strand.mode)

    def _here(self, layer: AnyLayer) -> AnyLayer:
        """The layer where the module is, which is not moved itself."""
        layer._buffers["_placement"] = self._placement
        return layer

    def _parameter(self, node: Node | None) -> nn.Parameter | None:
        if node is None:
            return None
        if not self._in_float64 and isinstance(node.tensor, nn.Parameter) and node.kept is None:
            return node.tensor
        return nn.Parameter(self._numbers(node), requires_grad=False)

    def _numbers(self, node: Node) -> Tensor:
        """A constant's own tensor where it is one of the module's, else what was computed, rounded once."""
        if node.call is None and not self._in_float64:
            return node.value.detach()
        return self._exact.constant(node).to(self._dtype)

    def _chain(self, strand: Strand, own_groups: int) -> Chain:
        return Chain(self._layers(strand), own_groups=own_groups)

    def _branch(self, strand: Strand, name: str, groups: int, mode: PaddingMode) -> Branch:
        branch = Branch(name, self._layers(strand), own_groups=groups, padding_mode=mode)
        first = strand.links[0] if strand.links else None
        if first is None or first.whole is None or first.whole.padding_mode != mode:
            return branch
        left, right, top, bottom = branch.border_before(0)
        if first.whole.padding == (top, left) == (bottom, right):  # then the module itself can be in it
            branch.replace_layer(branch.layers[0].name, first.whole)
        return branch

    def _layers(self, strand: Strand) -> list[tuple[str, Layer]]:
        if not strand.links:
            return [("identity", self._here(Identity(strand.channels)))]
        links, names = list(strand.links), Names()
        made: list[tuple[str, Layer]] = []
        if all(link.layer.rescales for link in links):
            identity = self._here(Identity(links[0].layer.in_channels))
            made.append((names.unlike("identity", "_"), identity))
        named = ((names.unlike(layer_name(link.path, link.layer), "_"), link.layer) for link in links)
        return [*made, *named]
