"""A module known by its answers alone: an affine, shift-equivariant map is its answers to zeros and impulses.

Which kernel that is follows from them; that the module *is* such a map does not, and is tested on images of
several sizes, from very small to very large numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from tui.fusion.kernel import FusionError, Kernel
from tui.fusion.pair_text import Pair
from tui.fusion.specs.geometry import Geometry
from tui.fusion.specs.padding import Border
from tui.modules.answers import Asked, answer_of, units, up_to_unit
from tui.modules.finished import padded_conv
from tui.modules.run.copying import copied
from tui.modules.run.running import RunError
from tui.modules.run.training import refuse_train_mode

LARGEST_REACH = 129
"""Pixels on an axis, the most that a kernel is looked for in."""

_FEW_CHANNELS = 64
"""Up to so many the kernel is found in float64, else in the parameters' dtype, an image a channel."""

_IMPULSE = 2.0**12
"""Large, so that the bias beside which the answer is read rounds it less; a power of two."""

_AT_ONCE = 64
"""Images of one run."""

_SIDE = 14
"""Pixels of the images on which it is asked for its size and stride, where it takes such small ones."""

_SIZES = 12
"""So many sizes of an image tell the stride: the stride divides that."""

SLACK = {torch.float64: 1e-9, torch.float32: 1e-5, torch.float16: 1e-2, torch.bfloat16: 5e-2}
"""How far the map and the module may lie apart, relative to sum |W| max |x| + |b|, by the kernel's dtype."""


@dataclass(frozen=True, eq=False)
class Response:
    """The convolution that a module answers like.

    Attributes:
        kernel: in float64.
        border: what is padded (left, right, top, bottom).
    """

    kernel: Kernel
    geometry: Geometry
    border: Border


@torch.no_grad()
def response_of(module: nn.Module, x: Tensor) -> Response:
    """The convolution that a module is, by its answers; `x`: an image that it takes, in its own dtype.

    >>> conv = nn.Conv2d(2, 4, 3, stride=2, padding=1, groups=2)
    >>> found = response_of(conv, torch.randn(1, 2, 9, 9))
    >>> found.geometry.stride, found.geometry.groups, found.border
    ((2, 2), 2, (1, 1, 1, 1))

    Raises:
        FusionError: it is none, or one that reaches further than `LARGEST_REACH`; the message has the element
            at which it differs most. Or Python cannot copy it.
        RunError: it fails on an image.
    """
    refuse_train_mode(module)
    own = next((each.dtype for each in module.parameters() if each.is_floating_point()), x.dtype)
    wide = _twin(module, torch.float64)
    is_wide = x.shape[1] <= _FEW_CHANNELS or own not in SLACK or own is torch.float64
    dtype = torch.float64 if is_wide else torch.float32
    asked = Asked(wide if is_wide else _twin(module, dtype), x.shape[1], x.device, dtype)
    size = x.shape[2], x.shape[3]
    failed: RunError | None = None
    for unit in units(size):
        try:
            found = _kernel_of(replace(asked, unit=unit, sizes={}), size)
            _refuse_other_map(found, wide, x, SLACK[dtype], unit)
        except RunError as error:
            failed = failed or error
        else:
            return found
    assert failed is not None
    raise failed


def _twin(module: nn.Module, dtype: torch.dtype) -> nn.Module:
    return copied(module).to(dtype)


@dataclass(frozen=True)
class _Axis:
    """How the taps of an axis lie: between pixels `first` and `last` from the one that the stride visits."""

    stride: int
    first: int
    last: int
    dilation: int
    after: int

    @property
    def taps(self) -> int:
        """How many."""
        return (self.last - self.first) // self.dilation + 1


def _kernel_of(asked: Asked, size: Pair) -> Response:
    try:
        side = asked.side(_SIDE)
        blank = asked.answer(asked.zeros(1, (side, side)))[0]
    except RunError:  # a small image is faster, and not every module takes one
        side = asked.side(max(*size, _SIDE))
        blank = asked.answer(asked.zeros(1, (side, side)))[0]
    if not bool((blank == blank[:, :1, :1]).all()):
        raise FusionError("of an image of zeros it gives different numbers at different pixels")
    rows, columns = (_axis(asked, blank[:, 0, 0], axis, side) for axis in (0, 1))
    weight = _weight(asked, blank[:, 0, 0], (rows, columns))
    groups = _groups(weight)
    kept = _grouped(weight, groups)
    bias = blank[:, 0, 0].double()
    geometry = Geometry((rows.stride, columns.stride), (rows.dilation, columns.dilation), groups)
    border = (-columns.first, columns.after, -rows.first, rows.after)
    return Response(Kernel(kept, bias if bool(bias.any()) else None), geometry, border)


