"""A module known by its answers alone: an affine, shift-equivariant map is its answers to zeros and impulses.

Which kernel that is follows from them; that the module *is* such a map does not, and is tested on images of
several sizes, from very small to very large numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from tui.fusion.kernel import FusionError, Kernel
from tui.fusion.pair_text import Pair
from tui.fusion.specs.block_spec import PaddingMode
from tui.fusion.specs.geometry import Geometry
from tui.fusion.specs.padding import Border
from tui.modules.by_answers.answers import FEW_CHANNELS, Asked, units
from tui.modules.by_answers.trials import SLACK, BorderError, Trials
from tui.modules.run.copying import copied
from tui.modules.run.running import RunError
from tui.modules.run.training import refuse_train_mode

LARGEST_REACH = 129
"""Pixels on an axis, the most that a kernel is looked for in."""

_IMPULSE = 2.0**12
"""Large, so that the bias beside which the answer is read rounds it less; a power of two."""

_AT_ONCE = 64
"""Images of one run."""

_SIDE = 14
"""Pixels of the images on which it is asked for its size and stride, where it takes such small ones."""

_SIZES = 12
"""So many sizes of an image tell the stride: the stride divides that."""


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
            at which it differs most.
        RunError: it fails on an image, or Python cannot copy it.
    """
    refuse_train_mode(module)
    own = next((each.dtype for each in module.parameters() if each.is_floating_point()), x.dtype)
    wide = _twin(module, torch.float64)
    is_wide = x.shape[1] <= FEW_CHANNELS or own not in SLACK or own is torch.float64
    dtype = torch.float64 if is_wide else torch.float32
    asked = Asked(wide if is_wide else _twin(module, dtype), x.shape[1], x.device, dtype)
    failed: RunError | None = None
    for unit in units((x.shape[2], x.shape[3])):
        try:
            return _verified(replace(asked, unit=unit, sizes={}), wide, x)
        except RunError as error:
            failed = failed or error
    assert failed is not None
    raise failed


def _verified(asked: Asked, wide: nn.Module, example: Tensor) -> Response:
    """What it answers like, and that it does; with something else around the image where zeros do not fit."""
    size = example.shape[2], example.shape[3]
    found = _kernel_of(asked, size)
    trials = Trials(wide, example, asked.dtype, asked.unit)
    try:
        trials.refuse_other_map(found.kernel, found.geometry, found.border)
    except FusionError:
        if not any(found.border):
            raise
        return _padded_otherwise(_kernel_of(asked, size, far_from_border=True), trials)
    return found


def _padded_otherwise(found: Response, trials: Trials) -> Response:
    """That with something else than zeros around the image.

    Raises:
        FusionError: it does not answer like that either.
    """
    try:
        trials.refuse_other_map(found.kernel, found.geometry, found.border)
    except BorderError as error:
        for mode in (PaddingMode.CIRCULAR, PaddingMode.REFLECT, PaddingMode.REPLICATE):
            geometry = replace(found.geometry, padding_mode=mode)
            with suppress(FusionError):
                trials.refuse_other_map(found.kernel, geometry, found.border)
                return replace(found, geometry=geometry)
        raise error
    return found


def _twin(module: nn.Module, dtype: torch.dtype) -> nn.Module:
    try:
        return copied(module).to(dtype)
    except FusionError as error:
        raise RunError(str(error)) from error


@dataclass(frozen=True)
class _Axis:
    """How the taps of an axis lie: between pixels `first` and `last` from the one that the stride visits."""

    stride: int
    first: int
    last: int
    dilation: int
    after: int

    @property
    def extent(self) -> int:
        """Pixels from the first to the last, both with them."""
        return self.last - self.first + 1

    @property
    def taps(self) -> int:
        """How many."""
        return (self.last - self.first) // self.dilation + 1


def _kernel_of(asked: Asked, size: Pair, *, far_from_border: bool = False) -> Response:
    """`far_from_border`: whether each tap is read where nothing else than zeros around the image shows."""
    try:
        side = asked.side(_SIDE)
        blank = asked.answer(asked.zeros(1, (side, side)))[0]
    except RunError:  # a small image is faster, and not every module takes one
        side = asked.side(max(*size, _SIDE))
        blank = asked.answer(asked.zeros(1, (side, side)))[0]
    if not bool((blank == blank[:, :1, :1]).all()):
        raise FusionError("of an image of zeros it gives different numbers at different pixels")
    rows, columns = (_axis(asked, blank[:, 0, 0], axis, side) for axis in (0, 1))
    weight = _weight(asked, blank[:, 0, 0], (rows, columns), far_from_border)
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


def _weight(asked: Asked, blank: Tensor, axes: tuple[_Axis, _Axis], far_from_border: bool) -> Tensor:
    """(out_channels, in_channels, kH, kW) in float64, by an impulse in each channel at each of the phases."""
    rows, columns = axes
    shape = (len(blank), asked.channels, rows.taps, columns.taps)
    weight = torch.zeros(shape, dtype=torch.float64, device=asked.device)
    before = [each.extent * each.stride if far_from_border else 0 for each in axes]
    size = tuple(asked.side(_enough(each) + 2 * more) for each, more in zip(axes, before, strict=True))
    for top in range(rows.stride):
        for left in range(columns.stride):
            place = (before[0] + rows.last + top, before[1] + columns.last + left)
            for channels, y in _impulses(asked, place, (size[0], size[1])):
                answers = (y - blank.view(-1, 1, 1)).double() / _IMPULSE
                _read_off(weight, answers, channels, axes, place)
    return weight


def _enough(axis: _Axis) -> int:
    """Pixels of the smallest image in which every tap answers to an impulse."""
    needed = axis.last + axis.stride
    outputs = (axis.last - axis.first + axis.stride - 1) // axis.stride + 1
    return max(needed, (outputs - 1) * axis.stride + axis.extent + axis.first - axis.after, 1)


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
