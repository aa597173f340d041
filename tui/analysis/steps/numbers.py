"""Which numbers of the block stand behind a place of a step's kernel: those of the layers that it shows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from tui.analysis.alterations.alterations import is_inside, shapes_of
from tui.analysis.alterations.editable import NORM_PARTS, numbers_of, place_of
from tui.analysis.alterations.places import EditablePlace, NotEditableError, bias_place, weight_place
from tui.analysis.steps import layers
from tui.fusion.specs.block_spec import BlockSpec, Pair
from tui.fusion.specs.branch_spec import POST_NORM, names_of
from tui.fusion.specs.layer_spec import ChainSpec, LayerSpec, in_a_row, spacing_of
from tui.fusion.specs.padding import offset_in, taps_apart
from tui.fusion.tap import Tap

if TYPE_CHECKING:
    from tui.analysis.steps.step import Step

MOST = 24
"""Numbers that are offered at one place."""


def numbers_behind(step: Step, spec: BlockSpec, tap: Tap) -> tuple[EditablePlace, ...]:
    """The numbers by which the weight at that tap of `step.after`, or the bias of its channel, came about.

    Those of the layers that the step shows; at most MOST, without any where none stands there.
    """
    shapes = shapes_of(spec)
    found = _found(step, spec, tap)
    known = (place for place in found if is_inside(place.index, shapes.get(place.name)))
    return tuple(dict.fromkeys(known))[:MOST]


def _found(step: Step, spec: BlockSpec, tap: Tap) -> Iterator[EditablePlace]:
    match step.layers:
        case (layers.SUM,):
            yield from _of_all(spec, tap)
        case (layers.BIASES,):
            yield from _biases_of_all(spec, tap.out)
        case (layers.POST_SCALE,):
            yield from (EditablePlace(f"{POST_NORM}.{part}", (_at(part, tap),)) for part in _SCALE)
        case (layer,) if layer == POST_NORM:
            yield from (EditablePlace(f"{POST_NORM}.{part}", (_at(part, tap),)) for part in NORM_PARTS)
        case (layers.COMPOSED, layer):
            yield from _composed(step.branch, layer, _chains(spec)[step.branch], tap)
        case shown:
            for layer in shown:
                yield from _of_layer(layer, step, spec, tap)


_SCALE = ("gamma", "var", "eps")


def _at(part: str, tap: Tap) -> int:
    return 0 if part == "eps" else tap.out


def _chains(spec: BlockSpec) -> dict[str, ChainSpec]:
    return dict(zip(names_of(spec.branches), spec.chains, strict=True))


def _of_layer(layer: str, step: Step, spec: BlockSpec, tap: Tap) -> Iterator[EditablePlace]:
    """Of the branch's weight, or those that a layer has for each channel, or one for all."""
    name, chain = step.branch, _chains(spec)[step.branch]
    match layer:
        case layers.OWN:
            yield from _own(step, spec, tap)
        case layers.FIRST:
            first = chain.layers[0].name
            yield EditablePlace(place_of(name, first, "weight", chain.names), tap)
            yield EditablePlace(place_of(name, first, "bias", chain.names), (tap.out,))
        case _:
            (own,) = (each for each in chain.layers if each.name == layer)
            for tensor, shape in numbers_of(own).items():
                place = place_of(name, layer, tensor, chain.names)
                yield EditablePlace(place, (0 if shape == (1,) else tap.out,))
            yield from _inside(name, chain, layer, own, tap)


def _inside(name: str, chain: ChainSpec, called: str, layer: LayerSpec, tap: Tap) -> Iterator[EditablePlace]:
    """Of the chains of a sum: what they have for each channel, and the weight at the tap of one alone."""
    for number, summand in enumerate(layer.chains):
        first = summand.layers[0]
        top, left = offset_in(summand.kernel_size, layer.kernel_size)
        own = tap._replace(
            in_=tap.in_ - _columns_moved(layer, first, tap.out), ky=tap.ky - top, kx=tap.kx - left
        )
        for each in summand.layers:
            for tensor, shape in numbers_of(each).items():
                place = place_of(name, f"{called}.{number + 1}.{each.name}", tensor, chain.names)
                if len(shape) == 1:
                    yield EditablePlace(place, (0 if shape == (1,) else tap.out,))
                elif summand.main == 0 and summand.dilation == layer.dilation:
                    yield EditablePlace(place, own)


def _columns_moved(layer: LayerSpec, first: LayerSpec, out: int) -> int:
    """By how many columns a weight of more groups stands further in the sum's kernel."""
    return _columns_read(first, out).start - _columns_read(layer, out).start


