"""RepVGG and MobileOne in the names of each code: found under any prefix, and fused to what they do."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import Tensor, nn

from tests.checkpoints.families.held_against import (
    as_conv2d,
    assert_fuses,
    image,
    only_block,
    ready,
    reason,
    recognised,
    state_of,
)
from tests.checkpoints.families.parts import ConvNorm, Parallel
from tests.checkpoints.families.repvgg_modules import MOBILEONE_NAMES, REPVGG_NAMES, mobileone, repvgg
from tui.checkpoints.building import block_of, fused_tensors


@pytest.mark.parametrize("family", REPVGG_NAMES)
@pytest.mark.parametrize(
    ("in_channels", "out_channels", "groups"), [(8, 8, 1), (8, 8, 2), (8, 8, 8), (4, 6, 1), (1, 1, 1)]
)
def test_repvgg(family: str, in_channels: int, out_channels: int, groups: int) -> None:
    module = ready(repvgg(family, in_channels, out_channels, groups=groups))
    found = assert_fuses(module, image(in_channels), family, REPVGG_NAMES[family][-1], groups=groups)
    assert found.in_channels == in_channels
    assert found.kernel_size == (3, 3)


@pytest.mark.parametrize("family", REPVGG_NAMES)
def test_repvgg_with_a_stride_has_no_identity(family: str) -> None:
    module = ready(repvgg(family, 8, 8, stride=2))
    found = assert_fuses(module, image(8), family, REPVGG_NAMES[family][-1], stride=2)
    assert [branch.text for branch in found.branches] == ["3x3-bias+norm", "1x1-bias+norm"]
    assert found.assumes("stride")


@pytest.mark.parametrize("family", MOBILEONE_NAMES)
@pytest.mark.parametrize(
    ("in_channels", "out_channels", "kernel_size", "groups", "branches"),
    [(8, 8, 3, 8, 4), (8, 8, 3, 1, 1), (8, 8, 1, 1, 12), (4, 6, 1, 1, 2), (4, 6, 3, 2, 3), (8, 8, 7, 8, 1)],
)
def test_mobileone(
    family: str, in_channels: int, out_channels: int, kernel_size: int, groups: int, branches: int
) -> None:
    module = ready(
        mobileone(family, in_channels, out_channels, kernel_size, groups=groups, branches=branches)
    )
    told = groups if in_channels == out_channels else 1
    fused = MOBILEONE_NAMES[family][-1]
    found = assert_fuses(module, image(in_channels), family, fused, groups=groups, told_groups=told)
    assert found.kernel_size == (kernel_size, kernel_size)
    assert found.assumes("groups") == (in_channels != out_channels)


@pytest.mark.parametrize("in_channels", [8, 6])
def test_yolov7(in_channels: int) -> None:
    names = ("0", "1")
    branches: dict[str, nn.Module] = {
        "rbr_dense": ConvNorm(in_channels, 8, 3, names=names),
        "rbr_1x1": ConvNorm(in_channels, 8, 1, names=names),
    }
    if in_channels == 8:
        branches["rbr_identity"] = nn.BatchNorm2d(8)
    module = ready(Parallel(**branches), eps=1e-3)
    found = assert_fuses(module, image(in_channels), "YOLOv7", "rbr_reparam")
    assert found.eps == 1e-3


def test_yolov6_is_told_from_repvgg_by_what_else_the_file_has() -> None:
    module = ready(repvgg("RepVGG", 8, 8), eps=1e-3)
    state = state_of(module, "backbone.ERBlock_2.0")
    found = only_block(state)
    assert (found.family, found.eps) == ("YOLOv6", 1e-3)
    tensors = fused_tensors(found, block_of(found, state.__getitem__))
    y = as_conv2d(image(8), tensors[found.fused[0].name], tensors[found.fused[1].name], 1)
    torch.testing.assert_close(y, module(image(8)), rtol=1e-10, atol=1e-9)
    asked = only_block(state_of(module), family="yolov6")
    assert (asked.family, asked.eps) == ("YOLOv6", 1e-3)


@pytest.mark.parametrize("channels", [(8, 8), (4, 6)])
def test_repspk_has_a_dilated_branch(channels: tuple[int, int]) -> None:
    branches: dict[str, nn.Module] = {
        "rbr_dense": ConvNorm(*channels, 3),
        "rbr_dense_dilation": ConvNorm(*channels, 3, dilation=2),
    }
    if channels[0] == channels[1]:
        branches["rbr_identity"] = nn.BatchNorm2d(channels[0])
    found = assert_fuses(ready(Parallel(**branches)), image(channels[0]), "RepSPK", "rbr_reparam")
    assert found.kernel_size == (5, 5)


class Conv1dNorm(nn.Module):
    def __init__(self, channels: int, kernel_size: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(channels, channels, kernel_size, padding=kernel_size // 2, bias=False)
        self.bn = nn.BatchNorm1d(channels)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.bn(self.conv(x))
        return y


def test_a_weight_of_three_dimensions_is_a_row() -> None:
    module = Parallel(rbr_dense=Conv1dNorm(6, 3), rbr_1x1=Conv1dNorm(6, 1), rbr_identity=nn.BatchNorm1d(6))
    x = torch.rand(2, 6, 11, dtype=torch.float64)
    found = assert_fuses(ready(module), x, "RepVGG", "rbr_reparam")
    assert found.fused[0].shape == (6, 6, 3)
    assert found.kernel_size == (1, 3)


class QARepVGG(nn.Module):
    """super-gradients' block, with the convolution that it registers and does not run."""

    def __init__(
        self, in_channels: int, out_channels: int, *, identity: bool, alpha: bool, bias: bool
    ) -> None:
        super().__init__()
        self.branch_3x3 = ConvNorm(in_channels, out_channels, 3)
        self.branch_1x1 = nn.Conv2d(in_channels, out_channels, 1, bias=bias)
        self.alpha: nn.Parameter | float = nn.Parameter(torch.ones(1)) if alpha else 1.0
        self.post_bn = nn.BatchNorm2d(out_channels)
        self.rbr_reparam = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.identity = identity

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.branch_3x3(x) + self.alpha * self.branch_1x1(x)
        if self.identity:
            y = y + x
        z: Tensor = self.post_bn(y)
        return z


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("out_channels", [8, 6])
def test_qarepvgg(out_channels: int, bias: bool, alpha: bool) -> None:
    module = ready(QARepVGG(8, out_channels, identity=False, alpha=alpha, bias=bias))
    asked = "QARepVGG" if out_channels == 8 else None
    found = assert_fuses(module, image(8), "QARepVGG", "rbr_reparam", asked=asked)
    assert found.placeholders == ("rbr_reparam.weight", "rbr_reparam.bias")
    if out_channels == 8:
        module = ready(QARepVGG(8, 8, identity=True, alpha=alpha, bias=bias))
        name = "QARepVGG with identity"
        assert_fuses(module, image(8), name, "rbr_reparam", asked=name)


