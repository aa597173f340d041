"""DBB and ACNet against modules written after their papers."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.checkpoints.families.held_against import assert_fuses, image, ready, reason, state_of
from tests.checkpoints.families.parts import ConvNorm


class NormThenPad(nn.Module):
    """A batch norm, and around the image what it makes of zeros."""

    def __init__(self, channels: int, margin: int) -> None:
        super().__init__()
        self.bn = nn.BatchNorm2d(channels)
        self.margin = margin

    def forward(self, x: Tensor) -> Tensor:
        border: Tensor = self.bn(torch.zeros_like(x[:1, :, :1, :1]))
        m = self.margin
        whole = border.expand(x.shape[0], -1, x.shape[2] + 2 * m, x.shape[3] + 2 * m).clone()
        whole[:, :, m : m + x.shape[2], m : m + x.shape[3]] = self.bn(x)
        return whole


class LessIdentity(nn.Conv2d):
    """A 1 x 1 convolution that is stored without the identity: row i has it at column i mod (C / groups)."""

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight.clone()
        for row in range(len(weight)):
            weight[row, row % weight.shape[1], 0, 0] += 1
        return functional.conv2d(x, weight, groups=self.groups)


class HoldingLessIdentity(nn.Module):
    """The same as a module that holds the convolution, as ports have it."""

    def __init__(self, channels: int, groups: int) -> None:
        super().__init__()
        self.conv = LessIdentity(channels, channels, 1, groups=groups, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.conv(x)
        return y


class DBB(nn.Module):
    def __init__(self, channels: tuple[int, int], k: int, groups: int, inner: int | None) -> None:
        super().__init__()
        inside, outside = channels
        self.dbb_origin = ConvNorm(inside, outside, k, groups=groups)
        self.dbb_avg = nn.Sequential()
        self.dbb_1x1 = None
        if groups < outside:
            self.dbb_1x1 = ConvNorm(inside, outside, 1, groups=groups)
            self.dbb_avg.add_module("conv", nn.Conv2d(inside, outside, 1, groups=groups, bias=False))
            self.dbb_avg.add_module("bn", NormThenPad(outside, k // 2))
            self.dbb_avg.add_module("avg", nn.AvgPool2d(k, 1))
        else:
            self.dbb_avg.add_module("avg", nn.AvgPool2d(k, 1, k // 2))
        self.dbb_avg.add_module("avgbn", nn.BatchNorm2d(outside))
        first = nn.Conv2d(inside, inner or inside, 1, groups=groups, bias=False)
        if inner is None:
            first = LessIdentity(inside, inside, 1, groups=groups, bias=False)
        self.dbb_1x1_kxk = nn.Sequential()
        self.dbb_1x1_kxk.add_module("idconv1" if inner is None else "conv1", first)
        self.dbb_1x1_kxk.add_module("bn1", NormThenPad(inner or inside, k // 2))
        self.dbb_1x1_kxk.add_module(
            "conv2", nn.Conv2d(inner or inside, outside, k, groups=groups, bias=False)
        )
        self.dbb_1x1_kxk.add_module("bn2", nn.BatchNorm2d(outside))

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.dbb_origin(x) + self.dbb_avg(x) + self.dbb_1x1_kxk(x)
        return y if self.dbb_1x1 is None else y + self.dbb_1x1(x)


@pytest.mark.parametrize(
    ("channels", "k", "groups", "inner"),
    [
        ((8, 8), 3, 1, None),
        ((6, 8), 3, 1, None),
        ((8, 8), 5, 2, None),
        ((8, 12), 3, 4, 16),
        ((8, 8), 3, 1, 12),
        ((8, 16), 3, 8, None),
    ],
)
def test_dbb(channels: tuple[int, int], k: int, groups: int, inner: int | None) -> None:
    module = ready(DBB(channels, k, groups, inner))
    found = assert_fuses(module, image(channels[0]), "DBB", "dbb_reparam", groups=groups)
    assert found.in_channels == channels[0]


@pytest.mark.parametrize("groups", [1, 4, 8])
def test_dbb_whose_pointwise_convolution_is_held_by_a_module(groups: int) -> None:
    module = DBB((8, 8), 3, groups, None)
    module.dbb_1x1_kxk.idconv1 = HoldingLessIdentity(8, groups)
    family = "DBB (depthwise)" if groups == 8 else "DBB"
    assert_fuses(ready(module), image(8), family, "dbb_reparam", groups=groups)


@pytest.mark.parametrize("inner", [None, 16])
@pytest.mark.parametrize("k", [3, 5])
def test_depthwise_dbb(k: int, inner: int | None) -> None:
    module = ready(DBB((8, 8), k, 8, inner))
    assert_fuses(module, image(8), "DBB (depthwise)", "dbb_reparam", groups=8)


def test_dbb_without_its_sequence_is_not_fused() -> None:
    state = state_of(ready(DBB((8, 8), 3, 1, None)), "layer")
    state = {name: tensor for name, tensor in state.items() if "1x1_kxk" not in name}
    left = reason(state)
    assert (left.prefix, left.family) == ("layer", "DBB")
    assert "exactly one must be there" in left.reason


class ACBlock(nn.Module):
    def __init__(self, channels: tuple[int, int], k: int, groups: int, affine: bool) -> None:
        super().__init__()
        half = k // 2
        self.square_conv = nn.Conv2d(*channels, k, padding=half, groups=groups, bias=False)
        self.square_bn = nn.BatchNorm2d(channels[1], affine=affine)
        self.ver_conv = nn.Conv2d(*channels, (k, 1), padding=(half, 0), groups=groups, bias=False)
        self.hor_conv = nn.Conv2d(*channels, (1, k), padding=(0, half), groups=groups, bias=False)
        self.ver_bn = nn.BatchNorm2d(channels[1], affine=affine)
        self.hor_bn = nn.BatchNorm2d(channels[1], affine=affine)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.square_bn(self.square_conv(x))
        across: Tensor = self.ver_bn(self.ver_conv(x)) + self.hor_bn(self.hor_conv(x))
        return y + across


@pytest.mark.parametrize(
    ("channels", "k", "groups", "told"), [((4, 6), 3, 1, 1), ((8, 8), 5, 8, 8), ((8, 8), 3, 2, 1)]
)
def test_acnet(channels: tuple[int, int], k: int, groups: int, told: int) -> None:
    module = ready(ACBlock(channels, k, groups, affine=True))
    assert_fuses(module, image(channels[0]), "ACNet", "fused_conv", groups=groups, told_groups=told)


@torch.no_grad()
def test_acnet_without_affine_norms() -> None:
    module = ACBlock((4, 6), 3, 1, affine=False).double().eval()
    for norm in (module.square_bn, module.ver_bn, module.hor_bn):
        assert norm.running_mean is not None
        assert norm.running_var is not None
        norm.running_mean.uniform_(-2, 2)
        norm.running_var.uniform_(1e-4, 3)
    assert_fuses(module, image(4), "ACNet", "fused_conv")
