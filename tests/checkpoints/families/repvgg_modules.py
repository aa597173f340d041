"""The blocks of RepVGG and MobileOne in each code's own names, without the activation."""

from __future__ import annotations

from torch import nn

from tests.checkpoints.families.parts import ConvNorm, Parallel

REPVGG_NAMES = {
    "RepVGG": ("rbr_dense", "rbr_1x1", "rbr_identity", "bn", "rbr_reparam"),
    "RepVGG (timm)": ("conv_kxk", "conv_1x1", "identity", "bn", "reparam_conv"),
    "RepVGG (mmpretrain)": ("branch_3x3", "branch_1x1", "branch_norm", "norm", "branch_reparam"),
}
MOBILEONE_NAMES = {
    "MobileOne": ("rbr_conv", "rbr_scale", "rbr_skip", "bn", "reparam_conv"),
    "MobileOne (timm)": ("conv_kxk", "conv_scale", "identity", "bn", "reparam_conv"),
    "MobileOne (mmpretrain)": ("branch_conv_list", "branch_scale", "branch_norm", "norm", "branch_reparam"),
}


def repvgg(
    family: str,
    in_channels: int,
    out_channels: int,
    *,
    stride: int = 1,
    groups: int = 1,
    kernel_size: int = 3,
    bias: bool = False,
    dilation: int = 1,
) -> Parallel:
    dense, pointwise, identity, norm, _ = REPVGG_NAMES[family]

    def conv(size: int, dilation: int = 1) -> ConvNorm:
        return ConvNorm(
            in_channels,
            out_channels,
            size,
            stride=stride,
            groups=groups,
            bias=bias,
            names=("conv", norm),
            dilation=dilation,
        )

    branches: dict[str, nn.Module] = {dense: conv(kernel_size, dilation), pointwise: conv(1)}
    if in_channels == out_channels and stride == 1:
        branches[identity] = nn.BatchNorm2d(in_channels)
    return Parallel(**branches)


def mobileone(
    family: str,
    in_channels: int,
    out_channels: int,
    kernel_size: int,
    *,
    branches: int = 4,
    stride: int = 1,
    groups: int = 1,
) -> Parallel:
    convs, scale, identity, norm, _ = MOBILEONE_NAMES[family]
    names = ("conv", norm)

    def conv(size: int) -> ConvNorm:
        return ConvNorm(in_channels, out_channels, size, stride=stride, groups=groups, names=names)

    made: dict[str, nn.Module] = {convs: nn.ModuleList(conv(kernel_size) for _ in range(branches))}
    if kernel_size > 1:
        made[scale] = conv(1)
    if in_channels == out_channels and stride == 1:
        made[identity] = nn.BatchNorm2d(in_channels)
    return Parallel(**made)
