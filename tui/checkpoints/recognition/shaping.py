"""From the patterns under a prefix to layers in numbers: channels, groups and sizes, by shapes alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from tui.checkpoints.families.patterns import (
    DEPTHWISE,
    Average,
    Conv,
    Factor,
    Fixed,
    Identity,
    LayerPattern,
    Norm,
    Times,
    Together,
)
from tui.checkpoints.found import FoundLayer
from tui.checkpoints.recognition.channels import Names, conv_shape, shown_shape
from tui.checkpoints.recognition.misfit import Misfit
from tui.fusion.pair_text import Pair, show_pair
from tui.fusion.specs.layer_spec import ChainSpec, LayerKind, LayerSpec, sum_of
from tui.fusion.specs.part import FIXED


@dataclass(frozen=True, slots=True)
class Shaping:
    """Turns patterns into layers for one block.

    Attributes:
        names: the tensors under the prefix.
        kernel_size: k on both axes.
        eps: of the norms.
    """

    names: Names
    kernel_size: Pair
    eps: float

    def layers(
        self, patterns: Iterable[LayerPattern], channels: int, groups: int
    ) -> tuple[tuple[FoundLayer, ...], int]:
        """The layers of a chain from that many channels on, and how many come out of it.

        `groups`: those of the block, for convolutions that follow it.

        Raises:
            Misfit: shapes do not go together.
        """
        made: list[FoundLayer] = []
        for pattern in patterns:
            layer = self._layer(pattern, channels, groups)
            channels = layer.spec.out_channels
            made.append(layer)
        return _named(made), channels

    def _layer(self, pattern: LayerPattern, channels: int, groups: int) -> FoundLayer:
        match pattern:
            case Conv():
                return self._conv(pattern, channels, groups)
            case Norm():
                return self.norm(pattern, channels)
            case Identity():
                return FoundLayer(LayerSpec(LayerKind.IDENTITY, "identity", channels, channels))
            case Average(size):
                window = _size_in(size, self.kernel_size)
                return FoundLayer(LayerSpec(LayerKind.AVERAGE, "pool", channels, channels, window))
            case Factor():
                return self._factor(pattern, channels)
            case Times(number):
                return FoundLayer(_factor_spec(LayerKind.ALPHA, channels), number=number)
            case Fixed():
                return self._fixed(pattern, channels)
            case Together(chains):
                return self._sum(chains, channels, groups)

    def _conv(self, pattern: Conv, channels: int, groups: int) -> FoundLayer:
        shape = conv_shape(self.names[pattern.weight], pattern.weight)
        out_channels, columns, size = shape[0], shape[1], (shape[2], shape[3])
        own = _groups_of(pattern, channels, columns, groups)
        if columns * own != channels or out_channels % own:
            raise Misfit(
                f"{pattern.weight} reads {columns} channels in {own} groups, but is given {channels}"
            )
        self._refuse_size(pattern, size)
        self._refuse_length(pattern.bias, out_channels)
        step = int(pattern.dilation)
        if step < 1:
            raise Misfit(f"{pattern.weight} is dilated by {step}")
        if pattern.within and any(
            _spread(*axis) > most
            for axis, most in zip(((size[0], step), (size[1], step)), self.kernel_size, strict=True)
        ):
            raise Misfit(f"{pattern.weight} reaches further than the largest kernel")
        spread = step if pattern.spread else 1
        if pattern.spread:
            size, step = (_spread(size[0], step), _spread(size[1], step)), 1
        dilation = (step if size[0] > 1 else 1, step if size[1] > 1 else 1)
        offset = pattern.less_identity
        if offset and out_channels != channels:
            raise Misfit(f"{pattern.weight} is stored without the identity, but changes the channels")
        spec = LayerSpec(
            LayerKind.OFFSET_CONVOLUTION if offset else LayerKind.CONVOLUTION,
            "conv",
            channels,
            out_channels,
            size,
            dilation=dilation,
            groups=own,
            bias=pattern.bias in self.names,
            adds=pattern.bias in self.names,
        )
        return FoundLayer(spec, self._where(weight=pattern.weight, bias=pattern.bias), spread=spread)

    def _refuse_size(self, pattern: Conv, size: Pair) -> None:
        flat = len(self.names[pattern.weight].shape) < 4
        wanted = size if pattern.size == "any" else _size_in(pattern.size, self.kernel_size)
        if size[1] != wanted[1] or (size[0] != wanted[0] and not flat):
            raise Misfit(f"{pattern.weight} is {show_pair(size)}, where this family has {show_pair(wanted)}")

    def norm(self, pattern: Norm, channels: int) -> FoundLayer:
        """A batch norm of that many channels.

        Raises:
            Misfit: it has another number of them.
        """
        parts = {part: f"{pattern.key}.{part}" for part in ("weight", "bias", "running_mean", "running_var")}
        for name in parts.values():
            self._refuse_length(name, channels)
        counter = f"{pattern.key}.num_batches_tracked"
        spec = LayerSpec(
            LayerKind.NORM, "norm", channels, channels, bias=True, rescales=True, adds=True, eps=self.eps
        )
        return FoundLayer(spec, self._where(**parts, num_batches_tracked=counter))

    def _factor(self, pattern: Factor, channels: int) -> FoundLayer:
        count = self.names[pattern.name].numel
        if count != (channels if pattern.by_channel else 1):
            raise Misfit(
                f"{pattern.name} holds {count} numbers, which do not fit {channels} channels", disagree=True
            )
        kind = LayerKind.GAMMA if pattern.by_channel else LayerKind.ALPHA
        return FoundLayer(_factor_spec(kind, channels), self._where(factor=pattern.name))

    def _fixed(self, pattern: Fixed, channels: int) -> FoundLayer:
        taps = FIXED[pattern.word]
        shape = self.names[pattern.taps].shape
        if shape != (channels, 1, len(taps), len(taps[0])):
            raise Misfit(
                f"{pattern.taps} is {shown_shape(shape)}, not one kernel for each of {channels} channels"
            )
        for name in (pattern.factor, pattern.bias):
            if self.names[name].numel != channels:
                raise Misfit(
                    f"{name} holds {self.names[name].numel} numbers for {channels} channels", disagree=True
                )
        spec = LayerSpec(
            LayerKind.DEPTHWISE,
            pattern.word,
            channels,
            channels,
            (len(taps), len(taps[0])),
            bias=True,
            adds=True,
            taps=taps,
        )
        where = self._where(taps=pattern.taps, factor=pattern.factor, bias=pattern.bias)
        return FoundLayer(spec, where, word=pattern.word)

    def _sum(self, chains: Iterable[tuple[LayerPattern, ...]], channels: int, groups: int) -> FoundLayer:
        made = [self.layers(chain, channels, groups) for chain in chains]
        if len({out_channels for _, out_channels in made}) > 1:
            raise Misfit("the chains of a sum end with different channels", disagree=True)
        specs = tuple(ChainSpec(tuple(layer.spec for layer in layers), made[0][1]) for layers, _ in made)
        spec = sum_of("sum", specs, (channels, made[0][1]))
        return FoundLayer(spec, chains=tuple(layers for layers, _ in made))

    def _where(self, **names: str) -> tuple[tuple[str, str], ...]:
        return tuple((part, name) for part, name in names.items() if name in self.names)

    def _refuse_length(self, name: str, channels: int) -> None:
        entry = self.names.get(name)
        if entry is not None and (entry.numel != channels or len(entry.shape) != 1):
            raise Misfit(
                f"{name} is {shown_shape(entry.shape)}, which does not fit {channels} channels", disagree=True
            )


def _factor_spec(kind: LayerKind, channels: int) -> LayerSpec:
    return LayerSpec(kind, kind, channels, channels, rescales=True)


def _named(layers: Iterable[FoundLayer]) -> tuple[FoundLayer, ...]:
    """Each with a name of its own in the chain: "conv1" and "conv2" where there are several."""
    every = list(layers)
    words = [layer.spec.name for layer in every]
    seen: dict[str, int] = {}
    named = []
    for layer, word in zip(every, words, strict=True):
        seen[word] = seen.get(word, 0) + 1
        own = word if words.count(word) == 1 else f"{word}{seen[word]}"
        named.append(replace(layer, spec=replace(layer.spec, name=own)))
    return tuple(named)


def _groups_of(pattern: Conv, channels: int, columns: int, groups: int) -> int:
    """How many groups a convolution has: as its family says, else as its weight's shape says."""
    if pattern.groups == 1:
        return 1
    if pattern.groups == DEPTHWISE:
        return channels
    return channels // columns if channels % columns == 0 else groups


def _spread(size: int, step: int) -> int:
    return (size - 1) * step + 1


def _size_in(text: str, kernel_size: Pair) -> Pair:
    """ "kx1" with the block's k."""
    height, width = (
        own if word == "k" else int(word) for word, own in zip(text.split("x"), kernel_size, strict=True)
    )
    return height, width