def _axis(asked: Asked, blank: Tensor, axis: int, side: int) -> _Axis:
    """Its stride by the sizes that come out; its taps by impulses in all channels at once, a pixel apart."""

    def size_of(length: int) -> int:
        return asked.size_of((length, side) if axis == 0 else (side, length))[axis]

    more = math.lcm(_SIZES, asked.unit)
    grown = size_of(side + more) - size_of(side)
    if grown < 1 or more % grown:
        raise FusionError(
            f"an image larger by {more} pixels comes out larger by {grown}: no convolution does that"
        )
    stride = more // grown
    reach = side
    while True:
        offsets = _offsets(asked, blank, axis, (reach, side), stride)
        widest = max(map(abs, offsets), default=0)
        if 2 * widest + 2 * stride < reach:
            break
        if reach >= 2 * LARGEST_REACH:
            raise FusionError(
                f"it reaches further than {LARGEST_REACH} pixels: a convolution of the whole image"
            )
        reach = asked.side(min(2 * reach, 2 * LARGEST_REACH))
    first, last = min([*offsets, 0]), max([*offsets, 0])
    dilation = math.gcd(*(offset - first for offset in offsets)) or 1
    lengths = [*range(side, side + stride, asked.unit), side + more]
    after = _after(stride, first, last, {length: size_of(length) for length in lengths})
    return _Axis(stride, first, last, dilation, after)


def _offsets(asked: Asked, blank: Tensor, axis: int, sizes: Pair, stride: int) -> list[int]:
    """Pixels from those that the stride visits at which an impulse is answered to."""
    length, side = sizes
    generator = torch.Generator().manual_seed(0)
    heights = 1 + torch.rand(asked.channels, generator=generator, dtype=torch.float64)
    line = heights.to(asked.device, asked.dtype)[:, None] * torch.ones(side, device=asked.device)
    x = asked.zeros(stride, (length, side) if axis == 0 else (side, length))
    middle = length // 2 // stride * stride
    for phase in range(stride):
        noise = 1 + torch.rand(side, generator=generator, dtype=torch.float64).to(asked.device, asked.dtype)
        x.select(2 + axis, middle + phase)[phase] = line * noise
    y = (asked.answer(x) - blank.view(-1, 1, 1)).abs().amax(dim=(1, 3 - axis))
    return sorted({middle + phase - place * stride for phase, place in y.nonzero().tolist()})


