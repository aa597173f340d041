"""RepViT, SHViT, LSNet: modules c and bn, fused in their own place."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from tests.checkpoints.families.held_against import (
    assert_fuses,
    image,
    only_block,
    ready,
    recognised,
    state_of,
)
from tests.checkpoints.families.parts import ConvNorm
from tui.checkpoints.building import block_of, fused_tensors

LEVIT = ("c", "bn")


class RepVggDw(nn.Module):
    def __init__(self, channels: int, k: int, *, legacy: bool) -> None:
        super().__init__()
        self.conv = ConvNorm(channels, channels, k, groups=channels, names=LEVIT)
        self.conv1: nn.Module = nn.Conv2d(channels, channels, 1, groups=channels)
        self.bn: nn.Module = nn.BatchNorm2d(channels)
        if legacy:
            self.conv1 = ConvNorm(channels, channels, 1, groups=channels, names=LEVIT)
            self.bn = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.bn(self.conv(x) + self.conv1(x) + x)
        return y


@pytest.mark.parametrize(("legacy", "family"), [(False, "RepViT"), (True, "RepViT (m1 to m3)")])
@pytest.mark.parametrize("k", [3, 5])
def test_repvit(k: int, legacy: bool, family: str) -> None:
    assert_fuses(ready(RepVggDw(6, k, legacy=legacy)), image(6), family, "", groups=6)


class Residual(nn.Module):
    def __init__(self, m: nn.Module) -> None:
        super().__init__()
        self.m = m

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = x + self.m(x)
        return y


@pytest.mark.parametrize("k", [3, 5, 1])
def test_residual(k: int) -> None:
    module = ready(Residual(ConvNorm(6, 6, k, groups=6, names=LEVIT)))
    assert_fuses(module, image(6), "Residual of a depthwise conv", "", groups=6)


def test_a_residual_that_is_not_depthwise_keeps_its_sum() -> None:
    found = only_block(state_of(ready(Residual(ConvNorm(6, 6, 3, names=LEVIT))), "mixer"))
    assert (found.prefix, found.family) == ("mixer.m", "Conv2d_BN")


@pytest.mark.parametrize(("channels", "k", "groups"), [((4, 6), 3, 1), ((6, 6), 1, 1), ((6, 6), 7, 6)])
def test_conv2d_bn(channels: tuple[int, int], k: int, groups: int) -> None:
    module = ready(ConvNorm(*channels, k, groups=groups, names=LEVIT))
    assert_fuses(module, image(channels[0]), "Conv2d_BN", "", groups=groups)


class NormLinear(nn.Module):
    def __init__(self, bias: bool) -> None:
        super().__init__()
        self.bn = nn.BatchNorm1d(6)
        self.l = nn.Linear(6, 4, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.l(self.bn(x))
        return y


@torch.no_grad()
def random_norms(module: nn.Module) -> nn.Module:
    module = ready(module)
    for norm in module.modules():
        if isinstance(norm, nn.BatchNorm1d):
            assert norm.running_mean is not None
            assert norm.running_var is not None
            norm.running_mean.uniform_(-2, 2)
            norm.running_var.uniform_(1e-4, 3)
    return module


@pytest.mark.parametrize("bias", [True, False])
@torch.no_grad()
def test_a_norm_in_front_of_a_linear_layer(bias: bool) -> None:
    module = random_norms(NormLinear(bias))
    state = state_of(module, "head")
    found = only_block(state)
    assert (found.prefix, found.family) == ("head", "BN_Linear")
    tensors = fused_tensors(found, block_of(found, state.__getitem__))
    assert {name: tensor.shape for name, tensor in tensors.items()} == {
        "head.weight": (4, 6),
        "head.bias": (4,),
    }
    x = torch.rand(3, 6, dtype=torch.float64)
    y = nn.functional.linear(x, *tensors.values())
    torch.testing.assert_close(y, module(x), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("names", [("head", "head_dist"), ("classifier", "classifier_dist"), ("head",)])
@torch.no_grad()
def test_two_heads_become_their_mean(names: tuple[str, ...]) -> None:
    heads = [random_norms(NormLinear(bias=True)) for _ in names]
    state: dict[str, Tensor] = {"stages.0.token_mixer.other": torch.zeros(1)}
    for name, head in zip(names, heads, strict=True):
        state |= state_of(head, f"out.{name}")
    found = recognised(state)
    assert [block.prefix for block in found.blocks] == ["out"]
    tensors = fused_tensors(found.blocks[0], block_of(found.blocks[0], state.__getitem__))
    assert list(tensors) == ["out.weight", "out.bias"]
    x = torch.rand(3, 6, dtype=torch.float64)
    expected = torch.stack([head(x) for head in heads]).mean(dim=0)
    y = nn.functional.linear(x, *tensors.values())
    torch.testing.assert_close(y, expected, rtol=1e-10, atol=1e-10)
