"""Modules in the styles in which people write them: which are one convolution, and why the others are none.

Plain torch, and nothing of tui in it.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

CHANNELS = 6

Forward = Callable[[Any, Tensor], Any]


def conv(size: Any = 3, channels: int = CHANNELS, **values: Any) -> nn.Conv2d:
    usual = {"padding": size // 2} if isinstance(size, int) else {}
    return nn.Conv2d(CHANNELS, channels, size, **usual | values)


def conv_bn(size: int = 3, **values: Any) -> nn.Sequential:
    layer = conv(size, bias=False, **values)
    return nn.Sequential(layer, nn.BatchNorm2d(layer.out_channels))


class Written(nn.Module):
    """A module with this forward and these attributes."""

    def __init__(self, forward: Forward, **attributes: Any) -> None:
        super().__init__()
        for name, value in attributes.items():
            setattr(self, name, value)
        self.written = forward

    def forward(self, x: Tensor) -> Any:
        return self.written(self, x)


class AsWritten(nn.Module):
    """Its attributes are None where it is deployed."""

    def __init__(self, *, deploy: bool) -> None:
        super().__init__()
        self.dense = None if deploy else conv_bn()
        self.point = None if deploy else conv_bn(1)
        self.reparam = conv() if deploy else None

    def forward(self, x: Tensor) -> Tensor:
        if self.reparam is not None:
            return self.reparam(x) * 2  # type: ignore[no-any-return]
        assert self.dense is not None
        assert self.point is not None
        y: Tensor = self.dense(x) + self.point(x)
        return y


def looped(self: Any, x: Tensor) -> Tensor:
    y: Any = 0
    for branch in self.branches:
        y += branch(x)
    return y  # type: ignore[no-any-return]


def in_place(self: Any, x: Tensor) -> Tensor:
    y = self.dense(x)
    y += x
    y.mul_(self.alpha)
    y.add_(self.point(x), alpha=0.5)
    y.sub_(x)
    return y  # type: ignore[no-any-return]


def standardised(self: Any, x: Tensor) -> Tensor:
    weight = self.weight
    mean = weight.mean(dim=(1, 2, 3), keepdim=True)
    weight = (weight - mean) / (weight.std(dim=(1, 2, 3), keepdim=True) + 1e-5)
    return functional.conv2d(x, weight, self.bias, padding=1) + x


def masked(self: Any, x: Tensor) -> Tensor:
    weight = self.scale.view(-1, 1, 1, 1) * self.mask
    y: Tensor = functional.conv2d(x, weight, self.bias, padding=1, groups=CHANNELS) + self.point(x)
    return y


def functional_norm(self: Any, x: Tensor) -> Tensor:
    y = functional.conv2d(x, self.dense.weight, None, 1, 1)
    bn = self.bn
    y = functional.batch_norm(y, bn.running_mean, bn.running_var, bn.weight, bn.bias, False, 0.1, bn.eps)
    return x.add(y)


def padded_by_value(self: Any, x: Tensor) -> Tensor:
    """As ECBSR does it, in place and row by row."""
    y = functional.pad(self.point(x), (1, 1, 1, 1), "constant", 0)
    edge = self.point.bias.view(1, -1, 1, 1)
    y[:, :, 0:1, :] = edge
    y[:, :, -1:, :] = edge
    y[:, :, :, 0:1] = edge
    y[:, :, :, -1:] = edge
    return self.dense(y)  # type: ignore[no-any-return]


def padded_by_another_value(self: Any, x: Tensor) -> Tensor:
    y = functional.pad(self.point(x), (1, 1, 1, 1), "constant", 0.25)
    return self.dense(y)  # type: ignore[no-any-return]


def padded_by_a_number(self: Any, x: Tensor) -> Tensor:
    y = functional.pad(x + 0.3, (1, 1, 1, 1))
    for dim in (2, 3):
        y.narrow(dim, 0, 1).fill_(0.3)
        y.narrow(dim, y.shape[dim] - 1, 1).fill_(0.3)
    return self.dense(y)  # type: ignore[no-any-return]


def padded_by_hand(number: float) -> Forward:
    """As those write it who do not know functional.pad."""

    def forward(self: Any, x: Tensor) -> Tensor:
        count, channels, height, width = x.shape
        y = x.new_full((count, channels, height + 2, width + 2), number)
        y[:, :, 1 : height + 1, 1 : width + 1] = x
        return self.dense(y)  # type: ignore[no-any-return]

    return forward


def cropped_skip(self: Any, x: Tensor) -> Tensor:
    return self.dense(x) + x[:, :, 1:-1, 1:-1]  # type: ignore[no-any-return]


def depends(self: Any, x: Tensor) -> Tensor:
    y: Tensor = self.dense(x)
    return y + x if float(x.mean()) > 1e6 else y + 2 * x


def by_size(self: Any, x: Tensor) -> Tensor:
    return self.dense(x) + (x if x.shape[2] == 12 else 2 * x)  # type: ignore[no-any-return]


def dropped(self: Any, x: Tensor) -> Tensor:
    return functional.dropout(self.dense(x))


def channels_dropped(self: Any, x: Tensor) -> Tensor:
    return functional.dropout2d(self.dense(x))


def skipped_at_random(self: Any, x: Tensor) -> Tensor:
    """As timm's older DropPath."""
    y: Tensor = self.dense(x)
    kept = (0.5 + torch.rand(len(x), 1, 1, 1, dtype=x.dtype)).floor_()
    return x + y / 0.5 * kept


