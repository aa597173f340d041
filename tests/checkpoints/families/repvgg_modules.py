"""The blocks of RepVGG and MobileOne in each code's own names, without the activation."""

from __future__ import annotations

from torch import Tensor, nn


class ConvNorm(nn.Module):
    """A convolution and its batch norm under the names that a code gives them."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        *,
        stride: int = 1,
        groups: int = 1,
        bias: bool = False,
        names: tuple[str, str] = ("conv", "bn"),
        dilation: int = 1,
    ) -> None:
        super().__init__()
        height, width = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
        padding = (dilation * (height // 2), dilation * (width // 2))
        conv = nn.Conv2d(
            in_channels, out_channels, (height, width), stride, padding, dilation, groups, bias=bias
        )
        self.add_module(names[0], conv)
        self.add_module(names[1], nn.BatchNorm2d(out_channels))

    def forward(self, x: Tensor) -> Tensor:
        for module in self.children():
            x = module(x)
        return x


class Parallel(nn.Module):
    """Branches by their names, added."""

    def __init__(self, **branches: nn.Module) -> None:
        super().__init__()
        for name, branch in branches.items():
            self.add_module(name, branch)

    def forward(self, x: Tensor) -> Tensor:
        total: Tensor | None = None
        for branch in self.children():
            for each in branch if isinstance(branch, nn.ModuleList) else [branch]:
                y = each(x)
                total = y if total is None else total + y
        assert total is not None
        return total


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