def test_an_identity_that_is_in_no_key_is_not_guessed() -> None:
    state = state_of(ready(QARepVGG(8, 8, identity=True, alpha=True, bias=True)), "stage")
    left = reason(state)
    assert (left.prefix, left.family) == ("stage", None)
    assert left.reason == (
        "QARepVGG and QARepVGG with identity fit, and nothing in the file tells which: "
        '--family qarepvgg or --family "qarepvgg with identity" decides'
    )


def test_yolo_nas_has_an_eps_of_its_own() -> None:
    module = ready(QARepVGG(4, 6, identity=False, alpha=True, bias=True), eps=1e-3)
    found = only_block(state_of(module, "neck.neck1.blocks"))
    assert (found.family, found.eps) == ("YOLO-NAS QARepVGG", 1e-3)


class YOLOv6QA(nn.Module):
    def __init__(self, *, identity: bool, average: bool) -> None:
        super().__init__()
        self.rbr_dense = ConvNorm(8, 8, 3)
        self.rbr_1x1 = nn.Conv2d(8, 8, 1, bias=False)
        self.identity = identity
        self.rbr_avg = nn.AvgPool2d(3, 1, 1) if average else None

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.rbr_dense(x) + self.rbr_1x1(x)
        if self.identity:
            y = y + x
        return y if self.rbr_avg is None else y + self.rbr_avg(x)


@pytest.mark.parametrize(
    ("name", "identity", "average"),
    [
        ("YOLOv6 QARepVGG", False, False),
        ("YOLOv6 QARepVGG with identity", True, False),
        ("YOLOv6 QARepVGGV2", True, True),
    ],
)
def test_yolov6_qa_keeps_its_norm(name: str, identity: bool, average: bool) -> None:
    module = ready(YOLOv6QA(identity=identity, average=average), eps=1e-3)
    assert_fuses(module, image(8), name, "rbr_reparam", asked=name)
    kept = {"b.bn.weight": torch.ones(8), "b.bn.running_var": torch.ones(8)}
    assert recognised(state_of(module, "b") | kept, family=name).rest == tuple(kept)


@pytest.mark.parametrize("identity", [False, True])
@pytest.mark.parametrize("groups", [1, 2])
def test_yolo_repconv(groups: int, identity: bool) -> None:
    branches: dict[str, nn.Module] = {
        "conv1": ConvNorm(8, 8, 3, groups=groups),
        "conv2": ConvNorm(8, 8, 1, groups=groups),
    }
    if identity:
        branches["bn"] = nn.BatchNorm2d(8)
    module = ready(Parallel(**branches), eps=1e-3)
    told = groups if identity else 1
    assert_fuses(module, image(8), "YOLO RepConv", "conv", groups=groups, told_groups=told)


