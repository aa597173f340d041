"""What is wrong with a spec, in words, at the field where it shows; found before any torch call."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.fusion.pair_text import show_pair
from tui.fusion.refusal import Refusal
from tui.fusion.specs.branch_chain import layers_of
from tui.fusion.specs.branch_spec import BranchKind, BranchSpec, Pair, names_of
from tui.fusion.specs.frame import border_before, extent_of, output_of
from tui.fusion.specs.layer_spec import ChainSpec, LayerKind, LayerSpec, chained_size, spacing_of
from tui.fusion.specs.padding import SAME, grown_and_cropped, show_padding
from tui.fusion.specs.part import Part

if TYPE_CHECKING:
    from tui.fusion.specs.block_spec import BlockSpec

MAX_CHANNELS = 65_536
MAX_KERNEL_SIZE = 127
MAX_STRIDE = 64
MAX_DILATION = 64
MAX_PADDING = 8_192
MAX_BATCH_SIZE = 65_536
MAX_INPUT_SIZE = 16_384
MAX_SEED = 2**63 - 1
MAX_EXPANSION = 16
MAX_BRANCHES = 64
MAX_EPS = 10

_LIMITS: tuple[tuple[str, str, int, int], ...] = (
    ("in_channels", "in channels", 1, MAX_CHANNELS),
    ("out_channels", "out channels", 1, MAX_CHANNELS),
    ("kernel_size", "kernel size", 1, MAX_KERNEL_SIZE),
    ("stride", "stride", 1, MAX_STRIDE),
    ("dilation", "dilation", 1, MAX_DILATION),
    ("groups", "groups", 1, MAX_CHANNELS),
    ("input_shape", "input height and width", 1, MAX_INPUT_SIZE),
    ("batch_size", "batch", 1, MAX_BATCH_SIZE),
    ("seed", "seed", 0, MAX_SEED),
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: the field where it shows, and the words for it."""

    field: str
    message: str


