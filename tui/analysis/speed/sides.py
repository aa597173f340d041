"""What is timed: a block as its modules run, with its batch norms folded, and fused; plain modules of torch.

`ReparamBlock.forward` finds out at each call what stands around the image. That is no part of what a model
pays: here it is found out once. A convolution pads by itself where an nn.Conv2d can, and a pad of its own
stands only where none can, as in the authors' modules.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import singledispatch

from torch import Tensor, nn
from torch.nn import functional

from tui.analysis.cost import COSTS
from tui.analysis.speed.report import Side
from tui.fusion.block import ReparamBlock
from tui.fusion.kernel import Kernel, fold_batch_norm
from tui.fusion.layers import Average, Convolution, Identity, Layer, Norm, Sum
from tui.fusion.layers.border import bordered, framed, pad_function_mode
from tui.fusion.layers.chain import Chain
from tui.fusion.pair_text import Pair
from tui.fusion.specs.block_spec import PaddingMode
from tui.fusion.specs.padding import Border, even_padding
from tui.fusion.unfilled_conv import unfilled_conv2d

NO_BORDER: Border = (0, 0, 0, 0)


def sides_of(block: ReparamBlock, fused: nn.Conv2d) -> Mapping[Side, nn.Module]:
    """Each side as plain modules, which share the block's parameters where they can; a block in eval mode.

    Raises:
        FusionError: a batch norm is in train mode, or keeps no statistics.
    """
    return {Side.UNFUSED: _side(block, folds=False), Side.FOLDED: _side(block, folds=True), Side.FUSED: fused}


def _side(block: ReparamBlock, *, folds: bool) -> nn.Module:
    branches = list(block.branches)
    norm = block.post_norm
    if norm is not None and len(branches) == 1:
        last = [*branches[0].layers, Norm(norm, block.out_channels)]
        return _run(_modules(branches[0], last, folds=folds))
    summed = _sum(_run(_modules(branch, branch.layers, folds=folds)) for branch in branches)
    return _run([summed] if norm is None else [summed, norm])


def _run(modules: Iterable[nn.Module]) -> nn.Module:
    """Modules one after the other; a single one is itself."""
    each = list(modules)
    return each[0] if len(each) == 1 else nn.Sequential(*each)


def _sum(modules: Iterable[nn.Module]) -> nn.Module:
    each = list(modules)
    return each[0] if len(each) == 1 else Added(each)


def _modules(chain: Chain, layers: Sequence[Layer], *, folds: bool, pads: bool = True) -> Iterator[nn.Module]:
    """What runs for these layers of a chain, in order.

    pads: whether the chain stands around the image by itself; not inside of a sum, which is given a border.
    """
    borders = _borders(chain) if pads else []
    is_folded = False
    for place, layer in enumerate(layers):
        if is_folded:
            is_folded = False
            continue
        norm = layers[place + 1].batch_norm if folds and place + 1 < len(layers) else None
        if norm is not None and _multiplies(layer):
            layer, is_folded = _folded(layer, norm), True
        border = borders[place] if place < len(borders) else NO_BORDER
        yield from _with_border(chain, place, layer, border, folds=folds)


def _borders(chain: Chain) -> list[Border]:
    """What stands around the image in front of each layer.

    The chain pads all of it in front of its first layer that sees neighbours. Where zeros stay zeros, rows
    are padded here in front of the first that reads up and down, and columns of the first that reads across:
    a 1 x 7 behind a 7 x 1 computes no pixel of the border, and its authors have it so (RepNeXt).
    """
    borders = [chain.border_before(place) for place in range(len(chain))]
    for place, (left, right, top, bottom) in enumerate(borders):
        layer = chain.layers[place]
        for axis, pixels in enumerate(((0, 0, top, bottom), (left, right, 0, 0))):
            later = _first_along(chain, place, axis)
            if any(pixels) and layer.kernel_size[axis] == 1 and later is not None:
                borders[place] = _plus(borders[place], pixels, -1)
                borders[later] = _plus(borders[later], pixels, 1)
    return borders


def _first_along(chain: Chain, place: int, axis: int) -> int | None:
    """The first layer from there on that reads along an axis, if zeros in front of it are still zeros."""
    for later, layer in enumerate(chain.layers[place:], place):
        if layer.kernel_size[axis] > 1:
            values = chain.constant_before(later) if chain.pads_zeros(place) else None
            return later if values is not None and _are_zeros(values) else None
        if layer.stride[axis] > 1:
            return None
    return None


def _plus(border: Border, other: Border, sign: int) -> Border:
    left, right, top, bottom = (one + sign * more for one, more in zip(border, other, strict=True))
    return left, right, top, bottom


def _with_border(
    chain: Chain, place: int, layer: Layer, border: Border, *, folds: bool
) -> Iterator[nn.Module]:
    if any(border):
        mode = PaddingMode.ZEROS if chain.pads_zeros(place) else chain.padding_mode
        constant = _constant_before(chain, place)
        padding = even_padding(border) if constant is None else None
        by_itself = None if padding is None else padding_by_itself(layer, padding, mode)
        if by_itself is not None:
            yield by_itself
            return
        yield Padded(border, mode) if constant is None else Framed(border, constant)
    yield from plain_modules(layer, folds)


def _constant_before(chain: Chain, place: int) -> Tensor | None:
    """What zeros outside have become in front of that layer; None where they are zeros, or copies."""
    if chain.pads_zeros(place) or chain.padding_mode is not PaddingMode.ZEROS:
        return None
    values = chain.constant_before(place)
    return None if values is None or _are_zeros(values) else values


def _are_zeros(values: Tensor) -> bool:
    """Whether all are; not known of a block without numbers."""
    return not values.is_meta and not bool(values.any())


def _multiplies(layer: Layer) -> bool:
    """Whether it runs as a convolution, into which a batch norm behind it can be folded."""
    spec = layer.spec()
    return spec.kind in COSTS and COSTS[spec.kind](spec).macs > 0


def _folded(layer: Layer, norm: nn.BatchNorm2d) -> Convolution:
    """A layer that multiplies, and the batch norm behind it, as one convolution in the layer's dtype."""
    kernel = fold_batch_norm(layer.kernel(), norm)
    dtype = next(tensor.dtype for tensor in (*layer.parameters(), *layer.buffers()))
    return Convolution(_conv(layer, kernel.to(dtype), layer.padding, layer.padding_mode))