def squeezed(self: Any, x: Tensor) -> Tensor:
    y = self.dense(x)
    return y * torch.sigmoid(y.mean((2, 3), keepdim=True))  # type: ignore[no-any-return]


def dynamic(self: Any, x: Tensor) -> Tensor:
    return functional.conv2d(x, self.dense.weight * x.mean(), padding=1) + x


def overwritten(self: Any, x: Tensor) -> Tensor:
    y = self.dense(x)
    y[:, :2] = x[:, :2]
    return y + x  # type: ignore[no-any-return]


def own_parameters() -> dict[str, Any]:
    return {
        "weight": nn.Parameter(torch.randn(CHANNELS, CHANNELS, 3, 3)),
        "bias": nn.Parameter(torch.randn(CHANNELS)),
    }


class Masked(Written):
    """Its mask is a buffer."""

    def __init__(self) -> None:
        super().__init__(masked, scale=nn.Parameter(torch.randn(CHANNELS)), point=conv(1))
        self.bias = nn.Parameter(torch.randn(CHANNELS))
        sobel = torch.tensor([[1.0, 0, -1], [2, 0, -2], [1, 0, -1]])
        self.register_buffer("mask", sobel.expand(CHANNELS, 1, 3, 3).clone())


def shared() -> nn.Module:
    same = conv_bn()
    return Written(lambda self, x: self.first(x) + self.second(x) + x, first=same, second=same)


