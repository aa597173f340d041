"""RepGhost, GhostNetV3 and PP-LCNetV2."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from tests.checkpoints.families.held_against import (
    as_conv2d,
    assert_fuses,
    image,
    ready,
    recognised,
    state_of,
)
from tests.checkpoints.families.parts import ConvNorm, Parallel
from tui.checkpoints.building import block_of, fused_tensors


class RepGhost(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        conv = nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False)
        self.cheap_operation = nn.Sequential(conv, nn.BatchNorm2d(channels))
        self.fusion_bn = nn.ModuleList([nn.BatchNorm2d(channels)])

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.cheap_operation(x) + self.fusion_bn[0](x)
        return y


def test_repghost() -> None:
    assert_fuses(ready(RepGhost(6)), image(6), "RepGhost", "cheap_operation", groups=6)


def test_a_ghost_module_without_a_norm_beside_is_ordinary() -> None:
    state = state_of(RepGhost(6), "ghost1")
    state = {name: tensor for name, tensor in state.items() if "fusion" not in name}
    assert recognised(state).left_alone == ()
    assert recognised(state).blocks == ()


GHOST = {
    "primary": ("primary_rpr", "primary_conv.0"),
    "cheap": ("cheap_rpr", "cheap_operation.0"),
    "dw": ("dw_rpr", "conv_dw"),
}


def ghost(which: str, norm: str, channels: tuple[int, int], k: int, groups: int, *, skip: bool) -> Parallel:
    key, names = GHOST[which][0], ("conv", norm)
    branches: dict[str, nn.Module] = {
        f"{key}_conv": nn.ModuleList(ConvNorm(*channels, k, groups=groups, names=names) for _ in range(3))
    }
    if k > 1:
        branches[f"{key}_scale"] = ConvNorm(*channels, 1, groups=groups, names=names)
    if skip:
        branches[f"{key}_skip"] = nn.BatchNorm2d(channels[0])
    return Parallel(**branches)


@pytest.mark.parametrize(("norm", "code"), [("bn", ""), ("bn1", " (timm)")])
@pytest.mark.parametrize(
    ("which", "channels", "k", "groups", "skip"),
    [
        ("primary", (6, 4), 1, 1, False),
        ("primary", (6, 6), 1, 1, True),
        ("cheap", (6, 6), 3, 6, True),
        ("dw", (6, 6), 5, 6, False),
    ],
)
def test_ghostnetv3(
    which: str, channels: tuple[int, int], k: int, groups: int, skip: bool, norm: str, code: str
) -> None:
    module = ready(ghost(which, norm, channels, k, groups, skip=skip))
    found = assert_fuses(
        module, image(channels[0]), f"GhostNetV3 {which}{code}", GHOST[which][1], groups=groups
    )
    assert found.kernel_size == (k, k)


def test_the_convolutions_of_a_ghost_module_lie_beside_each_other() -> None:
    primary = ready(ghost("primary", "bn1", (6, 4), 1, 1, skip=False))
    cheap = ready(ghost("cheap", "bn1", (4, 4), 3, 4, skip=True), seed=1)
    state = state_of(primary, "ghost1") | state_of(cheap, "ghost1")
    state["ghost1.short_conv.0.weight"] = torch.zeros(8, 6, 1, 1)
    found = recognised(state)
    assert found.left_alone == ()
    assert [block.family for block in found.blocks] == [
        "GhostNetV3 primary (timm)",
        "GhostNetV3 cheap (timm)",
    ]
    assert found.rest == ("ghost1.short_conv.0.weight",)
    for block, module in zip(found.blocks, (primary, cheap), strict=True):
        x = image(block.in_channels)
        weight, bias = fused_tensors(block, block_of(block, state.__getitem__)).values()
        expected = module(x)
        y = as_conv2d(x, weight, bias, block.groups)
        torch.testing.assert_close(y, expected, rtol=0, atol=1e-10 * float(expected.detach().abs().max()))


@pytest.mark.parametrize("sizes", [(5, 3, 1), (5, 3), (3, 1)])
def test_pplcnetv2(sizes: tuple[int, ...]) -> None:
    convs = nn.ModuleList(ConvNorm(6, 6, size, groups=6) for size in sizes)
    assert_fuses(ready(Parallel(dw_conv_list=convs)), image(6), "PP-LCNetV2", "dw_conv", groups=6)