def test_repvggdw() -> None:
    module = ready(Parallel(conv=ConvNorm(6, 6, 7, groups=6), conv1=ConvNorm(6, 6, 3, groups=6)), eps=1e-3)
    assert_fuses(module, image(6), "RepVGGDW", "conv", groups=6)


class RTDETR(nn.Module):
    def __init__(self, in_channels: int, *, alpha: bool) -> None:
        super().__init__()
        self.conv1 = ConvNorm(in_channels, 8, 3, names=("conv", "norm"))
        self.conv2 = ConvNorm(in_channels, 8, 1, names=("conv", "norm"), bias=True)
        self.alpha: nn.Parameter | float = nn.Parameter(torch.ones(1)) if alpha else 1.0

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.conv1(x) + self.alpha * self.conv2(x)
        return y


@pytest.mark.parametrize("in_channels", [8, 6])
@pytest.mark.parametrize("alpha", [False, True])
def test_rtdetr(alpha: bool, in_channels: int) -> None:
    module = ready(RTDETR(in_channels, alpha=alpha))
    assert_fuses(module, image(in_channels), "RT-DETR", "conv")


def dfine_state() -> dict[str, Tensor]:
    """What an encoder of D-FINE has: pairs that it fuses, one that it keeps, a RepVggBlock."""
    pair = partial(ConvNorm, names=("conv", "norm"))
    return (
        state_of(ready(pair(6, 8, 1)), "encoder.input_proj.0")
        | state_of(ready(pair(8, 8, 1)), "encoder.lateral_convs.0")
        | state_of(ready(pair(8, 8, 3, groups=8)), "encoder.downsample_convs.0.0.cv2")
        | state_of(ready(pair(8, 8, 1)), "encoder.fpn_blocks.0.cv2.0.conv1")
        | state_of(ready(pair(8, 8, 1)), "encoder.fpn_blocks.0.cv2.0.conv2")
        | state_of(ready(RTDETR(8, alpha=False)), "encoder.fpn_blocks.0.cv2.0.bottlenecks.0")
        | {"decoder.decoder.lqe_layers.0.reg_conf.layers.0.weight": torch.zeros(2, 3)}
    )


def test_dfine_has_names_of_its_own_for_fused_pairs() -> None:
    found = recognised(dfine_state())
    assert found.left_alone == ()
    assert [block.fused[0].name.removeprefix("encoder.") for block in found.blocks] == [
        "lateral_convs.0.conv_bn_fused.weight",
        "downsample_convs.0.0.cv2.conv_bn_fused.weight",
        "fpn_blocks.0.cv2.0.conv1.conv_bn_fused.weight",
        "fpn_blocks.0.cv2.0.conv2.conv_bn_fused.weight",
        "fpn_blocks.0.cv2.0.bottlenecks.0.conv.weight",
    ]
    assert "encoder.input_proj.0.conv.weight" in found.rest
    more = recognised(dfine_state(), conv_bn=True).blocks
    assert more[0].fused[0].name == "encoder.input_proj.0.conv.weight"
    assert [block.fused for block in more[1:]] == [block.fused for block in found.blocks]


@pytest.mark.parametrize("bias", [False, True])
def test_a_pair_of_dfine_is_fused_as_it_runs(bias: bool) -> None:
    module = ready(ConvNorm(6, 8, 3, names=("conv", "norm"), bias=bias))
    assert_fuses(module, image(6), "D-FINE", "conv_bn_fused", asked="D-FINE")


def test_without_the_decoder_of_dfine_a_pair_is_a_plain_one() -> None:
    """RT-DETR has the same classes, and keeps them as they are."""
    state = {name: each for name, each in dfine_state().items() if "lqe_layers" not in name}
    assert [block.family for block in recognised(state).blocks] == ["RT-DETR"]
    families = [block.family for block in recognised(state, conv_bn=True).blocks]
    assert sorted(families) == ["RT-DETR", *["conv_bn (norm)"] * 5]


@pytest.mark.parametrize("norm", ["bn", "norm"])
@pytest.mark.parametrize(("first", "second"), [(1, 1), (1, 3), (3, 3)])
def test_other_kernels_under_conv1_and_conv2_are_ordinary(norm: str, first: int, second: int) -> None:
    names = ("conv", norm)
    module = Parallel(conv1=ConvNorm(8, 8, first, names=names), conv2=ConvNorm(8, 8, second, names=names))
    state = state_of(module, "encoder.fpn_blocks.0")
    found = recognised(state)
    assert (found.blocks, found.left_alone, found.rest) == ((), (), tuple(state))


def test_a_third_convolution_beside_makes_it_ordinary() -> None:
    module = Parallel(conv1=ConvNorm(8, 8, 3), conv2=ConvNorm(8, 8, 1), conv3=ConvNorm(8, 8, 1))
    assert recognised(state_of(module, "layer1.0")).blocks == ()