FUSED: dict[str, Callable[[], nn.Module]] = {
    "loop over a ModuleList": lambda: Written(
        looped, branches=nn.ModuleList([conv_bn(), conv_bn(1), nn.Identity()])
    ),
    "Sequential": lambda: nn.Sequential(conv(1), conv(padding=0), nn.BatchNorm2d(CHANNELS)),
    "x first": lambda: Written(lambda self, x: x + self.dense(x), dense=conv_bn()),
    "sum of a list": lambda: Written(
        lambda self, x: sum([self.dense(x), x, self.point(x)]), dense=conv_bn(), point=conv(1)
    ),
    "reduce": lambda: Written(
        lambda self, x: functools.reduce(operator.add, (b(x) for b in self.all)),
        all=nn.ModuleList([conv_bn(), conv_bn(5)]),
    ),
    "stack": lambda: Written(
        lambda self, x: torch.stack([self.dense(x), x, self.point(x)]).sum(0), dense=conv_bn(), point=conv(1)
    ),
    "in place": lambda: Written(
        in_place, dense=conv_bn(), point=conv(1), alpha=nn.Parameter(torch.randn(CHANNELS, 1, 1))
    ),
    "attributes None": lambda: AsWritten(deploy=False),
    "deployed": lambda: AsWritten(deploy=True),
    "weight standardised": lambda: Written(standardised, **own_parameters()),
    "a masked weight": Masked,
    "functional norm": lambda: Written(functional_norm, dense=conv(bias=False), bn=nn.BatchNorm2d(CHANNELS)),
    "weight norm": lambda: Written(
        lambda self, x: self.dense(x) + x, dense=nn.utils.parametrizations.weight_norm(conv())
    ),
    "a module twice": shared,
    "its result twice": lambda: Written(
        lambda self, x: (lambda y: self.dense(y) + y)(self.point(x)),
        dense=conv(padding=1, bias=False),
        point=conv(1, bias=False),
    ),
    "padded by its value": lambda: Written(padded_by_value, dense=conv(padding=0), point=conv(1)),
    "padded by hand": lambda: Written(padded_by_hand(0.0), dense=conv(padding=0)),
    "padding in words": lambda: Written(
        lambda self, x: self.dense(x) + x, dense=nn.Conv2d(CHANNELS, CHANNELS, 3, padding="same")
    ),
    "no padding": lambda: Written(cropped_skip, dense=conv(padding=0)),
    "patches": lambda: nn.Sequential(conv(4, padding=0, stride=4), nn.BatchNorm2d(CHANNELS)),
    "padded on one side": lambda: nn.Sequential(
        nn.ZeroPad2d((0, 1, 0, 1)), conv(padding=0, stride=2), nn.BatchNorm2d(CHANNELS)
    ),
    "reflecting": lambda: nn.Sequential(
        conv(padding=1, padding_mode="reflect", bias=False), nn.BatchNorm2d(CHANNELS)
    ),
    "circular": lambda: Written(
        lambda self, x: self.dense(x) + x, dense=conv(padding=1, padding_mode="circular")
    ),
    "groups, bias and dilation": lambda: nn.Sequential(
        conv(padding=2, dilation=2, groups=3), nn.BatchNorm2d(CHANNELS, eps=0.1, affine=False)
    ),
    "a factor behind a sum": lambda: Written(
        lambda self, x: x + self.gamma.view(-1, 1, 1) * (self.dense(x) - self.norm(x)),
        dense=conv_bn(groups=CHANNELS),
        norm=nn.BatchNorm2d(CHANNELS),
        gamma=nn.Parameter(torch.randn(CHANNELS)),
    ),
    "a bias of its own": lambda: Written(
        lambda self, x: (self.dense(x) + self.beta.view(1, -1, 1, 1)) / 3 - x,
        dense=conv(bias=False),
        beta=nn.Parameter(torch.randn(CHANNELS)),
    ),
    "numbers written in the code": lambda: Written(
        lambda self, x: 0.1 * self.dense(x) + x / 7 - 0.3, dense=conv_bn()
    ),
    "dropout in eval mode": lambda: Written(
        lambda self, x: self.drop(self.dense(x)).contiguous() + x, dense=conv_bn(), drop=nn.Dropout()
    ),
    "average": lambda: Written(
        lambda self, x: self.dense(x) + self.pool(self.point(x)),
        dense=conv_bn(),
        point=conv(1, bias=False),
        pool=nn.AvgPool2d(3, 1, 1),
    ),
    "strided average": lambda: Written(
        lambda self, x: self.dense(x) + self.point(self.pool(x)),
        dense=conv_bn(2, padding=0, stride=2),
        point=conv(1),
        pool=nn.AvgPool2d(2),
    ),
    "a kernel turned by half a turn": lambda: nn.Sequential(
        nn.ConvTranspose2d(CHANNELS, CHANNELS, (3, 2), padding=1, dilation=(1, 2), groups=3),
        nn.BatchNorm2d(CHANNELS),
    ),
    "more behind a turned kernel": lambda: nn.ConvTranspose2d(
        CHANNELS, CHANNELS, 3, padding=2, output_padding=(0, 1), dilation=2
    ),
    "every second pixel of one": lambda: Written(
        lambda self, x: self.dense(x)[:, :, ::2, ::2] + self.point(x), dense=conv(), point=conv(1, stride=2)
    ),
    "paddings that do not line up": lambda: Written(
        lambda self, x: self.dense(x) + x,
        dense=nn.Sequential(nn.ZeroPad2d((0, 2, 0, 2)), conv(padding=0)),
    ),
    "rolled around": lambda: Written(
        lambda self, x: self.dense(x) + torch.roll(x, (1, -1), (2, 3)),
        dense=conv(padding=1, padding_mode="circular"),
    ),
    "channels behind each other": lambda: Written(
        lambda self, x: torch.cat([self.dense(x), x], 1), dense=conv_bn()
    ),
    "overwritten in part": lambda: Written(overwritten, dense=conv()),
}
"""Each is one convolution."""