def _conv(layer: Layer, kernel: Kernel, padding: Pair, mode: str) -> nn.Conv2d:
    """A kernel as an nn.Conv2d that moves as the layer does; its tensors are shared."""
    conv = unfilled_conv2d(
        layer.in_channels,
        layer.out_channels,
        layer.kernel_size,
        stride=layer.stride,
        padding=padding,
        dilation=layer.dilation,
        groups=layer.groups or layer.out_channels,
        bias=kernel.bias is not None,
        padding_mode=mode,
        dtype=kernel.weight.dtype,
    )
    conv.weight = _parameter(kernel.weight)
    if kernel.bias is not None:
        conv.bias = _parameter(kernel.bias)
    return conv


def _parameter(tensor: Tensor) -> nn.Parameter:
    return tensor if isinstance(tensor, nn.Parameter) else nn.Parameter(tensor, requires_grad=False)


@singledispatch
def plain_modules(layer: Layer, folds: bool) -> Iterator[nn.Module]:
    """The modules that run for a layer; a kind of layer that wraps none runs as it is."""
    yield layer


@plain_modules.register
def _(layer: Convolution, folds: bool) -> Iterator[nn.Module]:
    yield layer.conv


@plain_modules.register
def _(layer: Norm, folds: bool) -> Iterator[nn.Module]:
    yield layer.norm


@plain_modules.register
def _(layer: Average, folds: bool) -> Iterator[nn.Module]:
    yield layer.pool


@plain_modules.register
def _(layer: Identity, folds: bool) -> Iterator[nn.Module]:
    return iter(())


@plain_modules.register
def _(layer: Sum, folds: bool) -> Iterator[nn.Module]:
    chains = []
    for chain in layer.summands:
        modules = list(_modules(chain, chain.layers, folds=folds, pads=False))
        crop = layer.crop_of(chain)
        chains.append(_run([Padded(crop), *modules] if any(crop) else modules))
    yield _sum(chains)


@singledispatch
def padding_by_itself(layer: Layer, padding: Pair, mode: PaddingMode) -> nn.Module | None:
    """The module of a layer that pads so much by itself; None where its kind cannot."""
    return None


@padding_by_itself.register
def _(layer: Convolution, padding: Pair, mode: PaddingMode) -> nn.Module | None:
    conv = layer.conv
    if type(conv) is not nn.Conv2d or any(layer.padding):
        return None  # one with a forward of its own may not heed it
    return _conv(layer, Kernel(conv.weight, conv.bias), padding, mode.value)


@padding_by_itself.register
def _(layer: Average, padding: Pair, mode: PaddingMode) -> nn.Module | None:
    fits = all(2 * pixels <= size for pixels, size in zip(padding, layer.kernel_size, strict=True))
    if mode is not PaddingMode.ZEROS or not fits:
        return None
    return nn.AvgPool2d(layer.kernel_size, layer.stride, padding)


class Added(nn.Module):
    """Modules side by side; their outputs are added."""

    def __init__(self, modules: Iterable[nn.Module]) -> None:
        super().__init__()
        self.summands = nn.ModuleList(modules)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, in_channels, H, W) -> (batch, out_channels, H', W')."""
        y: Tensor | None = None
        for summand in self.summands:
            y = summand(x) if y is None else y + summand(x)
        assert y is not None
        return y


class Padded(nn.Module):
    """An image with zeros or copies around it, or cropped."""

    def __init__(self, border: Border, mode: PaddingMode = PaddingMode.ZEROS) -> None:
        super().__init__()
        self.border = border
        self.mode = pad_function_mode(mode)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, H, W) -> as many pixels more, or fewer, as the border says."""
        return bordered(x, self.border, self.mode)


class Framed(nn.Module):
    """An image with one number a channel around it, found out once (as DBB, ECBSR and RRRB pad)."""

    values: Tensor

    def __init__(self, border: Border, values: Tensor) -> None:
        super().__init__()
        self.border = border
        self.register_buffer("values", values.detach().clone().view(-1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, H, W) -> as many pixels more as the border says."""
        if min(self.border) < 0:
            return framed(x, self.border, self.values)
        left, right, top, bottom = self.border
        y = functional.pad(x, self.border)
        height, width = y.shape[2:]
        y[:, :, :top] = self.values
        y[:, :, height - bottom :] = self.values
        y[:, :, :, :left] = self.values
        y[:, :, :, width - right :] = self.values
        return y
