"""A found branch in the words that `--branches` takes: "3x3-bias+norm", "1x1-bias > norm > avg3x3+norm"."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tui.checkpoints.found import FoundLayer
from tui.fusion.pair_text import shortest, show_pair
from tui.fusion.specs.layer_spec import ChainSpec, LayerKind

_BEHIND = (LayerKind.NORM, LayerKind.ALPHA, LayerKind.GAMMA)


def text_of(layers: Sequence[FoundLayer], chain: ChainSpec, groups: int) -> str:
    """The branch as text, in a block of that many groups."""
    return _chain(layers, groups) + ("+zeros" if chain.zeros_between else "")


def _chain(layers: Sequence[FoundLayer], groups: int) -> str:
    changing = [place for place, layer in enumerate(layers) if layer.spec.groups is not None]
    words: list[str] = []
    for place, layer in enumerate(layers):
        kind = layer.spec.kind
        if words and kind in _BEHIND and not _has(words[-1], kind):
            words[-1] += f"+{kind}"
            continue
        widens = place in changing[:-1] and layer.spec.out_channels != layer.spec.in_channels
        words.append(_layer(layer, groups) + (f"+c{layer.spec.out_channels}" if widens else ""))
    return " > ".join(words)


def _has(word: str, kind: str) -> bool:
    """Whether the word has one such option, so that another one is a layer of its own."""
    alike = _BEHIND[:1] if kind == LayerKind.NORM else _BEHIND[1:]
    return word.startswith(_BEHIND) or any(f"+{each}" in word for each in alike)


def _layer(layer: FoundLayer, groups: int) -> str:
    spec = layer.spec
    match spec.kind:
        case LayerKind.CONVOLUTION | LayerKind.OFFSET_CONVOLUTION:
            return _conv(layer, groups)
        case LayerKind.AVERAGE:
            return f"avg{show_pair(spec.kernel_size)}"
        case LayerKind.SUM:
            return f"({' + '.join(_chain(chain, groups) for chain in layer.chains)})"
        case LayerKind.DEPTHWISE:
            return layer.word
        case _:
            return str(spec.kind)


def _conv(layer: FoundLayer, groups: int) -> str:
    spec = layer.spec
    dilated = "" if spec.dilation == (1, 1) else f"d{shortest(spec.dilation)}"
    options: Iterable[str] = (
        "" if spec.bias else "-bias",
        "" if spec.groups == groups else "+dw" if spec.groups == spec.in_channels else f"+g{spec.groups}",
        "+idconv" if spec.kind == LayerKind.OFFSET_CONVOLUTION else "",
    )
    return "".join((show_pair(spec.kernel_size), dilated, *options))