BY_THEIR_ANSWERS = tuple(FUSED)[-5:]
"""Those of them whose steps are not understood."""

REFUSED: dict[str, tuple[Callable[[], nn.Module], str]] = {
    "relu": (lambda: nn.Sequential(conv_bn(), nn.ReLU(), conv()), r"activation, relu \(at 1\)"),
    "a relu that never clips": (
        lambda: Written(lambda self, x: functional.relu6(self.dense(x) * 1e-9 + 3), dense=conv_bn()),
        "clipping",
    ),
    "padded in between": (lambda: nn.Sequential(conv_bn(1), conv()), "pixels, those at the border"),
    "two paddings": (lambda: nn.Sequential(conv(bias=False), conv()), "reaches its neighbours"),
    "padded by another value": (
        lambda: Written(padded_by_another_value, dense=conv(padding=0), point=conv(1)),
        "something is padded in between",
    ),
    "another number around the image": (
        lambda: Written(padded_by_hand(0.5), dense=conv(padding=0)),
        "other numbers than zeros are padded around the image.*pad zeros",
    ),
    "group norm": (lambda: nn.Sequential(conv(), nn.GroupNorm(2, CHANNELS)), "group norm is no batch norm"),
    "no statistics": (
        lambda: nn.Sequential(conv(), nn.BatchNorm2d(CHANNELS, track_running_stats=False)),
        "without running statistics",
    ),
    "squeeze": (lambda: Written(squeezed, dense=conv_bn()), "squeeze-and-excitation"),
    "dynamic": (lambda: Written(dynamic, dense=conv()), "weight depends on the input"),
    "asks for a number": (lambda: Written(depends, dense=conv()), "asks for a number of the image"),
    "asks for the size": (lambda: Written(by_size, dense=conv_bn()), "not the linear map|size of the image"),
    "a factor by the size": (
        lambda: Written(lambda self, x: self.dense(x) / x.shape[3], dense=conv_bn()),
        "depends on the size of the image",
    ),
    "two images": (lambda: Written(lambda self, x: (self.dense(x), x), dense=conv_bn()), "tuple"),
    "a product": (
        lambda: Written(lambda self, x: self.dense(x) * x, dense=conv()),
        "multiplied by each other",
    ),
    "dropout": (lambda: Written(dropped, dense=conv_bn()), "dropout"),
    "dropout of channels": (lambda: Written(channels_dropped, dense=conv_bn()), "dropout"),
    "stochastic depth": (lambda: Written(skipped_at_random, dense=conv_bn()), "at random"),
    "max pooling": (lambda: nn.Sequential(conv_bn(), nn.MaxPool2d(3, 1, 1)), "max pooling"),
    "uncounted average": (
        lambda: nn.Sequential(nn.AvgPool2d(3, 1, 1, count_include_pad=False), conv(1)),
        "leaves out the border",
    ),
    "transposed": (
        lambda: nn.Sequential(nn.ConvTranspose2d(CHANNELS, CHANNELS, 2, 2), nn.BatchNorm2d(CHANNELS)),
        "transposed",
    ),
}
"""Each is none, with words of the reason."""
