"""The words in which a family tells its block: layers under names, branches of them, conditions by shape.

Every name stands under the block's prefix. `{i}` in the names of a branch is each of 0, 1, 2, ... that the
file has, `{k}` and `{r}` any number: the branch is there once for each. A size is "3x3", "1xk" with k the
block's own on that axis, or "any".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tui.fusion.specs.part import DEPTHWISE

__all__ = ["DEPTHWISE"]


@dataclass(frozen=True, slots=True)
class Conv:
    """A convolution; a weight of three dimensions is a 1 x k one, one of two a 1 x 1.

    Attributes:
        weight, bias: names; the bias may be absent.
        size: which kernel sizes it may have.
        biased: whether it must have its bias, must not, or (None) may.
        groups: 1, DEPTHWISE, or None for the block's.
        dilation: of its taps, a number or the placeholder that holds it.
        within: whether its taps, dilated, must lie within the block's largest kernel.
        spread: whether the fused kernel's tap stands in the middle of its dilated taps, as an even kernel's
            can: it is taken as the larger kernel with zeros between.
        less_identity: whether the weight is stored without the identity that belongs to it (DBB).
    """

    weight: str
    bias: str
    size: str = "kxk"
    biased: bool | None = None
    groups: int | None = None
    dilation: str = "1"
    within: bool = False
    spread: bool = False
    less_identity: bool = False


@dataclass(frozen=True, slots=True)
class Norm:
    """A batch norm: its statistics, and weight and bias where it is affine.

    Attributes:
        key: the name of the module.
    """

    key: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Its input; it is in no file."""


@dataclass(frozen=True, slots=True)
class Average:
    """Average pooling, the pixels of the border counted; it is in no file.

    Attributes:
        size: of its window.
    """

    size: str = "kxk"


@dataclass(frozen=True, slots=True)
class Factor:
    """A learned factor.

    Attributes:
        name: of its tensor.
        by_channel: whether there is one for each channel.
        optional: whether it may be absent, and stands for 1.
    """

    name: str
    by_channel: bool = False
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Times:
    """A fixed factor; it is in no file."""

    number: float


@dataclass(frozen=True, slots=True)
class Fixed:
    """A fixed depthwise kernel, with a learned factor and bias for each channel.

    Attributes:
        word: what it is called: "sobelx".
        taps, factor, bias: names.
    """

    word: str
    taps: str
    factor: str
    bias: str


@dataclass(frozen=True, slots=True)
class Together:
    """Chains side by side inside of a chain; their outputs are added."""

    chains: tuple[tuple[LayerPattern, ...], ...]


LayerPattern = Conv | Norm | Identity | Average | Factor | Times | Fixed | Together


@dataclass(frozen=True, slots=True)
class BranchPattern:
    """One summand of the block.

    Attributes:
        name: what it is called.
        layers: in a row.
        optional: whether the block may be without it.
        zeros_between: whether each layer pads zeros of its own; else what lies outside the image is what
            zeros in front of the branch become.
    """

    name: str
    layers: tuple[LayerPattern, ...]
    optional: bool = False
    zeros_between: bool = False

    def flat(self) -> Iterator[LayerPattern]:
        """Every layer, those inside of sums too."""
        return _flat(self.layers)

    @property
    def convs(self) -> tuple[Conv, ...]:
        """Its convolutions."""
        return tuple(layer for layer in self.flat() if isinstance(layer, Conv))


def _flat(layers: tuple[LayerPattern, ...]) -> Iterator[LayerPattern]:
    for layer in layers:
        yield layer
        if isinstance(layer, Together):
            for chain in layer.chains:
                yield from _flat(chain)


def conv(
    key: str,
    size: str = "kxk",
    *,
    biased: bool | None = None,
    groups: int | None = None,
    dilation: str = "1",
    within: bool = False,
    spread: bool = False,
    less_identity: bool = False,
) -> Conv:
    """The nn.Conv2d of that name."""
    return Conv(f"{key}.weight", f"{key}.bias", size, biased, groups, dilation, within, spread, less_identity)


def conv_norm(
    key: str,
    size: str = "kxk",
    *,
    conv_key: str = "conv",
    norm_key: str = "bn",
    groups: int | None = None,
    dilation: str = "1",
) -> tuple[Conv, Norm]:
    """A convolution and its batch norm, as modules of one name: rbr_dense.conv, rbr_dense.bn."""
    return conv(f"{key}.{conv_key}", size, groups=groups, dilation=dilation), Norm(f"{key}.{norm_key}")


def branch(
    name: str, *layers: LayerPattern, optional: bool = False, zeros_between: bool = False
) -> BranchPattern:
    """A branch of these layers, which the block must have unless it is `optional`."""
    return BranchPattern(name, layers, optional, zeros_between)


def conv_norm_branch(
    key: str,
    size: str = "kxk",
    *,
    conv_key: str = "conv",
    norm_key: str = "bn",
    groups: int | None = None,
    dilation: str = "1",
    optional: bool = False,
) -> BranchPattern:
    """A branch of a convolution and its batch norm, called by their key."""
    layers = conv_norm(key, size, conv_key=conv_key, norm_key=norm_key, groups=groups, dilation=dilation)
    return branch(key, *layers, optional=optional)


def identity_norm_branch(key: str) -> BranchPattern:
    """A batch norm of the block's input, which blocks that change channels or size are without."""
    return branch(key, Identity(), Norm(key), optional=True)
