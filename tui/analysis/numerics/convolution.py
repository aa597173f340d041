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
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from tui.fusion.spec import Pair

_CONVOLVE: Callable[..., Tensor] = torch.conv2d

_IN_CACHE = 2**18
"""Elements of several groups to work on at a time."""

_AT_ONCE = 2**20
"""Elements of one group to work on at a time: to cut an image costs the rows that two parts share."""

_UNFOLDED = 2**19
"""Elements of an unfolded input from which on unfolding costs more than it saves."""

_MOST_WASTE = 24
"""Products for pixels that are thrown away, of one input pixel, that cost less than unfolding it."""

_ONE_DNN_REACH = 13
"""Pixels that a kernel may span for oneDNN to have fast code for its groups."""


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


@dataclass(frozen=True, slots=True)
class _Shape:
    """A convolution of a padded image without more padding.

    Attributes:
        image: (H, W) of the padded image.
        size: (kH, kW).
        rows, columns: of the weight for one group, (out_channels, in_channels) / groups.
    """

    image: Pair
    size: Pair
    stride: Pair
    dilation: Pair
    groups: int
    rows: int
    columns: int

    @property
    def reach(self) -> Pair:
        """Pixels from a kernel's first tap to its last, both counted."""
        return (self.size[0] - 1) * self.dilation[0] + 1, (self.size[1] - 1) * self.dilation[1] + 1

    @property
    def output(self) -> Pair:
        """(H, W) of the output; below 1 where the kernel does not fit."""
        return (
            (self.image[0] - self.reach[0]) // self.stride[0] + 1,
            (self.image[1] - self.reach[1]) // self.stride[1] + 1,
        )


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
        shape = _Shape(image, size, steps, apart, groups, rows, columns)
        way = _way(shape, input.dtype) if min(shape.output) > 0 and min(border) >= 0 else None
        if way is not None:
            y = way((functional.pad(input, border) if any(border) else input).contiguous(), weight, shape)
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


_Way = Callable[[Tensor, Tensor, _Shape], Tensor]


def _way(shape: _Shape, dtype: torch.dtype) -> _Way | None:
    """How to convolve; None to let torch do it."""
    if shape.size == (1, 1):
        return None
    if shape.groups > 1:
        slow = dtype is torch.float64 or max(shape.reach) > _ONE_DNN_REACH
        return _by_rows if slow else None
    height, width = shape.output
    unfolded = shape.columns * shape.size[0] * shape.size[1] * height * width
    waste = (shape.image[1] / width - 1) * shape.rows
    slow = dtype is torch.float64 and shape.stride == (1, 1) and unfolded >= _UNFOLDED
    return _by_taps if slow and waste <= _MOST_WASTE else None


def _by_taps(x: Tensor, weight: Tensor, shape: _Shape) -> Tensor:
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


def _by_rows(x: Tensor, weight: Tensor, shape: _Shape) -> Tensor:
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


def _rows_summed(image: Tensor, kernels: Tensor, shape: _Shape) -> Tensor:
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
