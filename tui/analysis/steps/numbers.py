"""Which numbers of the block stand behind a place of a step's kernel: those of the layers that it shows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from tui.analysis.alterations.alterations import NORM_PARTS, Shape, is_inside, shapes_of
from tui.analysis.alterations.places import EditablePlace, NotEditableError, weight_place
from tui.analysis.steps import layers
from tui.fusion.branch_spec import POST_NORM, BranchSpec, names_of
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
    found = (place for layer in step.layers for place in _of_layer(layer, step, spec, shapes, tap))
    known = (place for place in found if is_inside(place.index, shapes.get(place.name)))
    return tuple(dict.fromkeys(known))[:MOST]


def _of_layer(
    layer: str, step: Step, spec: BlockSpec, shapes: dict[str, Shape], tap: Tap
) -> Iterator[EditablePlace]:
    name = step.branch
    match layer:
        case layers.OWN:
            yield from _own(step, spec, tap)
        case layers.FIRST:
            yield EditablePlace(f"{name}.first.weight", (tap.out, tap.in_, 0, 0))
            yield EditablePlace(f"{name}.first.bias", (tap.out,))
        case layers.BOTH:
            yield from _both(name, _branches(spec)[name], spec, tap)
        case layers.SUM:
            yield from _of_all(spec, tap)
        case layers.BIASES:
            for each in names_of(spec.branches):
                yield EditablePlace(f"{each}.bias", (tap.out,))
        case _:
            for number in _a_channel(layer, name):
                yield EditablePlace(number, (0 if shapes.get(number) == (1,) else tap.out,))


def _a_channel(layer: str, name: str) -> list[str]:
    """The tensors of a batch norm, or the one of a scale, which have a number for each channel, or one."""
    if layer == layers.POST_SCALE:
        return [f"{POST_NORM}.{part}" for part in ("gamma", "var", "eps")]
    if layer == POST_NORM:
        return [f"{POST_NORM}.{part}" for part in NORM_PARTS]
    if layer in (layers.NORM, layers.INNER_NORM):
        return [f"{name}.{layer}.{part}" for part in NORM_PARTS]
    return [f"{name}.{layer}"]


def _branches(spec: BlockSpec) -> dict[str, BranchSpec]:
    return dict(zip(names_of(spec.branches), spec.branches, strict=True))


def _own(step: Step, spec: BlockSpec, tap: Tap) -> Iterator[EditablePlace]:
    """The weight and the bias of a branch that is one convolution."""
    name, branch = step.branch, _branches(spec)[step.branch]
    if not branch.kind.has_weight or branch.kind.is_sequence:
        return
    size, frame = spec.branch_kernel_size(branch), step.after.frame
    columns, fused_columns = (
        spec.in_channels // groups for groups in (spec.branch_groups(branch), spec.fused_groups)
    )
    if frame == spec.fused_kernel_size and step.after.shape[1] == fused_columns:
        yield from _weight(spec, name, tap)
    elif step.after.shape[1] == columns:
        widened = frame != size and bool(step.before) and step.before[-1].frame == size
        yield EditablePlace(f"{name}.weight", step.before[-1].origin(tap) if widened else tap)
    yield EditablePlace(f"{name}.bias", (tap.out,))


def _both(name: str, branch: BranchSpec, spec: BlockSpec, tap: Tap) -> Iterator[EditablePlace]:
    """The weights of both steps of a sequence whose products are summed at a tap, and their biases."""
    groups = spec.branch_groups(branch)
    between = spec.channels_between(branch) // groups
    group = tap.out // (spec.out_channels // groups)
    averaged = f"{name}.weight" not in shapes_of(spec)
    middles = [tap.out % between] if averaged else range(between)
    for middle in middles:
        channel = group * between + middle
        yield EditablePlace(f"{name}.first.weight", (channel, tap.in_, 0, 0))
        yield EditablePlace(f"{name}.weight", (tap.out, middle, tap.ky, tap.kx))
    yield EditablePlace(f"{name}.bias", (tap.out,))
    for middle in middles:
        yield EditablePlace(f"{name}.first.bias", (group * between + middle,))


def _of_all(spec: BlockSpec, tap: Tap) -> Iterator[EditablePlace]:
    """The weight of each branch that is one convolution and has one there."""
    for name in names_of(spec.branches):
        yield from _weight(spec, name, tap)


def _weight(spec: BlockSpec, name: str, tap: Tap) -> Iterator[EditablePlace]:
    """The weight of that branch at a tap of the fused frame, if one stands there."""
    with suppress(NotEditableError):
        yield EditablePlace(f"{name}.weight", weight_place(spec, name, tap).index)
