"""Convolutions as matrix products of shifted images, where that takes less time and memory than torch's own.

torch runs a float64 convolution by unfolding the input, all taps of it, one group after the other (im2col).
A depthwise 31 x 31 takes it 5 times as long as here at 56 x 56 and 30 times at 128 x 128, a dense 3 x 3 of
64 to 512 channels 1.1 to 2 times. In float32 oneDNN is faster, but for grouped kernels that reach further
than 13 pixels: those take it 4 to 16 times as long.

Each output element is a plain sum of its products, in an order of our own: bounds on the error of such a sum
hold, element by element, as they do not for Winograd's or Fourier's. So it serves references and bounds. What
is judged runs as torch runs it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from tui.analysis.numerics.convolution_shape import ConvolutionShape, Way
from tui.fusion.specs.block_spec import Pair

_CONVOLVE: Callable[..., Tensor] = torch.conv2d

_IN_CACHE = 2**18
"""Elements of several groups to work on at a time."""

_AT_ONCE = 2**20
"""Elements of one group to work on at a time: to cut an image costs the rows that two parts share."""


class ConvolutionsAsProducts(TorchFunctionMode):
    """Inside `with`, conv2d on float64 and float32 CPU tensors runs as products where that is faster.

    Every other function, and every call that torch refuses, goes to torch.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Run conv2d here; leave every other function alone."""
        if func is _CONVOLVE:
            return _convolved(*args, **kwargs or {})
        return func(*args, **kwargs or {})


def _convolved(
    input: Tensor,  # named as torch names it
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: str | int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor:
    """torch.conv2d, by whichever way is faster."""
    steps, apart = _pair(stride), _pair(dilation)
    if _fit(input, weight, bias, groups) and min(*steps, *apart) > 0:
        border = _border(padding, (weight.shape[2], weight.shape[3]), apart)
        image = (
            input.shape[2] + border[2] + border[3],
            input.shape[3] + border[0] + border[1],
        )
        rows, columns = weight.shape[0] // groups, weight.shape[1]
        size = (weight.shape[2], weight.shape[3])
        shape = ConvolutionShape(image, size, steps, apart, groups, rows, columns)
        double = input.dtype is torch.float64
        way = (
            shape.way(double=double)
            if min(*shape.output, *border, 0) == 0 and 0 not in shape.output
            else Way.TORCH
        )
        if way is not Way.TORCH:
            y = _WAYS[way](
                (functional.pad(input, border) if any(border) else input).contiguous(), weight, shape
            )
            return y if bias is None else y.add_(bias.view(-1, 1, 1))
    return _CONVOLVE(input, weight, bias, stride, padding, dilation, groups)


def _fit(x: Tensor, weight: Tensor, bias: Tensor | None, groups: int) -> bool:
    """Whether these are CPU tensors of one dtype and of shapes that go together, and need no gradient."""
    tensors = [x, weight] if bias is None else [x, weight, bias]
    if torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors):
        return False
    return (
        x.dtype in (torch.float64, torch.float32)
        and all(tensor.device.type == "cpu" and tensor.dtype is x.dtype for tensor in tensors)
        and x.dim() == weight.dim() == 4
        and 0 not in (*x.shape, *weight.shape)
        and groups > 0
        and len(weight) % groups == 0
        and x.shape[1] == weight.shape[1] * groups
        and (bias is None or bias.shape == (len(weight),))
    )


def _pair(value: int | Sequence[int]) -> Pair:
    values = (value,) if isinstance(value, int) else tuple(value)
    return values[0], values[-1]


def _border(padding: str | int | Sequence[int], size: Pair, dilation: Pair) -> tuple[int, int, int, int]:
    """Pixels at the left, the right, the top and the bottom."""
    if padding == "same":
        down, across = ((length - 1) * step for length, step in zip(size, dilation, strict=True))
        return across // 2, across - across // 2, down // 2, down - down // 2
    down, across = (0, 0) if isinstance(padding, str) else _pair(padding)
    return across, across, down, down


def _by_taps(x: Tensor, weight: Tensor, shape: ConvolutionShape) -> Tensor:
    """A dense convolution of stride 1: for each tap a product with the image, as it lies in memory, shifted.

    What a shift carries from one row's end to the next row's start falls on pixels beyond the output's width.
    """
    (height, width), (_, stride) = shape.output, shape.image
    taps = weight.permute(2, 3, 0, 1).contiguous().flatten(0, 1)
    whole = x.new_empty(len(weight), height * stride)
    used = (height - 1) * stride + width
    summed = whole[:, :used]
    y = x.new_empty(len(x), len(weight), height, width)
    for image, out in zip(x.flatten(2), y, strict=True):
        for place, tap in enumerate(taps):
            row, column = divmod(place, shape.size[1])
            start = row * shape.dilation[0] * stride + column * shape.dilation[1]
            shifted = image[:, start : start + used]
            if place:
                summed.addmm_(tap, shifted)
            else:
                torch.mm(tap, shifted, out=summed)
        out.copy_(whole.view(-1, height, stride)[:, :, :width])
    return y


def _by_rows(x: Tensor, weight: Tensor, shape: ConvolutionShape) -> Tensor:
    """A grouped convolution: unfold along the width only, let each row of the kernel meet each row of that.

    What kernel row i and image row h make is then added up along i, at h = stride row + dilation i. As many
    groups and rows at a time as stay in the cache.
    """
    groups, rows, columns = shape.groups, shape.rows, shape.columns
    (height, width), (tall, wide) = shape.output, shape.size
    kernels = weight.view(groups, rows, columns, tall, wide).transpose(2, 3)
    kernels = kernels.reshape(groups, rows * tall, columns * wide)
    y = x.new_empty(len(x), groups, rows, height, width)
    depth = (columns * wide + rows * tall) * width
    deep = max(_AT_ONCE // depth, 2 * shape.reach[0])  # image rows at a time; all but reach - 1 are new
    lines = min(height, (deep - shape.reach[0]) // shape.stride[0] + 1)
    together = max(1, _IN_CACHE // (depth * ((lines - 1) * shape.stride[0] + shape.reach[0])))
    for image, out in zip(x.view(len(x), groups, columns, *shape.image), y, strict=True):
        for group in range(0, groups, together):
            some = slice(group, group + together)
            for top in range(0, height, lines):
                bottom = min(top + lines, height)
                first, last = top * shape.stride[0], (bottom - 1) * shape.stride[0] + shape.reach[0]
                part = _rows_summed(image[some, :, first:last], kernels[some], shape)
                torch.sum(part, 2, out=out[some, :, top:bottom])
    return y.flatten(1, 2)


def _rows_summed(image: Tensor, kernels: Tensor, shape: ConvolutionShape) -> Tensor:
    """(groups, rows, kH, H, W): what each row of the kernels adds to each output pixel.

    image: (groups, columns, H', W'); kernels: (groups, rows * kH, columns * kW).
    """
    groups, columns, deep, _ = image.shape
    (tall, wide), width = shape.size, shape.output[1]
    height = (deep - shape.reach[0]) // shape.stride[0] + 1
    group, channel, down, across = image.stride()
    unfolded = image.as_strided(
        (groups, columns, wide, deep, width),
        (group, channel, shape.dilation[1] * across, down, shape.stride[1] * across),
    )
    met = torch.bmm(kernels, unfolded.reshape(groups, columns * wide, deep * width))
    met = met.view(groups, shape.rows, tall, deep, width)
    group, channel, tap, down, across = met.stride()
    return met.as_strided(
        (groups, shape.rows, tall, height, width),
        (group, channel, tap + shape.dilation[0] * down, shape.stride[0] * down, across),
    )


_WAYS = {Way.TAPS: _by_taps, Way.ROWS: _by_rows}
