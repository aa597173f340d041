"""From the layers of a chain as they were written to layers in numbers, in the block that they stand in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui.fusion.pair_text import Pair
from tui.fusion.specs.layer_spec import (
    CONVOLUTIONS,
    RESCALING,
    STRIDING,
    ChainSpec,
    LayerKind,
    LayerSpec,
    sum_of,
)
from tui.fusion.specs.part import DEPTHWISE, Part

if TYPE_CHECKING:
    from tui.fusion.specs.block_spec import BlockSpec

_NAMES = {LayerKind.OFFSET_CONVOLUTION: "conv", LayerKind.AVERAGE: "pool"}


def written_layers(
    spec: BlockSpec, parts: Sequence[Part], channels: Pair, stride: Pair
) -> tuple[LayerSpec, ...]:
    """Each part with its numbers, from the first of `channels` to the second.

    The last layer that can change channels ends with the block's, others keep what they are given, unless
    they say how many. The stride is that of the last layer that sees neighbours.
    """
    current, last = channels
    names = _names(parts)
    strided, changing = _strided(spec, parts), _last_changing(parts)
    layers = []
    for place, part in enumerate(parts):
        ends_with = _ends_with(spec, part, last if place == changing else current)
        own = stride if place == strided else (1, 1)
        layers.append(_layer(spec, part, names[place], (current, ends_with), own))
        current = ends_with
    return tuple(layers)


def _names(parts: Sequence[Part]) -> list[str]:
    """What each is called in its chain: "conv", or "conv1" and "conv2" where there are several."""
    words = [part.fixed or _NAMES.get(part.kind, str(part.kind)) for part in parts]
    seen: Counter[str] = Counter()
    names = []
    for word in words:
        seen[word] += 1
        names.append(word if words.count(word) == 1 else f"{word}{seen[word]}")
    return names


def _mixes(part: Part) -> bool:
    if part.kind is LayerKind.SUM:
        return any(_mixes(inner) for chain in part.summands for inner in chain)
    return part.kind in CONVOLUTIONS


def _last_changing(parts: Sequence[Part]) -> int | None:
    return max((place for place, part in enumerate(parts) if _mixes(part)), default=None)


def _ends_with(spec: BlockSpec, part: Part, otherwise: int) -> int:
    said = _said_channels(spec, part)
    return otherwise if said is None else said


def _said_channels(spec: BlockSpec, part: Part) -> int | None:
    """How many it says come out; of a sum as the first of its chains that says it, which all must be."""
    if part.summands:
        ends = ((chain, _last_changing(chain)) for chain in part.summands)
        said = (_said_channels(spec, chain[place]) for chain, place in ends if place is not None)
        return next((channels for channels in said if channels is not None), None)
    if part.channels is not None or part.multiple is None:
        return part.channels
    return int(part.multiple * spec.in_channels)


def _size(spec: BlockSpec, part: Part) -> Pair:
    """(kH, kW); of a sum 1 x 1 only where all in it are."""
    if part.kind is LayerKind.SUM:
        inside = [_size(spec, inner) for chain in part.summands for inner in chain]
        return max(size[0] for size in inside), max(size[1] for size in inside)
    height, width = part.kernel_size
    return height or spec.kernel_size[0], width or spec.kernel_size[1]


def _strided(spec: BlockSpec, parts: Sequence[Part]) -> int | None:
    able = [place for place, part in enumerate(parts) if part.kind in STRIDING]
    spatial = [place for place in able if _size(spec, parts[place]) != (1, 1)]
    return max(spatial or able, default=None)


def _layer(spec: BlockSpec, part: Part, name: str, channels: Pair, stride: Pair) -> LayerSpec:
    if part.kind is LayerKind.SUM:
        chains = tuple(
            ChainSpec(written_layers(spec, chain, channels, stride), channels[1]) for chain in part.summands
        )
        return sum_of(name, chains, channels)
    size = _size(spec, part)
    dilation = spec.dilation if part.dilation is None else part.dilation
    rows, columns = (step if taps > 1 else 1 for taps, step in zip(size, dilation, strict=True))
    norm = part.kind is LayerKind.NORM
    return LayerSpec(
        part.kind,
        name,
        *channels,
        size,
        stride if part.kind in STRIDING else (1, 1),
        (rows, columns),
        _groups(spec, part, channels[0]) if part.kind in CONVOLUTIONS else None,
        bias=part.bias or norm,
        rescales=part.kind in RESCALING,
        adds=part.bias or norm,
        eps=_eps(spec, part),
        taps=part.taps,
    )


def _eps(spec: BlockSpec, part: Part) -> float | None:
    if part.kind is not LayerKind.NORM:
        return None
    return spec.eps if part.eps is None else part.eps


def _groups(spec: BlockSpec, part: Part, channels: int) -> int:
    if part.groups == DEPTHWISE:
        return channels
    return spec.groups if part.groups is None else part.groups
