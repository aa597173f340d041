"""The convolution that a block comes to, padded as the module pads; and that it is the right one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache, partial

import torch
from torch import Tensor, nn

from tui.fusion.block import conv_of
from tui.fusion.filled import conv2d_of
from tui.fusion.kernel import FusionError, Kernel
from tui.fusion.specs.geometry import Geometry
from tui.fusion.specs.padding import Border, same_border
from tui.fusion.widening import dilate
from tui.modules.found import FoundBlock
from tui.modules.run.copying import copied
from tui.modules.run.exact import Exact
from tui.modules.run.graph import Node
from tui.modules.run.groups import convolved
from tui.modules.run.rounding import ConstantsRounded
from tui.modules.run.running import failure

AGREEMENT = 1e-9
"""Relative to the largest number on the way: how far two computations in float64 may lie apart."""

_LONG_SIDE = 256
"""Pixels of a strip of an image, the fewest: more than most forwards that choose by the size ask for."""

_MOST_PIXELS = 1 << 16
"""Of an image three times as large as the example on both sides."""

_BY_SIZE = "what it does depends on the size of the image"

_SIZED = frozenset(("view", "_unsafe_view", "expand", "slice", "select", "written into", "copy"))
"""Operators that may have the size of the image in their arguments."""


def finished(found: FoundBlock, dtype: torch.dtype | None = None) -> nn.Conv2d:
    """The fused convolution, folded in float64 and rounded once to `dtype`, else to the module's own.

    Raises:
        FusionError: the block is not a convolution.
    """
    kernel = found.kernel.to(dtype or found.dtype)
    return padded_conv(kernel, found.block64.geometry, found.border)


def padded_conv(kernel: Kernel, geometry: Geometry, border: Border) -> nn.Conv2d:
    """The kernel as an nn.Conv2d that pads by that border.

    nn.Conv2d pads both sides of an axis alike: where one side needs more, rows or columns of zeros are put to
    the kernel at the other, over which the padding then reaches.

    >>> one = Kernel(torch.ones(1, 1, 3, 3), None)
    >>> padded_conv(one, Geometry(stride=(2, 2)), (0, 1, 0, 1))
    Conv2d(1, 1, kernel_size=(4, 4), stride=(2, 2), padding=(1, 1), bias=False)
    """
    if border == same_border(kernel.kernel_size, geometry.dilation):
        return conv_of(kernel, geometry)
    left, right, top, bottom = border
    if (top - bottom) % geometry.dilation[0] or (left - right) % geometry.dilation[1]:
        kernel, geometry = dilate(kernel, geometry.dilation), replace(geometry, dilation=(1, 1))
    rows, columns = geometry.dilation
    uneven = (
        (right - left) // columns,
        (left - right) // columns,
        (bottom - top) // rows,
        (top - bottom) // rows,
    )
    more = [max(each, 0) for each in uneven]
    weight = nn.functional.pad(kernel.weight, more)
    return conv2d_of(
        nn.Parameter(weight),
        None if kernel.bias is None else nn.Parameter(kernel.bias),
        stride=geometry.stride,
        padding=(max(top, bottom), max(left, right)),
        dilation=geometry.dilation,
        groups=geometry.groups,
        padding_mode=geometry.padding_mode.value,
    )


@torch.no_grad()
def verify(found: FoundBlock, conv: nn.Conv2d, exact: Exact) -> None:
    """That the fused convolution is right.

    In float64 it gives, on an image, what the module's own operators give; and each number of the one that is
    handed out is that one's, rounded once.

    Raises:
        FusionError: it is not.
    """
    conv64 = finished(found, torch.float64)
    x, (right, largest) = _tried(found, exact)
    given = convolved(conv64, x)
    try:
        _refuse_apart(found.title, x, given, right, largest)
    except FusionError as error:
        if not all(bool(each.isfinite().all()) for each in conv64.parameters()):
            said = f"{found.title or 'the module'}: {_not_finite(exact.graph.module, found)}"
            raise FusionError(said) from error
        with _or_rounded(found, error):
            _refuse_apart(found.title, x, given, *_of_module(found, Exact(exact.graph), x))
    for one, other in zip(conv.parameters(), conv64.parameters(), strict=True):
        if not torch.equal(one, other.to(one)):
            raise FusionError(f"{found.title}: the convolution is not the fold, rounded once")


def _tried(found: FoundBlock, exact: Exact) -> tuple[Tensor, tuple[Tensor, Callable[[], float]]]:
    """An image, and what the module's own operators make of it, of all that reached the block if need be.

    Raises:
        FusionError: they do not run again.
    """
    try:
        x = trial_image(found)
        return x, _of_module(found, exact, x)
    except Exception:  # it holds numbers for each pixel, as a position's: it takes that size only
        x = trial_image(found, whole=True)
        try:
            return x, _of_module(found, exact, x)
        except Exception as error:
            raise FusionError(
                f"{found.title or 'the module'}: its steps do not run again, in float64 on an image "
                f"{'x'.join(map(str, x.shape))}, and nothing can be verified: {failure(error)}"
            ) from error


@torch.no_grad()
def agrees_again(module: nn.Module, found: FoundBlock) -> None:
    """That the module itself, run again in float64, gives what its convolution gives.

    On images of other numbers, and then of other sizes, than it was seen to run on, so that what depends on
    them shows.

    Raises:
        FusionError: it does not.
    """
    try:
        _refuse_another(module, found)
    except FusionError as error:
        with _or_rounded(found, error):
            _refuse_another(module, found)


@contextmanager
def _or_rounded(found: FoundBlock, error: FusionError) -> Iterator[None]:
    """Where numbers that the forward writes are rounded to its dtype, as those of its parameters are.

    So `y[..., 0] = 0.3` is the same as a bias of 0.3. Where that fails too, the first error stands.
    """
    if found.dtype is torch.float64:
        raise error
    try:
        with ConstantsRounded(found.dtype):
            yield
    except FusionError:
        raise error from None


def _refuse_another(module: nn.Module, found: FoundBlock) -> None:
    conv = padded_conv(found.kernel, found.block64.geometry, found.border)
    try:
        twin = copied(module).double()
        given = _of_other_numbers(twin, found)
    except Exception:  # it cannot be run in float64, whatever it says; its own operators have been
        return
    for x, right in given:
        _refuse_apart(found.title, x, conv(x), right, partial(_reached, found, x))
    for x in _other_sizes(found):
        try:
            right, folded = twin(x), conv(x)
        except Exception:  # it takes one size only, or none so small, whatever it says
            continue
        _refuse_apart(found.title, x, folded, right, partial(_reached, found, x), _BY_SIZE)


def _not_finite(module: nn.Module, found: FoundBlock) -> str:
    """Which of its numbers make the fused ones no numbers, in words."""
    for name, tensor in (*module.named_parameters(), *module.named_buffers()):
        inside = not found.owner or name.startswith(f"{found.owner}.")
        if inside and tensor.is_floating_point() and not bool(tensor.isfinite().all()):
            index = [int(each) for each in (~tensor.isfinite()).nonzero()[0]]
            value = float(tensor[tuple(index)])
            return (
                f"{name}{index or ''} is {value}, and so are fused weights: nothing can be verified of them"
            )
    return "fused weights are no finite numbers, and nothing can be verified of them"


def _reached(found: FoundBlock, x: Tensor) -> float:
    """The largest number on the way."""
    kernel = found.kernel
    sizes = kernel.weight.abs().sum(dim=(1, 2, 3)) * x.abs().max()
    return max(float(sizes.max()), float(x.abs().max())) + float(
        0 if kernel.bias is None else kernel.bias.abs().max()
    )


def _refuse_apart(
    title: str,
    x: Tensor,
    given: Tensor,
    right: Tensor,
    largest: Callable[[], float],
    why: str = "it is not the linear map that it was seen to be",
) -> None:
    """That two results are the same, but for rounding of the largest number on the way.

    `largest`: asked for only where the results themselves are not large enough.
    """
    where = f"{title or 'the module'}, on an image {'x'.join(map(str, x.shape))} in float64"
    if not isinstance(right, Tensor) or given.shape != right.shape:
        told = tuple(right.shape) if isinstance(right, Tensor) else type(right).__name__
        raise FusionError(
            f"{where}: one convolution gives {tuple(given.shape)} and the module {told}: {_BY_SIZE}"
        )
    if not given.numel():
        return
    apart = (given - right).abs_()
    worst = float(apart.max())
    if not (worst <= AGREEMENT * float(right.abs().max()) or worst <= AGREEMENT * largest()):
        place = [int(each) for each in torch.unravel_index(apart.argmax(), apart.shape)]
        raise FusionError(
            f"{where}: one convolution is {worst:.3g} off at {place}, where the module gives "
            f"{float(right[tuple(place)]):.6g}: {why}"
        )


def _of_other_numbers(module: nn.Module, found: FoundBlock) -> list[tuple[Tensor, Tensor]]:
    """Images, and what the module makes of them: two at once, else as many as it was seen to take."""
    try:
        return [(x, module(x)) for x in _other_numbers(found, 2)]
    except Exception:
        return [(x, module(x)) for x in _other_numbers(found, len(found.region.source.tensor))]


def _other_numbers(found: FoundBlock, batch: int) -> Iterator[Tensor]:
    """Images of the size that was seen: of usual numbers, of large and of small ones."""
    _, channels, height, width = found.region.source.tensor.shape
    for seed, size in enumerate((1.0, 100.0, 1e-3)):
        yield _random_image(found, (batch, channels, height, width), seed) * size


def _other_sizes(found: FoundBlock) -> Iterator[Tensor]:
    """Smaller and larger images, in strips where both sides would be much to compute."""
    _, channels, height, width = found.region.source.tensor.shape
    tall, wide = max(3 * height, _LONG_SIDE), max(3 * width, _LONG_SIDE)
    sizes = [
        (height + 3, width + 1),
        (max(height - 1, 1), max(width - 2, 1)),
        (max(height // 2, 1), max(width // 2, 1)),
        (height * 3 // 2, width * 3 // 2),
        (tall, width),
        (height, wide),
    ]
    if 9 * height * width <= _MOST_PIXELS:
        sizes.append((3 * height, 3 * width))
    for seed, size in enumerate(sizes):
        yield _random_image(found, (1, channels, *size), seed)


def _random_image(found: FoundBlock, shape: tuple[int, ...], seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed + 1)
    x = torch.randn(shape, generator=generator, dtype=torch.float64)
    return x.to(found.region.source.tensor.device)


def trial_image(found: FoundBlock, *, whole: bool = False) -> Tensor:
    """What really reached the block, disturbed, so that no channel is empty; a corner where size is free.

    That is as large as the kernel and one step more: some pixel sees all of its taps, and others each of its
    borders. `whole`: all of it.
    """
    reached = found.region.source.value.detach()
    if not whole and not any(call.operator in _SIZED for call in found.region.calls):
        geometry, kernel_size = found.block64.geometry, found.kernel.kernel_size
        rows, columns = (
            size * apart + step
            for size, apart, step in zip(kernel_size, geometry.dilation, geometry.stride, strict=True)
        )
        reached = reached[:1, :, :rows, :columns]
    reached = reached.double().nan_to_num(0.0, 0.0, 0.0)
    spread_of = float(reached.std()) if reached.numel() > 1 else 1.0
    noise = _noise(max(1 << 16, 1 << reached.numel().bit_length()))[: reached.numel()].view(reached.shape)
    return reached + noise.to(reached.device) * (spread_of or 1.0)


@lru_cache(maxsize=2)
def _noise(count: int) -> Tensor:
    """That many random numbers, which take longer to draw than a small image to be tried."""
    return torch.randn(count, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def _of_module(found: FoundBlock, exact: Exact, x: Tensor) -> tuple[Tensor, Callable[[], float]]:
    """What the module's own operators give in float64, and what tells the largest number on the way."""
    known: dict[Node, Tensor] = {found.region.source: x}

    def value(node: Node) -> Tensor:
        return known[node] if node in known else exact.constant(node)

    for call in found.region.calls:
        if not all(node.constant for node in call.outputs):
            known.update(zip(call.outputs, exact.outputs_of(call, value), strict=False))

    def largest() -> float:
        first = (call.outputs[0] for call in found.region.calls if call.outputs)
        made = (known[node] for node in first if node in known)
        return max(float(each.abs().max()) for each in (x, *made) if each.numel())

    return known[found.region.sink], largest
