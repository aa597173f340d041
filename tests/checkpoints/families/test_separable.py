"""RepNeXt's depthwise shapes and the Spike-Driven Transformer's layers in a row."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from tests.checkpoints.families.held_against import assert_fuses, image, ready, reason, state_of
from tests.checkpoints.families.test_diverse_branch import NormThenPad


class RepNeXtS(nn.Module):
    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        self.strided = stride == 2

        def conv(size: tuple[int, int], strides: tuple[int, int], **more: int | bool) -> nn.Conv2d:
            dilation = int(more.get("dilation", 1))
            padding = tuple(((k - 1) * dilation) // 2 for k in size)
            bias = bool(more.get("bias", True))
            return nn.Conv2d(
                channels,
                channels,
                size,
                strides,
                (padding[0], padding[1]),
                dilation,
                groups=channels,
                bias=bias,
            )

        self.conv_3_3 = conv((3, 3), (stride, stride))
        self.conv_3_w = conv((1, 3), (1, stride), bias=not self.strided)
        self.conv_3_h = conv((3, 1), (stride, 1), bias=not self.strided)
        self.conv_2_2 = nn.Conv2d(channels, channels, 2, stride, 1, 2, groups=channels)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.conv_3_3(x) + self.conv_2_2(x)
        y = y + self.conv_3_h(self.conv_3_w(x) if self.strided else x)
        return y if self.strided else y + self.conv_3_w(x)


@pytest.mark.parametrize(("stride", "family"), [(1, "RepNeXt S"), (2, "RepNeXt S (stride 2)")])
def test_repnext_s(stride: int, family: str) -> None:
    found = assert_fuses(ready(RepNeXtS(5, stride)), image(5), family, "", groups=5, stride=stride)
    assert found.kernel_size == (3, 3)


class RepNeXtM(nn.Module):
    def __init__(self, channels: int, bias: bool) -> None:
        super().__init__()

        def conv(height: int, width: int, bias: bool) -> nn.Conv2d:
            padding = (height // 2, width // 2)
            return nn.Conv2d(channels, channels, (height, width), padding=padding, groups=channels, bias=bias)

        self.conv_7_7, self.conv_5_3, self.conv_3_5 = conv(7, 7, bias), conv(5, 3, bias), conv(3, 5, bias)
        self.conv_7_w, self.conv_7_h = conv(1, 7, False), conv(7, 1, False)
        self.conv_5_w, self.conv_5_h = conv(1, 5, False), conv(5, 1, False)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.conv_7_7(x) + self.conv_5_3(x) + self.conv_3_5(x)
        crosses: Tensor = self.conv_7_h(self.conv_7_w(x)) + self.conv_5_h(self.conv_5_w(x))
        return y + crosses


@pytest.mark.parametrize("bias", [True, False])
def test_repnext_m(bias: bool) -> None:
    found = assert_fuses(ready(RepNeXtM(5, bias)), image(5), "RepNeXt M", "", groups=5)
    assert found.kernel_size == (7, 7)


def test_a_row_with_a_bias_in_front_of_a_column_is_not_one_convolution() -> None:
    state = state_of(ready(RepNeXtM(5, True)), "m") | {"m.conv_7_w.bias": torch.ones(5)}
    assert reason(state).reason == "conv_7_w.bias is there, which this family does not have"


class SpikeConv(nn.Module):
    def __init__(self, inside: int, outside: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inside, inside, 1, bias=False),
            NormThenPad(inside, 1),
            nn.Sequential(
                nn.Conv2d(inside, inside, 3, groups=inside, bias=False),
                nn.Conv2d(inside, outside, 1, bias=False),
                nn.BatchNorm2d(outside),
            ),
        )

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.body(x)
        return y


@pytest.mark.parametrize("outside", [6, 4])
def test_spike_driven_transformer(outside: int) -> None:
    found = assert_fuses(ready(SpikeConv(6, outside)), image(6), "Spike-Driven RepConv", "")
    assert found.branches[0].text.endswith("1x1-bias+norm")