class InvalidSpecError(Refusal, ValueError):
    """Chosen values that make no block; `problems` says what is wrong at which field."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = problems


def problems_of(spec: BlockSpec) -> tuple[Problem, ...]:
    """Everything that is wrong with the spec: numbers out of range, else what does not go together."""
    problems = (*_range_problems(spec), *_branch_range_problems(spec))
    return problems or (*_structure_problems(spec), *_size_problems(spec), *_padding_problems(spec))


def _beyond(words: str, value: int | Pair, low: int, high: int) -> str | None:
    """The message where a number is out of range, None where it is not."""
    for number in value if isinstance(value, tuple) else (value,):
        if not low <= number <= high:
            return f"{words} must be from {low} to {high}, not {number}"
    return None


def _range_problems(spec: BlockSpec) -> Iterator[Problem]:
    for name, words, low, high in _LIMITS:
        message = _beyond(words, getattr(spec, name), low, high)
        if message:
            yield Problem(name, message)
    if not 0 <= spec.eps <= MAX_EPS:
        yield Problem("eps", f"eps must be from 0 to {MAX_EPS}, not {spec.eps!r}")
    if spec.padding != SAME and (message := _beyond("padding", spec.padding, 0, MAX_PADDING)):
        yield Problem("padding", message)


def _branch_range_problems(spec: BlockSpec) -> Iterator[Problem]:
    if not spec.branches:
        yield Problem("branches", "a block needs at least one branch: switch on kxk, 1x1 or identity")
    if len(spec.branches) > MAX_BRANCHES:
        yield Problem(
            "branches", f"a block has at most {MAX_BRANCHES} branches here, not {len(spec.branches)}"
        )
    for name, branch in zip(names_of(spec.branches), spec.branches, strict=True):
        for words, value, high in (
            ("kernel size", branch.kernel_size or 1, MAX_KERNEL_SIZE),
            ("dilation", branch.dilation or 1, MAX_DILATION),
            ("groups", 1 if branch.groups is None else branch.groups, MAX_CHANNELS),
            ("expansion", branch.expansion, MAX_EXPANSION),
        ):
            message = _beyond(f"{name}: {words}", value, 1, high)
            if message:
                yield Problem("branches", message)
        if message := _beyond(f"{name}: padding", branch.padding or 0, 0, MAX_PADDING):
            yield Problem("branches", message)
        for layer in layers_of(spec, branch).all_layers() if branch.parts else ():
            for words, value, high in (
                ("kernel size", layer.kernel_size, MAX_KERNEL_SIZE),
                ("dilation", layer.dilation, MAX_DILATION),
                ("groups", layer.groups or 1, MAX_CHANNELS),
                ("channels", layer.out_channels, MAX_CHANNELS),
            ):
                message = _beyond(f"{name}: {layer.name}: {words}", value, 1, high)
                if message:
                    yield Problem("branches", message)


def _structure_problems(spec: BlockSpec) -> Iterator[Problem]:
    """What is wrong with numbers that are right by themselves."""
    message = _undivided(spec, spec.groups)
    if message:
        yield Problem("groups", f"groups must divide in and out channels: {message}")
    for name, branch in zip(names_of(spec.branches), spec.branches, strict=True):
        for message in _branch_problems(spec, name, branch):
            yield Problem("branches", message)


def _undivided(spec: BlockSpec, groups: int) -> str | None:
    ends = (("in channels", spec.in_channels), ("out channels", spec.out_channels))
    undivided = [f"{words} {channels}" for words, channels in ends if channels % groups]
    return f"{groups} does not divide {' or '.join(undivided)}" if undivided else None


def _branch_problems(spec: BlockSpec, name: str, branch: BranchSpec) -> Iterator[str]:
    called = "the identity" if branch.kind is BranchKind.IDENTITY else "average pooling"
    if branch.kind in (BranchKind.IDENTITY, BranchKind.AVERAGE) and spec.in_channels != spec.out_channels:
        yield (
            f"{called} needs in channels = out channels "
            f"({spec.in_channels} is not {spec.out_channels}): make them equal or switch it off"
        )
    if branch.kind is BranchKind.IDENTITY and spec.stride != (1, 1):
        shown = show_pair(spec.stride)
        yield (
            f"the identity needs stride 1, not {shown}: it would skip pixels; set stride 1 or switch it off"
        )
    if branch.groups is not None and (message := _undivided(spec, branch.groups)):
        yield f"{name}: its groups must divide in and out channels: {message}"
    if branch.identity_offset and branch.expansion != 1:
        yield f"{name}: idconv adds the identity, which needs expansion 1, not {branch.expansion}"
    ends_differ = spec.in_channels != spec.out_channels
    if branch.identity_offset and branch.kind is BranchKind.POINTWISE_AVERAGE and ends_differ:
        yield (
            f"{name}: idconv adds the identity, which needs in channels = out channels "
            f"({spec.in_channels} is not {spec.out_channels})"
        )
    chain = spec.chain_of(branch)
    if branch.kind is BranchKind.CHAIN:
        yield from _chain_problems(spec, name, chain)
    yield from _fraction_problems(spec, name, branch.parts)
    yield from _inexact_border(spec, name, chain)


def _chain_problems(spec: BlockSpec, name: str, chain: ChainSpec) -> Iterator[str]:
    """What does not go together in a chain of any layers."""
    if chain.layers[-1].out_channels != spec.out_channels:
        yield (
            f"{name}: its layers end with {chain.layers[-1].out_channels} channels, and the block with "
            f"{spec.out_channels}"
        )
    if chain.stride != spec.stride:
        yield (
            f"{name}: its stride is {show_pair(chain.stride)}, not {show_pair(spec.stride)}: no layer of it "
            "can skip pixels; set stride 1 or switch it off"
        )
    for layer in chain.all_layers():
        undivided = [
            str(channels)
            for channels in (layer.in_channels, layer.out_channels)
            if channels % (layer.groups or 1)
        ]
        if undivided:
            yield (
                f"{name}: groups of {layer.name} must divide its channels: {layer.groups} does not divide "
                f"{' or '.join(undivided)}"
            )
        if layer.kind == LayerKind.OFFSET_CONVOLUTION and layer.in_channels != layer.out_channels:
            yield f"{name}: idconv adds the identity, which needs as many channels out as in"
        if any(inner.stride != layer.stride for inner in layer.chains):
            yield f"{name}: an identity in a sum needs stride 1, not {show_pair(spec.stride)}"
        ends = {inner.layers[-1].out_channels for inner in layer.chains}
        if len(ends) > 1:
            told = " and ".join(map(str, sorted(ends)))
            yield f"{name}: the chains of {layer.name} end with {told} channels: only equal ones can be added"


def _fraction_problems(spec: BlockSpec, name: str, parts: tuple[Part, ...]) -> Iterator[str]:
    """A part of the channels that is no whole number."""
    for part in parts:
        if part.multiple is not None and (part.multiple * spec.in_channels).denominator != 1:
            yield f"{name}: {part.multiple} of {spec.in_channels} in channels is not a whole number"
        for chain in part.summands:
            yield from _fraction_problems(spec, name, chain)


def _inexact_border(spec: BlockSpec, name: str, chain: ChainSpec) -> Iterator[str]:
    """Zeros that a layer pads behind something that is not zero outside the image: no kernel does that.

    Behind a layer that makes something of zero that is so on every side; behind one that sees neighbours
    only on the axes along which it reaches.
    """
    height, width = spec.output_nchw[2:]
    if not chain.zeros_between or min(height, width) < 1:
        return
    padded = [_grown_before(chain, place) for place in range(len(chain.layers))]
    for place, border in enumerate(padded):
        before = chain.layers[:place]
        adds = any(each.adds for each in before)
        axes = [axis for axis in (0, 1) if any(border[axis]) and (adds or _sees_along(axis, before))]
        if not axes:
            continue
        inside = [height, width]
        for axis in range(2) if adds else axes:
            reach = [sum(each[axis][side] for each in padded[place:]) for side in (0, 1)]
            inside[axis] = _pixels_inside(spec, chain, axis, reach[0], reach[1])
        after = _what_adds(before) if adds else "a layer that sees neighbours"
        away = "take bias and inner norm out" if adds else "keep one of them to its own axis"
        if adds and any(_sees_along(axis, before) and any(border[axis]) for axis in (0, 1)):
            away = "have no layer before it see neighbours"
        yield (
            f"{name}: zeros padded after {after} make the {height * width - inside[0] * inside[1]} pixels at "
            f"the border (of {height * width} a channel) wrong in any fused kernel; pad before it "
            f"(take +zeros out), or {away}"
        )
        return


def _what_adds(layers: tuple[LayerSpec, ...]) -> str:
    """What makes something of zero in a chain of these layers, in words: "the 1x1's bias"."""
    what = "batch norm" if any(each.rescales for each in layers) else "bias"
    if all(each.rescales for each in layers):
        return f"the {what}"
    return f"the {show_pair(chained_size(layers, spacing_of(layers)))}'s {what}"


def _sees_along(axis: int, layers: tuple[LayerSpec, ...]) -> bool:
    return any(each.kernel_size[axis] > 1 for each in layers)


def _grown_before(chain: ChainSpec, place: int) -> tuple[Pair, Pair]:
    """Pixels before and after, of the rows and of the columns, that are padded in front of a layer."""
    border = border_before(place, chain.layers, chain, zeros_between=chain.zeros_between)
    left, right, top, bottom = grown_and_cropped(border)[0]
    return (top, bottom), (left, right)


def _pixels_inside(spec: BlockSpec, chain: ChainSpec, axis: int, before: int, after: int) -> int:
    """Of the outputs on an axis, those whose kernel sees nothing of so many pixels of its border."""
    left, right, top, bottom = chain.border
    first, last = (left, right) if axis else (top, bottom)
    size, step, outputs = spec.input_shape[axis], spec.stride[axis], spec.output_nchw[2 + axis]
    reach = extent_of(chain)[axis]
    return sum(
        before <= place * step and place * step + reach <= size + first + last - after
        for place in range(outputs)
    )


def _size_problems(spec: BlockSpec) -> Iterator[Problem]:
    """A block, or a branch, that does not fit into its frame: the image, or the fused kernel."""
    frame, outputs = spec.frame, spec.output_nchw[2:]
    sizes = zip(("height", "width"), outputs, frame.extent, spec.input_shape, strict=True)
    for axis, (words, size, reach, given) in enumerate(sizes):
        if size < 1:
            padding = spec.padding[axis] if spec.padding != SAME else 0
            yield Problem(
                "padding",
                f"a kernel that reaches over {reach} pixels does not fit into an input {words} of {given} "
                f"padded by {padding}: no output is left; pad by {-(-(reach - given) // 2)} or more",
            )
            return
    for name, chain in zip(names_of(spec.branches), spec.chains, strict=True):
        if not frame.holds(chain):
            yield Problem(
                "branches",
                f"{name}: its padding has it read {frame.where(chain)}, which is padded by "
                f"{show_padding(frame.border)}: outside of it; give it another padding, or the block",
            )
        elif (own := output_of(extent_of(chain), chain.border, spec.input_shape, spec.stride)) != outputs:
            yield Problem(
                "branches",
                f"{name}: padded by {show_padding(chain.border)} it gives {show_pair(own)} pixels, and the "
                f"block {show_pair(outputs)}: give it another padding",
            )


def _padding_problems(spec: BlockSpec) -> Iterator[Problem]:
    mode = str(spec.padding_mode)
    if mode == "zeros":
        return
    if any(branch.kind is BranchKind.AVERAGE for branch in spec.branches):
        yield Problem(
            "padding_mode",
            f"average pooling pads with zeros, the convolutions with {mode}: their sum is not a single "
            "convolution; take the pooling out or choose zeros",
        )
    for name, branch in zip(names_of(spec.branches), spec.branches, strict=True):
        if branch.zero_border:
            yield Problem(
                "padding_mode",
                f"{name}: zeros between its steps and {mode} padding elsewhere make no single convolution; "
                "take +zeros out or choose zeros",
            )
    if mode == "replicate" or not spec.branches:
        return
    left, right, top, bottom = spec.frame.border
    reaches = zip(("height", "width"), (max(top, bottom), max(left, right)), spec.input_shape, strict=True)
    for words, reach, size in reaches:
        if reach > (size - 1 if mode == "reflect" else size):
            yield Problem(
                "padding_mode",
                f"{mode} padding of {reach} pixels needs an input {words} of at least "
                f"{reach + 1 if mode == 'reflect' else reach}, not {size}",
            )