def _own(step: Step, spec: BlockSpec, tap: Tap) -> Iterator[EditablePlace]:
    """The weight and the bias of a branch that is one layer, but for those that rescale."""
    name, chain = step.branch, _chains(spec)[step.branch]
    if chain.main > 0:
        return
    layer, size, frame = chain.layers[0], chain.kernel_size, step.after.frame
    columns, fused_columns = (spec.in_channels // groups for groups in (chain.groups, spec.fused_groups))
    if frame == spec.fused_kernel_size and step.after.shape[1] == fused_columns:
        yield from _weight(spec, name, tap)
    elif step.after.shape[1] == columns:
        widened = frame != size and bool(step.before) and step.before[-1].frame == size
        own = step.before[-1].origin(tap) if widened else tap
        yield EditablePlace(place_of(name, layer.name, "weight", chain.names), own)
    yield EditablePlace(place_of(name, layer.name, "bias", chain.names), (tap.out,))


def _composed(name: str, layer: str, chain: ChainSpec, tap: Tap) -> Iterator[EditablePlace]:
    """The weights of a layer and of the one before it whose products are summed at a tap, and their biases.

    Where several layers stand before it, what they come to has no numbers of its own: those of the layer.
    """
    place = next(place for place, each in enumerate(chain.layers) if each.name == layer)
    first, second = chain.layers[0], chain.layers[place]
    before = ChainSpec(chain.layers[:place], chain.own_groups)
    has_one = all(each.rescales for each in before.layers[1:])
    weight, bias = (
        tuple(place_of(name, each.name, part, chain.names) for each in (first, second)) for part in _PARTS
    )
    in_ = _input_channel(chain, place, tap)
    read, pairs = _columns_read(second, tap.out), _pairs_of_taps(before, second, tap)
    for column, channel in enumerate(read):
        for inner, outer in pairs:
            if has_one:
                own = in_ - _columns_read(first, channel).start
                yield EditablePlace(weight[0], (channel, own, *inner))
            yield EditablePlace(weight[1], (tap.out, column, *outer))
    yield EditablePlace(bias[1], (tap.out,))
    for channel in read if has_one else ():
        yield EditablePlace(bias[0], (channel,))


_PARTS = ("weight", "bias")


def _input_channel(chain: ChainSpec, place: int, tap: Tap) -> int:
    """The branch's input channel at a tap of its layers up to that place, as one convolution."""
    groups = ChainSpec(chain.layers[: place + 1]).mixing_groups
    out_channels = chain.layers[place].out_channels
    if groups is None:
        groups = chain.own_groups if chain.mixing_groups is None else out_channels
    return tap.out // (out_channels // groups) * (chain.layers[0].in_channels // groups) + tap.in_


def _columns_read(layer: LayerSpec, out: int) -> range:
    """The input channels that an output channel of the layer reads."""
    groups = layer.groups or layer.in_channels
    columns = layer.in_channels // groups
    start = out // (layer.out_channels // groups) * columns
    return range(start, start + columns)


def _pairs_of_taps(first: ChainSpec, second: LayerSpec, tap: Tap) -> list[tuple[Pair, Pair]]:
    """The taps of what stands first and of the layer behind it whose products meet at a tap of both."""
    both = first, in_a_row((first, second))[1]
    spacing = spacing_of(both)
    steps = [taps_apart(each.kernel_size, each.dilation, spacing) for each in both]
    rows, columns = (
        [
            (inner, outer)
            for inner in range(first.kernel_size[axis])
            for outer in range(second.kernel_size[axis])
            if inner * steps[0][axis] + outer * steps[1][axis] == tap[2 + axis]
        ]
        for axis in (0, 1)
    )
    return [((row[0], column[0]), (row[1], column[1])) for row in rows for column in columns]


def _of_all(spec: BlockSpec, tap: Tap) -> Iterator[EditablePlace]:
    """The weight of each branch that is one convolution and has one there."""
    for name in names_of(spec.branches):
        yield from _weight(spec, name, tap)


def _biases_of_all(spec: BlockSpec, out: int) -> Iterator[EditablePlace]:
    for name in names_of(spec.branches):
        with suppress(NotEditableError):
            yield EditablePlace(bias_place(spec, name, out).name, (out,))


def _weight(spec: BlockSpec, name: str, tap: Tap) -> Iterator[EditablePlace]:
    """The weight of that branch at a tap of the fused frame, if one stands there."""
    with suppress(NotEditableError):
        place = weight_place(spec, name, tap)
        yield EditablePlace(place.name, place.index)
