"""SPAN, ECBSR, EFDN, FMEN and RVSR, whose inner layers pad what their first bias makes of zeros."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.checkpoints.families.held_against import (
    assert_fuses,
    image,
    only_block,
    ready,
    reason,
    recognised,
    state_of,
)

SOBEL_X = [[1.0, 0.0, -1.0], [2.0, 0.0, -2.0], [1.0, 0.0, -1.0]]
SOBEL_Y = [[1.0, 2.0, 1.0], [0.0, 0.0, 0.0], [-1.0, -2.0, -1.0]]
LAPLACIAN = [[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]]


def framed(y: Tensor, values: Tensor | None) -> Tensor:
    """The image with one pixel of these numbers around it, zeros for None."""
    wide = functional.pad(y, (1, 1, 1, 1))
    if values is None:
        return wide
    for edge in (wide[:, :, :1], wide[:, :, -1:], wide[..., :1], wide[..., -1:]):
        edge.copy_(values.view(1, -1, 1, 1).expand_as(edge))
    return wide


class Conv3XC(nn.Module):
    """SPAN's; it keeps a fused copy of itself, which may be stale."""

    def __init__(self, channels: tuple[int, int], gain: int, bias: bool) -> None:
        super().__init__()
        inside, outside = channels
        self.sk = nn.Conv2d(inside, outside, 1, bias=bias)
        self.conv = nn.Sequential(
            nn.Conv2d(inside, inside * gain, 1, bias=bias),
            nn.Conv2d(inside * gain, outside * gain, 3, bias=bias),
            nn.Conv2d(outside * gain, outside, 1, bias=bias),
        )
        self.eval_conv = nn.Conv2d(inside, outside, 3, padding=1, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.conv(functional.pad(x, (1, 1, 1, 1))) + self.sk(x)
        return y


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("channels", "gain"), [((6, 6), 2), ((3, 8), 1)])
def test_span_and_its_stale_copy(channels: tuple[int, int], gain: int, bias: bool) -> None:
    module = ready(Conv3XC(channels, gain, bias))
    found = assert_fuses(module, image(channels[0]), "SPAN", "eval_conv")
    assert found.placeholders == ("eval_conv.weight", "eval_conv.bias")[: 1 + bias]


def test_a_span_that_holds_its_copy_alone_is_fused() -> None:
    state = {
        name: tensor for name, tensor in state_of(Conv3XC((6, 6), 2, True), "b").items() if "eval" in name
    }
    assert reason(state).reason == "already fused"


class Sequence(nn.Module):
    """ECBSR's 1 x 1 then 3 x 3, in the names that it gives its numbers."""

    def __init__(self, inside: int, outside: int, inner: int) -> None:
        super().__init__()
        self.k0, self.b0 = parameter(inner, inside, 1, 1), parameter(inner)
        self.k1, self.b1 = parameter(outside, inner, 3, 3), parameter(outside)

    def forward(self, x: Tensor) -> Tensor:
        y = functional.conv2d(x, self.k0, self.b0)
        return functional.conv2d(framed(y, self.b0), self.k1, self.b1)


