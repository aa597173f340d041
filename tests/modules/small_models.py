"""Models as their authors would write them, small, with numbers that fold exactly or at random."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Block(nn.Module):
    """RepVGG's block, its activation left out."""

    def __init__(self, channels: int = 2) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(channels, eps=0.25)
        self.point = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """A sum of two convolutions and the image."""
        y: Tensor = self.bn(self.conv(x)) + self.point(x) + x
        return y


class Gate(nn.Module):
    """Squeeze and excitation."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """The image, weighed by itself."""
        return x * torch.sigmoid(self.fc(x.mean((2, 3), keepdim=True)))


class Net(nn.Module):
    """A stem, two blocks, a gate, and a norm that nothing can be folded into."""

    def __init__(self, channels: int = 2) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, channels, 3, stride=2, padding=1), nn.BatchNorm2d(channels, eps=0.25), nn.ReLU()
        )
        self.stages = nn.ModuleList([Block(channels), Block(channels)])
        self.act = nn.ReLU6()
        self.gate = Gate(channels)
        self.norm = nn.GroupNorm(1, channels)
        self.after = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """One after the other."""
        x = self.stem(x)
        for stage in self.stages:
            x = self.act(stage(x))
        y: Tensor = self.after(self.norm(self.gate(x)))
        return y


def whole_numbers(module: nn.Module) -> nn.Module:
    """The module in eval mode with small whole weights, and statistics that a batch norm folds exactly."""
    for place, parameter in enumerate(module.parameters()):
        numbers = torch.arange(parameter.numel()).view(parameter.shape)
        parameter.data = ((numbers * 7 + place) % 9 - 4).to(parameter.dtype)
    for each in module.modules():
        if isinstance(each, nn.BatchNorm2d):
            assert each.running_mean is not None
            assert each.running_var is not None
            each.running_mean.copy_(torch.arange(float(each.num_features)) - 1)
            each.running_var.fill_(3.75)
            each.weight.data = torch.full_like(each.weight, 2.0)
    return module.eval()
