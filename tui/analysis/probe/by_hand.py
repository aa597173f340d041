"""One output element of one branch, written out stage by stage as the branch runs it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from tui.analysis.probe.by_layer import applied, passed, written
from tui.analysis.probe.taps import Taps
from tui.analysis.probe.written import Element, WrittenStage
from tui.fusion.layers import Branch, Layer
from tui.fusion.pair_text import Pair
from tui.fusion.specs.block_spec import PaddingMode
from tui.fusion.specs.layer_spec import Moving, chained_size, in_a_row
from tui.fusion.specs.padding import centre, same_border, taps_apart


@dataclass(frozen=True, eq=False)
class ProbedBranch:
    """One summand of the block at the element.

    Attributes:
        name: the branch's: "kxk", "1x1 #2".
        stage: what it computes; of a chain its last step, whose patch is what the steps before it gave.
        inner: of a chain the step before the last at the centre tap, for one of the channels between the two.
        inner_channel: that channel.
        steps: how many steps it has in all.
    """

    name: str
    stage: WrittenStage
    inner: WrittenStage | None = None
    inner_channel: int = 0
    steps: int = 1


@dataclass(frozen=True, eq=False)
class _Step:
    """A layer that does more than rescale, and those behind it that only rescale.

    Attributes:
        place: of the layer in its branch.
        window: (channels, h, w) in float64, what it reads; the first channel is `first_channel`.
        padding: (h, w), True where that lies outside the image.
    """

    place: int
    layers: tuple[Layer, ...]
    window: Tensor
    padding: Tensor
    first_channel: int


def probe_branch(branch: Branch, image: Tensor, element: Element, between: int) -> ProbedBranch:
    """Write out what the branch adds; image: (in_channels, H, W), `between`: the channel of `inner`.

    Raises:
        FusionError: nothing is known of a kind of layer in it, or its batch norm is in train mode.
    """
    steps = _steps_of(branch, image, element)
    stage = _stage(steps[-1], element.channel, element)
    if len(steps) == 1:
        return ProbedBranch(branch.name, stage)
    read = steps[-1].layers[0].reads(range(element.channel, element.channel + 1))
    nearest = min(max(between, read.start), read.stop - 1)
    inner = _stage(steps[-2], nearest, element, " inner")
    return ProbedBranch(branch.name, stage, inner, nearest, len(steps))


def _steps_of(branch: Branch, image: Tensor, element: Element) -> list[_Step]:
    """The branch's steps with what each reads for the element, in order."""
    chain, geometry = branch.layers, branch.geometry
    needed = _channels_needed(chain, element.channel)
    taps = element.taps(branch.kernel_size, geometry)
    mode = PaddingMode.ZEROS if branch.pads_zeros(0) else branch.padding_mode
    inputs = needed[0]
    window = taps.read(image[inputs.start : inputs.stop], mode)
    steps: list[_Step] = []
    steps_of_taps = _apart(chain, geometry.dilation)
    for place, (layer, apart) in enumerate(zip(chain, steps_of_taps, strict=True)):
        padding = _padding_at(branch, place, taps, element)
        window = _bordered(branch, place, window, padding, needed[place])
        if place == 0 or not layer.rescales:
            behind = _behind(chain, place)
            first = needed[place].start
            steps.append(_seen_by_taps(_Step(place, (layer, *behind), window, padding, first), apart))
        if place < branch.main:
            window = passed(layer, window, needed[place + 1], apart, element.dtype)
    return steps


def _apart(chain: Sequence[Moving], spacing: Pair) -> Iterator[Pair]:
    """Of each layer, how many places of a window lie from one of its taps to the next."""
    return (taps_apart(taps.kernel_size, taps.dilation, spacing) for taps in in_a_row(chain))


def _behind(chain: Sequence[Layer], place: int) -> tuple[Layer, ...]:
    """The layers right after it that only rescale."""
    behind: list[Layer] = []
    for layer in chain[place + 1 :]:
        if not layer.rescales:
            break
        behind.append(layer)
    return tuple(behind)


def _channels_needed(chain: Sequence[Layer], channel: int) -> list[range]:
    """For each layer the input channels that count for that output channel, and last the channel itself."""
    needed = [range(channel, channel + 1)]
    for layer in reversed(chain):
        needed.insert(0, layer.reads(needed[0]))
    return needed


def _padding_at(branch: Branch, place: int, taps: Taps, element: Element) -> Tensor:
    """Which of the places that the layers from there on read lie outside the image."""
    geometry = branch.geometry
    size = chained_size(in_a_row(branch.layers)[place:], geometry.dilation)
    if size == branch.kernel_size:
        return taps.padding
    if size == (1, 1):
        return torch.zeros(1, 1, dtype=torch.bool)
    # Along an axis on which none of the layers before reaches, all of the branch's border is still to come.
    own, whole = same_border(size, geometry.dilation), branch.border
    rows, columns = (size[axis] == branch.kernel_size[axis] for axis in (0, 1))
    border = (*(whole if columns else own)[:2], *(whole if rows else own)[2:])
    return element.taps(size, replace(geometry, border=border)).padding


def _bordered(branch: Branch, place: int, window: Tensor, padding: Tensor, channels: range) -> Tensor:
    """What stands around the image in front of that layer."""
    layer = branch.layers[place]
    if place == 0 or layer.kernel_size == (1, 1):
        return window
    if branch.zeros_between:
        return window.masked_fill(padding, 0)
    if branch.padding_mode is not PaddingMode.ZEROS or padding.shape != window.shape[1:]:
        return window
    values = branch.constant_before(place)
    before_is_pointwise = all(each.kernel_size == (1, 1) for each in branch.layers[:place])
    if values is None or not before_is_pointwise:
        return window
    border = values[channels.start : channels.stop].double().view(-1, 1, 1)
    return torch.where(padding, border, window)


def _seen_by_taps(step: _Step, apart: Pair) -> _Step:
    """With the places that a tap of the layer falls on alone."""
    rows, columns = apart
    if apart == (1, 1):
        return step
    window, padding = step.window[:, ::rows, ::columns], step.padding[::rows, ::columns]
    return _Step(step.place, step.layers, window, padding, step.first_channel)


def _stage(step: _Step, channel: int, element: Element, of: str = "") -> WrittenStage:
    """That channel of the step written out; of an earlier step at the centre of its window."""
    layer, *behind = step.layers
    own = layer.reads(range(channel, channel + 1))
    window = step.window[own.start - step.first_channel : own.stop - step.first_channel]
    padding, one = step.padding, Element(channel, element.pixel, element.shape, element.dtype)
    if tuple(window.shape[1:]) != layer.kernel_size:
        window, padding = (_middle(each, layer.kernel_size) for each in (window, padding))
    if of:
        padding = torch.zeros_like(padding)
    total = written(layer, window, padding, own.start, one)
    value, shown = total.value, []
    for each in behind:
        title = f"{of.strip()} {_TITLES.get(each.called, each.called)}".strip()
        found = applied(each, title, channel, value, element.dtype)
        value = found.value
        shown.append(found)
    return WrittenStage(total, tuple(shown))


_TITLES = {"a batch norm": "batch norm"}


def _middle(values: Tensor, size: Pair) -> Tensor:
    """The places in the middle of the last two axes, as many as a kernel of that size has taps."""
    height, width = values.shape[-2:]
    top, left = centre(height) - centre(size[0]), centre(width) - centre(size[1])
    return values[..., top : top + size[0], left : left + size[1]]