class Edge(nn.Module):
    def __init__(self, inside: int, outside: int, taps: list[list[float]]) -> None:
        super().__init__()
        self.k0, self.b0 = parameter(outside, inside, 1, 1), parameter(outside)
        self.scale, self.bias = parameter(outside, 1, 1, 1), parameter(outside)
        self.mask = nn.Parameter(torch.tensor(taps).expand(outside, 1, 3, 3).clone(), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        y = framed(functional.conv2d(x, self.k0, self.b0), self.b0)
        return functional.conv2d(y, self.scale * self.mask, self.bias, groups=len(self.bias))


def parameter(*shape: int) -> nn.Parameter:
    return nn.Parameter(torch.empty(shape))


class EdgeBlock(nn.Module):
    """ECB (main "conv3x3") and EDBB (main "rep_conv", with a 1 x 1)."""

    def __init__(
        self, main: str, channels: tuple[int, int], *, sequence: bool = True, identity: bool = False
    ) -> None:
        super().__init__()
        inside, outside = channels
        self.main, self.runs_sequence, self.identity = main, sequence, identity
        self.add_module(main, nn.Conv2d(inside, outside, 3, padding=1))
        if main == "rep_conv":
            self.conv1x1 = nn.Conv2d(inside, outside, 1)
        self.conv1x1_3x3 = Sequence(inside, outside, 2 * outside)
        self.conv1x1_sbx = Edge(inside, outside, SOBEL_X)
        self.conv1x1_sby = Edge(inside, outside, SOBEL_Y)
        self.conv1x1_lpl = Edge(inside, outside, LAPLACIAN)
        self.act = nn.PReLU(outside)

    def forward(self, x: Tensor) -> Tensor:
        y = sum(
            module(x)
            for name, module in self.named_children()
            if name != "act" and (name != "conv1x1_3x3" or self.runs_sequence)
        )
        assert isinstance(y, Tensor)
        return y + x if self.identity else y


def without_activation(module: EdgeBlock) -> EdgeBlock:
    del module.act
    return module


def test_ecbsr() -> None:
    module = without_activation(ready(EdgeBlock("conv3x3", (3, 8))))
    found = assert_fuses(module, image(3), "ECBSR", "conv3x3")
    assert [branch.text for branch in found.branches] == [
        "3x3",
        "1x1+c16 > 3x3",
        "1x1 > sobelx",
        "1x1 > sobely",
        "1x1 > laplacian",
    ]


@pytest.mark.parametrize(("name", "identity"), [("ECBSR", False), ("ECBSR with identity", True)])
def test_ecbsr_with_equal_channels_is_decided_by_the_user(name: str, identity: bool) -> None:
    module = without_activation(ready(EdgeBlock("conv3x3", (6, 6), identity=identity)))
    assert_fuses(module, image(6), name, "conv3x3", asked=name)
    left = reason(state_of(module, "backbone.1"))
    assert left.family is None
    assert left.reason.startswith("ECBSR and ECBSR with identity fit")


@pytest.mark.parametrize(
    ("name", "sequence", "identity"),
    [
        ("EFDN", False, False),
        ("EFDN with_13", True, False),
        ("EFDN with_idt", False, True),
        ("EFDN with_13 and with_idt", True, True),
    ],
)
def test_efdn(name: str, sequence: bool, identity: bool) -> None:
    module = without_activation(ready(EdgeBlock("rep_conv", (6, 6), sequence=sequence, identity=identity)))
    found = assert_fuses(module, image(6), name, "rep_conv", asked=name)
    assert "conv1x1_3x3.k0" in found.reads


def test_the_activation_behind_the_block_is_carried_over() -> None:
    state = state_of(ready(EdgeBlock("conv3x3", (3, 8))), "backbone.0")
    assert recognised(state).rest == ("backbone.0.act.weight",)
    assert only_block(state).family == "ECBSR"


class RRRB(nn.Module):
    def __init__(self, channels: int, ratio: int) -> None:
        super().__init__()
        self.expand_conv = nn.Conv2d(channels, channels * ratio, 1)
        self.fea_conv = nn.Conv2d(channels * ratio, channels * ratio, 3)
        self.reduce_conv = nn.Conv2d(channels * ratio, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        wide = self.expand_conv(x)
        y: Tensor = self.fea_conv(framed(wide, self.expand_conv.bias)) + wide
        z: Tensor = self.reduce_conv(y) + x
        return z


@pytest.mark.parametrize("ratio", [1, 2])
def test_fmen(ratio: int) -> None:
    found = assert_fuses(ready(RRRB(6, ratio)), image(6), "FMEN", "rep_conv")
    wide = "+c12" * (ratio > 1)
    assert found.branches[0].text == f"1x1{wide} > (3x3 + identity) > 1x1"


def test_plainusr_has_a_gate_inside_and_is_left_alone() -> None:
    state = state_of(ready(RRRB(6, 2)), "body.0") | {"body.0.se.tensor": torch.ones(1, 12, 1, 1)}
    left = reason(state)
    assert (left.family, left.reason) == ("FMEN", "se.tensor is there, which this family does not know")


class RVSR(nn.Module):
    def __init__(self, channels: int, ratio: int) -> None:
        super().__init__()
        wide = channels * ratio
        for number in ("", "1"):
            self.add_module(f"expand{number}_conv", nn.Conv2d(channels, wide, 1))
            self.add_module(f"fea{number}_conv", nn.Conv2d(wide, wide, 3))
            self.add_module(f"reduce{number}_conv", nn.Conv2d(wide, channels, 1))
        self.res_conv3x3 = nn.Conv2d(channels, channels, 3, padding=1)
        self.res_conv1x1 = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.res_conv3x3(x) + self.res_conv1x1(x) + x
        for number in ("", "1"):
            expand = self.get_submodule(f"expand{number}_conv")
            assert isinstance(expand, nn.Conv2d)
            wide = framed(expand(x), expand.bias)
            y = y + self.get_submodule(f"reduce{number}_conv")(self.get_submodule(f"fea{number}_conv")(wide))
        return y


def test_rvsr() -> None:
    assert_fuses(ready(RVSR(6, 2)), image(6), "RVSR", "rep_conv")
