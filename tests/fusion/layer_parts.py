"""Branches made by hand, and what is inside of a branch, with its type."""

from __future__ import annotations

from torch import Tensor, nn

from tui.fusion.layers import Average, Branch, Convolution, Factor, Identity, Layer, Norm
from tui.fusion.specs.block_spec import Pair, Scale
from tui.fusion.specs.geometry import Geometry
from tui.fusion.specs.padding import symmetric_padding


def conv_branch(
    name: str,
    in_channels: int,
    out_channels: int,
    kernel_size: Pair,
    geometry: Geometry | None = None,
    *,
    bias: bool = True,
    batch_norm: bool = False,
    scaled: Scale = Scale.NONE,
) -> Branch:
    geometry = geometry or Geometry()
    conv = nn.Conv2d(
        in_channels,
        out_channels,
        kernel_size,
        stride=geometry.stride,
        padding=symmetric_padding(kernel_size, geometry.dilation) or 0,
        dilation=geometry.dilation,
        groups=geometry.groups,
        bias=bias,
        padding_mode=geometry.padding_mode.value,
    )
    layers = [("conv", Convolution(conv)), *behind(out_channels, batch_norm, scaled)]
    return Branch(name, layers, padding_mode=geometry.padding_mode)


def identity_branch(
    name: str, channels: int, groups: int = 1, *, batch_norm: bool = False, scaled: Scale = Scale.NONE
) -> Branch:
    layers = [("identity", Identity(channels)), *behind(channels, batch_norm, scaled)]
    return Branch(name, layers, own_groups=groups)


def average_branch(
    name: str, channels: int, kernel_size: Pair, *, stride: Pair = (1, 1), groups: int = 1
) -> Branch:
    return Branch(name, [("pool", Average(channels, kernel_size, stride))], own_groups=groups)


def behind(channels: int, batch_norm: bool, scaled: Scale) -> list[tuple[str, Layer]]:
    layers: list[tuple[str, Layer]] = []
    if batch_norm:
        layers.append(("norm", Norm(nn.BatchNorm2d(channels), channels)))
    if scaled:
        layers.append((scaled, Factor(channels, by_channel=scaled is Scale.GAMMA)))
    return layers


def conv_in(branch: Branch, name: str = "conv") -> nn.Conv2d:
    layer = branch[name]
    assert isinstance(layer, Convolution)
    return layer.conv


def norm_in(branch: Branch, name: str = "norm") -> nn.BatchNorm2d:
    layer = branch[name]
    assert isinstance(layer, Norm)
    assert isinstance(layer.norm, nn.BatchNorm2d)
    return layer.norm


def factor_in(branch: Branch, name: str) -> Tensor:
    layer = branch[name]
    assert isinstance(layer, Factor)
    return layer.factor


def is_conv(branch: nn.Module) -> bool:
    """Whether it is one convolution and what rescales it."""
    return isinstance(branch, Branch) and branch.main == 0 and isinstance(branch.layers[0], Convolution)


def is_identity(branch: nn.Module) -> bool:
    return isinstance(branch, Branch) and branch.main == 0 and isinstance(branch.layers[0], Identity)


def run_first(branch: Branch, x: Tensor) -> Tensor:
    """What the layers in front of the last that does more than rescale give."""
    for layer in branch.layers[: branch.main]:
        x = layer(x)
    return x
