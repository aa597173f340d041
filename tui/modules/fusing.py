"""fuse(block): a module that is one convolution in disguise, as that nn.Conv2d, verified."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from tui.fusion.block import ReparamBlock
from tui.fusion.kernel import FusionError
from tui.fusion.layers import Branch, Convolution
from tui.fusion.specs.block_spec import PaddingMode
from tui.fusion.specs.padding import same_border
from tui.modules.by_answers.response import Response, response_of
from tui.modules.finding import Finder
from tui.modules.finished import agrees_again, finished, padded_conv, verify
from tui.modules.found import FoundBlock
from tui.modules.linear.refusing import NotUnderstoodError
from tui.modules.linear.regions import Region
from tui.modules.run.given import refuse_no_module
from tui.modules.run.recording import record
from tui.modules.run.running import RunError, run_on
from tui.modules.run.training import refuse_train_mode


def fuse(block: nn.Module, example: Any = None) -> nn.Conv2d:
    """The convolution that a module is, in its parameters' dtype, on their device; the module stays as it is.

    >>> class Block(nn.Module):
    ...     def __init__(self) -> None:
    ...         super().__init__()
    ...         self.conv = nn.Conv2d(4, 4, 3, padding=1, bias=False)
    ...         self.bn = nn.BatchNorm2d(4)
    ...
    ...     def forward(self, x: Tensor) -> Tensor:
    ...         return self.bn(self.conv(x)) + x
    >>> fuse(Block().eval())
    Conv2d(4, 4, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))

    Folded in float64 and rounded once. Before it is handed out its output is held against the module's own in
    float64, on images of the example's size and of others: from half of its sides to three times them, and
    strips of 256 pixels. What a forward does with images of still other sizes is not known.

    Args:
        block: in eval mode, whatever its forward is written like.
        example: an image (batch, channels, H, W) that it takes; where None, one is made from its parameters.

    Raises:
        FusionError: it is not one convolution; the message says where, and why. Or it is no module.
        RunError: its forward fails on the example.
    """
    finder, found = _found(block, example)
    conv = finished(found)
    if found.region.calls:
        verify(found, conv, finder.exact)
        agrees_again(block, found)
    return conv


def block_of(module: nn.Module, example: Any = None) -> FoundBlock:
    """The block that a module is as a whole, of its own parameters.

    Where what it does is not understood step by step, and it answers like one convolution all the same, that
    is the only layer of its only branch, "response".

    Raises:
        FusionError, RunError: as `fuse`.
    """
    return _found(module, example)[1]


def _found(module: nn.Module, example: Any) -> tuple[Finder, FoundBlock]:
    refuse_no_module(module)
    refuse_train_mode(module)
    example = example_of(module) if example is None else example
    finder = Finder(run_on(record, module, example))
    try:
        return finder, finder.whole()
    except NotUnderstoodError as error:
        source, sink = finder.ends
        try:
            response = response_of(module, source.value)
        except FusionError as refused:
            raise FusionError(f"it is not one convolution: {error}; and {refused}") from error
        except RunError as failed:
            raise FusionError(f"it is not known to be one convolution: {error}; and {failed}") from error
        return finder, _responding(response, Region(source, sink, ()))


def _responding(response: Response, region: Region) -> FoundBlock:
    """A block of one branch, which is all that is known of the module."""
    geometry = response.geometry
    mode = geometry.padding_mode
    plain = replace(geometry, padding_mode=PaddingMode.ZEROS)
    conv = padded_conv(response.kernel, plain, (0, 0, 0, 0))
    branch = Branch("response", [("conv", Convolution(conv))], own_groups=geometry.groups, padding_mode=mode)
    block = ReparamBlock([branch], geometry).double().eval()
    same = same_border(block.kernel_size, geometry.dilation)
    dtype = region.sink.tensor.dtype
    return FoundBlock(
        "",
        "",
        block,
        lambda: copy.deepcopy(block).to(dtype),
        response.border,
        response.border == same,
        region,
    )


_NO_IMAGES = (nn.Conv1d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose3d)


def example_of(module: nn.Module) -> Tensor:
    """An image that the module takes: of as many channels as one of its first layers, in its own dtype.

    Raises:
        RunError: none of those that its layers tell is taken.
    """
    tensor = next((each for each in module.parameters() if each.is_floating_point()), torch.empty(0))
    flat = next((each for each in module.modules() if isinstance(each, _NO_IMAGES)), None)
    error: Exception | None = None
    for channels in dict.fromkeys(_channels(module)):
        x = torch.zeros(1, channels, *_size(module), dtype=tensor.dtype, device=tensor.device)
        try:
            with torch.no_grad():
                run_on(record, module, x)
        except RunError as failed:
            error = error or failed
            continue
        generator = torch.Generator().manual_seed(0)
        return torch.randn(x.shape, generator=generator, dtype=torch.float64).to(x)
    if error is None:
        raise RunError(f"{type(module).__name__} has no layer that tells its channels: give an example input")
    if flat is not None and not any(isinstance(each, nn.Conv2d) for each in module.modules()):
        kind = type(flat).__name__
        raise RunError(
            f"{type(module).__name__} has {kind} and no Conv2d: blocks of images (batch, channels, H, W) are "
            "fused here, and no others"
        )
    raise RunError(f"no example input was found for {type(module).__name__}: give one ({error})") from error


def _channels(module: nn.Module) -> Iterator[int]:
    for each in module.modules():
        if isinstance(each, (nn.Conv2d, nn.ConvTranspose2d)):
            yield each.in_channels
        elif isinstance(each, nn.BatchNorm2d):
            yield each.num_features
    for parameter in module.parameters():
        if parameter.dim() == 4:
            yield parameter.shape[1]
        if parameter.dim():
            yield max(parameter.shape)


def _size(module: nn.Module) -> tuple[int, int]:
    """Pixels of an image that is larger than what each of its kernels reaches."""
    reach = [
        (size - 1) * step + 1
        for each in module.modules()
        if isinstance(each, nn.Conv2d)
        for size, step in zip(each.kernel_size, each.dilation, strict=True)
    ]
    side = 16 + 2 * max(reach, default=1)
    return side, side - 2