def _after(stride: int, first: int, last: int, sizes: Mapping[int, int]) -> int:
    """What stands behind the image, by the sizes that come out of those that go in."""
    for after in range(LARGEST_REACH):
        if all((length + after - last - 1) // stride + 1 == size for length, size in sizes.items()):
            return after
    raise FusionError("what comes out has another size than that of a convolution with its kernel and stride")


def _weight(asked: Asked, blank: Tensor, axes: tuple[_Axis, _Axis]) -> Tensor:
    """(out_channels, in_channels, kH, kW) in float64, by an impulse in each channel at each of the phases."""
    rows, columns = axes
    shape = (len(blank), asked.channels, rows.taps, columns.taps)
    weight = torch.zeros(shape, dtype=torch.float64, device=asked.device)
    size = (asked.side(_enough(rows)), asked.side(_enough(columns)))
    for top in range(rows.stride):
        for left in range(columns.stride):
            for channels, y in _impulses(asked, (rows.last + top, columns.last + left), size):
                answers = (y - blank.view(-1, 1, 1)).double() / _IMPULSE
                _read_off(weight, answers, channels, axes, (rows.last + top, columns.last + left))
    return weight


def _enough(axis: _Axis) -> int:
    """Pixels of the smallest image in which every tap answers to an impulse."""
    needed = axis.last + axis.stride
    outputs = (axis.last - axis.first + axis.stride - 1) // axis.stride + 1
    extent = axis.last - axis.first + 1
    return max(needed, (outputs - 1) * axis.stride + extent + axis.first - axis.after, 1)


def _impulses(asked: Asked, place: Pair, size: Pair) -> Iterator[tuple[range, Tensor]]:
    for first in range(0, asked.channels, _AT_ONCE):
        channels = range(first, min(first + _AT_ONCE, asked.channels))
        x = asked.zeros(len(channels), size)
        x[range(len(channels)), list(channels), place[0], place[1]] = _IMPULSE
        yield channels, asked.answer(x)


def _read_off(
    weight: Tensor, answers: Tensor, channels: range, axes: tuple[_Axis, _Axis], place: Pair
) -> None:
    rows, columns = (
        _places(axis, where, answers.shape[2 + side])
        for side, (axis, where) in enumerate(zip(axes, place, strict=True))
    )
    for tap_row, row in rows:
        for tap_column, column in columns:
            weight[:, channels.start : channels.stop, tap_row, tap_column] = answers[:, :, row, column].T


def _places(axis: _Axis, impulse: int, count: int) -> list[tuple[int, int]]:
    """Each tap that answers to an impulse there, and the pixel at which it does."""
    made = []
    for pixel in range(count):
        offset = impulse - pixel * axis.stride - axis.first
        if 0 <= offset <= axis.last - axis.first and offset % axis.dilation == 0:
            made.append((offset // axis.dilation, pixel))
    return made


def _groups(weight: Tensor) -> int:
    """The most groups that it can be written with."""
    out_channels, channels = weight.shape[:2]
    used = weight.abs().amax(dim=(2, 3)) > 0
    for groups in sorted(_divisors(math.gcd(out_channels, channels)), reverse=True):
        blocks = used.view(groups, out_channels // groups, groups, channels // groups)
        inside = int(blocks.diagonal(dim1=0, dim2=2).sum())
        if inside == int(used.sum()):
            return groups
    return 1


def _divisors(number: int) -> list[int]:
    return [each for each in range(1, number + 1) if number % each == 0]


def _grouped(weight: Tensor, groups: int) -> Tensor:
    out_channels, channels, *taps = weight.shape
    blocks = weight.view(groups, out_channels // groups, groups, channels // groups, *taps)
    return blocks.diagonal(dim1=0, dim2=2).movedim(-1, 0).reshape(out_channels, channels // groups, *taps)


def _refuse_other_map(found: Response, module: nn.Module, example: Tensor, slack: float, unit: int) -> None:
    """Whether the module gives what the convolution does, of other images than it was asked about.

    `unit`: of which their sides are a multiple.

    Raises:
        FusionError: it does not; with the element at which it is furthest off.
    """
    conv = padded_conv(found.kernel, found.geometry, found.border)
    reached = found.kernel.weight.abs().sum(dim=(1, 2, 3)).view(-1, 1, 1)
    offset = (
        torch.zeros_like(reached) if found.kernel.bias is None else found.kernel.bias.abs().view(-1, 1, 1)
    )
    reach = max(found.kernel.kernel_size) * max(found.geometry.dilation)
    for x in _trials(example, reach, unit):
        expected, right = conv(x), answer_of(module, x)
        words = f"an image {'x'.join(map(str, x.shape[1:]))} of numbers up to {float(x.abs().max()):.3g}"
        if right.shape != expected.shape:
            raise FusionError(
                f"it is not linear and alike at every pixel: of {words} it makes {tuple(right.shape)}, "
                f"and the convolution that it answers like {tuple(expected.shape)}"
            )
        bound = slack * (reached * x.abs().max() + offset)
        share = (right - expected).abs() / bound.clamp_min(torch.finfo(x.dtype).tiny)
        worst = int(share.nan_to_num(math.inf).argmax())
        if not float(share.flatten()[worst]) <= 1:
            place = [int(each) for each in torch.unravel_index(torch.tensor(worst), share.shape)]
            raise FusionError(
                f"it is not linear and alike at every pixel: of {words} it gives "
                f"{float(right.flatten()[worst]):.6g} at {place}, and the convolution that it answers like "
                f"{float(expected.flatten()[worst]):.6g}"
            )


def _trials(example: Tensor, reach: int, unit: int) -> Iterator[Tensor]:
    """Images of several sizes; numbers of both signs, from very small to very large; and the example."""
    generator = torch.Generator().manual_seed(4)
    channels = example.shape[1]
    few = up_to_unit(reach + 4 if channels > _FEW_CHANNELS else reach + 20, unit)
    yield example[:1, :, : 2 * few, : 2 * few].double()
    for rows, columns, size in ((0, 0, 1.0), (1, 3, 1e-4), (3, 1, 1e7), (2, 0, 1e3)):
        shape = (1, channels, few + rows * unit, few + columns * unit)
        x = torch.randn(shape, generator=generator, dtype=torch.float64) * size
        yield (x.abs() if size == 1e3 else x).to(example.device)
