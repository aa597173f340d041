"""RepLKNet, UniRepLKNet and FastViT's large kernel."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from tests.checkpoints.families.held_against import (
    assert_fuses,
    image,
    ready,
    reason,
    recognised,
    state_of,
)
from tests.checkpoints.families.parts import ConvNorm, Parallel
from tui.fusion.presets import unireplknet_convs


@pytest.mark.parametrize(
    ("family", "large", "fused"),
    [
        ("RepLKNet", "lkb_origin", "lkb_reparam"),
        ("FastViT large kernel (timm)", "large_conv", "reparam_conv"),
    ],
)
@pytest.mark.parametrize("small", [5, 3, None])
def test_large_kernel(family: str, large: str, fused: str, small: int | None) -> None:
    branches: dict[str, nn.Module] = {large: ConvNorm(6, 6, 13, groups=6)}
    if small is not None:
        branches["small_conv"] = ConvNorm(6, 6, small, groups=6)
    found = assert_fuses(ready(Parallel(**branches)), image(6), family, fused, groups=6)
    assert found.kernel_size == (13, 13)


class Dilated(nn.Module):
    def __init__(self, channels: int, k: int) -> None:
        super().__init__()
        self.lk_origin = nn.Conv2d(channels, channels, k, padding=k // 2, groups=channels, bias=False)
        self.origin_bn = nn.BatchNorm2d(channels)
        self.pairs = []
        for size, r in unireplknet_convs(k):
            padding = r * (size // 2)
            conv = nn.Conv2d(
                channels, channels, size, padding=padding, dilation=r, groups=channels, bias=False
            )
            self.add_module(f"dil_conv_k{size}_{r}", conv)
            norm = nn.BatchNorm2d(channels)
            self.add_module(f"dil_bn_k{size}_{r}", norm)
            self.pairs.append((conv, norm))

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.origin_bn(self.lk_origin(x))
        for conv, norm in self.pairs:
            y = y + norm(conv(x))
        return y


@pytest.mark.parametrize("k", [13, 9, 5])
def test_unireplknet(k: int) -> None:
    found = assert_fuses(ready(Dilated(4, k)), image(4), "UniRepLKNet", "lk_origin", groups=4)
    assert len(found.branches) == 1 + len(unireplknet_convs(k))
    assert found.placeholders == ()


def test_unireplknet_is_fused_where_it_has_a_bias_and_no_norm() -> None:
    state = {"dw.lk_origin.weight": torch.zeros(4, 1, 13, 13), "dw.lk_origin.bias": torch.zeros(4)}
    left = reason(state)
    assert (left.family, left.reason) == ("UniRepLKNet", "already fused")


def test_a_dilated_branch_that_reaches_further_than_the_large_kernel_is_not_fused() -> None:
    state = state_of(ready(Dilated(4, 5)))
    state = {name.replace("k3_2", "k3_99999"): tensor for name, tensor in state.items()}
    assert "reaches further" in reason(state).reason
    assert recognised(state).blocks == ()
