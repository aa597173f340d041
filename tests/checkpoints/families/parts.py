"""What authors' blocks are made of: a convolution with its batch norm, branches by their names."""

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
