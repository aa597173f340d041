"""Which numbers of the block stand behind a place of a step's kernel: those of the layers that it shows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from tui.analysis.alterations.alterations import EDITABLE, NORM_PARTS, is_inside, place_of, shapes_of
from tui.analysis.alterations.places import EditablePlace, NotEditableError, bias_place, weight_place
from tui.analysis.steps import layers
from tui.fusion.branch_spec import POST_NORM, names_of
from tui.fusion.layer_spec import ChainSpec, LayerSpec
from tui.fusion.padding import taps_apart
from tui.fusion.spec import BlockSpec
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
            yield EditablePlace(place_of(name, chain.layers[0].name, "weight"), tap)
            yield EditablePlace(place_of(name, chain.layers[0].name, "bias"), (tap.out,))
        case _:
            (own,) = (each for each in chain.layers if each.name == layer)
            tensors = EDITABLE[own.kind](own) if own.kind in EDITABLE else {}
            for tensor, shape in tensors.items():
                yield EditablePlace(place_of(name, layer, tensor), (0 if shape == (1,) else tap.out,))


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
        yield EditablePlace(place_of(name, layer.name, "weight"), own)
    yield EditablePlace(place_of(name, layer.name, "bias"), (tap.out,))


def _composed(name: str, layer: str, chain: ChainSpec, tap: Tap) -> Iterator[EditablePlace]:
    """The weights of a layer and of the one before it whose products are summed at a tap, and their biases.

    Where several layers stand before it, what they come to has no numbers of its own: those of the layer.
    """
    place = next(place for place, each in enumerate(chain.layers) if each.name == layer)
    groups = chain.own_groups if chain.mixing_groups is None else chain.layers[place].out_channels
    chain = ChainSpec(chain.layers[: place + 1], groups)
    first, second = chain.layers[0], chain.layers[place]
    weight, bias = (tuple(place_of(name, each.name, part) for each in (first, second)) for part in _PARTS)
    groups = chain.groups
    between = second.in_channels // groups
    group = tap.out // (second.out_channels // groups)
    averaged = second.groups is None
    middles = [tap.out % between] if averaged else range(between)
    alone = all(each.rescales for each in chain.layers[1:place])
    for middle in middles:
        for inner, outer in _pairs_of_taps(chain, tap) if alone else ():
            yield EditablePlace(weight[0], (group * between + middle, tap.in_, *inner))
            yield EditablePlace(weight[1], (tap.out, middle, *outer))
    yield EditablePlace(bias[1], (tap.out,))
    for middle in middles if alone else ():
        yield EditablePlace(bias[0], (group * between + middle,))


_PARTS = ("weight", "bias")


def _pairs_of_taps(chain: ChainSpec, tap: Tap) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """The taps of the first and of the last layer whose products meet at a tap of both as one."""
    first, second = chain.layers[0], chain.layers[-1]
    rows, columns = (
        [
            (inner, outer)
            for inner in range(first.kernel_size[axis])
            for outer in range(second.kernel_size[axis])
            if inner * _apart(chain, first)[axis] + outer * _apart(chain, second)[axis] == tap[2 + axis]
        ]
        for axis in (0, 1)
    )
    for inner_row, outer_row in rows:
        for inner_column, outer_column in columns:
            yield (inner_row, inner_column), (outer_row, outer_column)


def _apart(chain: ChainSpec, layer: LayerSpec) -> tuple[int, int]:
    """How many taps of both as one lie from one tap of the layer to its next."""
    return taps_apart(layer.kernel_size, layer.dilation, chain.dilation)


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
