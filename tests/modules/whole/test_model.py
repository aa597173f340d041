"""fuse_model(): models of our own, fused wherever it is right and nowhere else; the model left as it is."""

from __future__ import annotations

import copy
import io
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor, fx, nn
from torch.nn import functional

from tests.fusion.strategies import with_wild_norms
from tui.fusion.kernel import FusionError
from tui.modules.finding import blocks_of
from tui.modules.whole.model import FusedModel, fuse_model


def image(*shape: int, seed: int = 3) -> Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


class Residual(nn.Module):
    """ResNet's block, with torchvision's in-place activations."""

    def __init__(self, channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, out_channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = None
        if stride > 1:
            shortcut = nn.Conv2d(channels, out_channels, 1, stride, bias=False)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(out_channels))

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        y += x if self.downsample is None else self.downsample(x)
        return self.relu(y)  # type: ignore[no-any-return]


class ResNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(8)
        self.relu = nn.ReLU(inplace=True)
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.stages = nn.Sequential(Residual(8, 8), Residual(8, 16, 2), Residual(16, 16))
        self.head = nn.Linear(16, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(self.relu(self.bn1(self.conv1(x))))
        x = self.stages(x)
        return self.head(functional.adaptive_avg_pool2d(x, 1).flatten(1))  # type: ignore[no-any-return]


class RepVgg(nn.Module):
    """Ding et al.'s block: its branches and the activation in one forward."""

    stride = 1

    def __init__(self, channels: int, groups: int = 1) -> None:
        super().__init__()
        self.alpha = 0.5
        self.dense = nn.Conv2d(channels, channels, 3, padding=1, groups=groups)
        self.dense_bn = nn.BatchNorm2d(channels, eps=1e-3)
        self.point = nn.Sequential(
            nn.Conv2d(channels, channels, 1, groups=groups), nn.BatchNorm2d(channels, eps=1e-3)
        )
        self.identity = nn.BatchNorm2d(channels)
        self.act = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.act(self.dense_bn(self.dense(x)) + self.point(x) + self.identity(x))
        return y


class Gate(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.point = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor, scale: float = 1.0) -> Tensor:
        return x * torch.sigmoid(self.point(x.mean((2, 3), keepdim=True))) * scale


class RepNet(nn.Module):
    """Blocks, squeeze-and-excitation between, and a branch that is read elsewhere too."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = RepVgg(4)
        self.gate = Gate(4)
        self.body = nn.Sequential(RepVgg(4, groups=2), RepVgg(4, groups=4))
        self.left = nn.Conv2d(4, 4, 3, padding=1)
        self.left_bn = nn.BatchNorm2d(4)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.body(self.gate(self.stem(x), scale=0.5))
        read_twice = self.left(x)
        return self.left_bn(read_twice), read_twice.relu()


def ready(model: nn.Module) -> Any:
    torch.manual_seed(1)
    return with_wild_norms(model.double()).eval()


def fused_and_checked(model: nn.Module, *images: Tensor) -> FusedModel:
    """Fused by the first image, and right on all; the model as it was."""
    before = copy.deepcopy(model.state_dict())
    names = [name for name, _ in model.named_modules()]
    result = fuse_model(model, images[0])
    for x in images:
        with torch.no_grad():
            expected, given = model(x.clone()), result.model(x.clone())
        if isinstance(expected, Tensor):
            expected, given = (expected,), (given,)
        for right, ours in zip(expected, given, strict=True):
            torch.testing.assert_close(ours, right, rtol=0, atol=1e-9 * float(right.abs().max()))
    assert [name for name, _ in model.named_modules()] == names
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    return result


def count(model: nn.Module, kind: type[nn.Module]) -> int:
    return sum(isinstance(module, kind) for module in model.modules())


def test_every_pair_of_a_resnet() -> None:
    model = ready(ResNet())
    fused, report = fused_and_checked(model, image(1, 3, 40, 36), image(2, 3, 64, 33))
    assert count(fused, nn.BatchNorm2d) == 0
    assert count(fused, nn.Conv2d) == count(model, nn.Conv2d) == len(report.fused) == 8
    assert [each.title for each in report.fused][:3] == ["conv1", "stages.0.conv1", "stages.0.conv2"]
    assert all(each.verdict.agrees for each in report.fused)
    assert count(fused, fx.GraphModule) == 0  # each module is still its own class
    assert report.apart <= 1e-9 * report.largest
    reasons = [each.sentence for each in report.left_alone]
    assert any("used elsewhere" in reason or "activation, relu" in reason for reason in reasons)


def test_branches_with_an_activation_behind_them() -> None:
    model = ready(RepNet())
    fused, report = fused_and_checked(model, image(1, 4, 14, 12), image(3, 4, 9, 21))
    assert [each.title for each in report.fused] == ["stem", "body.0", "body.1"]
    assert [conv.groups for conv in fused.modules() if isinstance(conv, nn.Conv2d)] == [1, 1, 2, 4, 1]
    assert fused.get_submodule("stem").alpha == 0.5
    assert type(fused.get_submodule("stem")).__name__ == "RepVgg"
    assert isinstance(fused.get_submodule("gate"), Gate)
    (left,) = (each for each in report.left_alone if each.path == "left_bn")
    assert "used elsewhere too: relu" in left.reason
    assert "3 fused" in str(report)


@pytest.mark.parametrize("first", [nn.Conv2d(3, 4, 1), nn.Conv2d(3, 4, 3, 2, 1), nn.Conv2d(3, 4, 4, 4)])
def test_a_block_behind_a_plain_convolution(first: nn.Conv2d) -> None:
    """Both together are none, for the block pads in between; its norm is a branch, not that convolution's."""
    model = ready(nn.Sequential(first, RepVgg(4), RepVgg(4, groups=2)))
    _, report = fused_and_checked(model, image(1, 3, 20, 24))
    assert [each.title for each in report.fused] == ["1", "2"]
    assert report.left_alone == ()


def test_a_fused_model_can_be_copied_saved_and_fused_again() -> None:
    fused = fuse_model(ready(RepNet()), image(1, 4, 14, 12)).model
    written = io.BytesIO()
    torch.save(fused, written)
    written.seek(0)
    twin = torch.load(written, weights_only=False)
    twin.load_state_dict(copy.deepcopy(fused).state_dict())
    again, report = fuse_model(fused, image(1, 4, 14, 12))
    assert not report.fused
    x = image(2, 4, 8, 8)
    assert torch.equal(again(x)[0], twin(x)[0])


def test_a_module_that_is_one_convolution_becomes_one() -> None:
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.dense, self.norm = nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4)

        def forward(self, x: Tensor) -> Tensor:
            return self.norm(self.dense(x) + x)  # type: ignore[no-any-return]

    model = ready(nn.Sequential(Block(), nn.ReLU(), Block()))
    fused, _ = fused_and_checked(model, image(1, 4, 7, 8))
    assert [type(module) for module in fused] == [nn.Conv2d, nn.ReLU, nn.Conv2d]  # type: ignore[attr-defined]
    alone = fuse_model(Block().double().eval(), image(1, 4, 7, 8)).model
    assert isinstance(alone, nn.Conv2d)


def test_a_block_that_runs_twice() -> None:
    block = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4))
    model = ready(nn.Sequential(block, nn.ReLU(), block))
    fused, report = fused_and_checked(model, image(1, 4, 7, 8))
    assert len(report.fused) == 1
    assert fused[0] is fused[2]  # type: ignore[index]


def test_parts_of_a_module_that_runs_twice_are_left_alone() -> None:
    conv = nn.Conv2d(4, 4, 3, padding=1)
    model = ready(nn.Sequential(conv, nn.BatchNorm2d(4), nn.ReLU(), conv, nn.BatchNorm2d(4)))
    fused, report = fused_and_checked(model, image(1, 4, 7, 8))
    assert not report.fused
    assert count(fused, nn.BatchNorm2d) == 2
    assert ["runs more than once" in each.reason for each in report.left_alone] == [True]


def test_a_fusion_that_costs_more_is_none() -> None:
    narrow = nn.Sequential(nn.Conv2d(32, 4, 1, bias=False), nn.BatchNorm2d(4), nn.Conv2d(4, 32, 1))
    fused, report = fused_and_checked(ready(narrow), image(1, 32, 6, 6))
    assert isinstance(fused, nn.Conv2d)  # it is all that was asked for
    inside = ready(nn.Sequential(nn.ReLU(), narrow, nn.ReLU()))
    fused, report = fused_and_checked(inside, image(1, 32, 6, 6))
    assert [tuple(conv.weight.shape[:2]) for conv in fused.modules() if isinstance(conv, nn.Conv2d)] == [
        (4, 32), (32, 4),
    ]  # fmt: skip
    assert any("would multiply" in each.reason for each in report.left_alone)


class Resized(nn.Module):
    """GhostNetV3's gate; `fixed`: what it does with the size is seen for one size only."""

    def __init__(self, *, fixed: bool) -> None:
        super().__init__()
        self.dense, self.point = nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(4, 4, 1)
        self.fixed = fixed

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.dense(x) + self.point(x)
        small = functional.avg_pool2d(y, 2)
        y = y * functional.interpolate(small, size=y.shape[2:])
        return y / (x.shape[2] * x.shape[3]) if self.fixed else y


def test_one_that_resizes_to_the_size_of_another() -> None:
    model = ready(nn.Sequential(Resized(fixed=False), nn.ReLU()))
    _, report = fused_and_checked(model, image(1, 4, 24, 26), image(1, 4, 30, 22))
    assert [each.title for each in report.fused] == ["0"]


def test_one_that_computes_with_the_size_of_the_image() -> None:
    model = ready(nn.Sequential(Resized(fixed=True), nn.ReLU()))
    _, report = fused_and_checked(model, image(1, 4, 24, 26), image(1, 4, 30, 22))
    assert not report.fused
    assert "size of the image" in report.left_alone[-1].reason


class Faint(nn.Module):
    """What its part gives can hardly be told from the output."""

    def __init__(self, part: nn.Module) -> None:
        super().__init__()
        self.part = part

    def forward(self, x: Tensor) -> Tensor:
        return x + 1e-13 * self.part(x)  # type: ignore[no-any-return]


def test_each_part_is_tried_on_another_size_and_not_the_output_alone() -> None:
    model = ready(nn.Sequential(Faint(Resized(fixed=True)), nn.ReLU()))
    _, report = fuse_model(model, image(1, 4, 24, 26))
    assert not report.fused
    assert "size of the image" in report.left_alone[-1].reason


class Flat(nn.Module):
    """It knows how many images there are when it makes rows of them."""

    def __init__(self) -> None:
        super().__init__()
        self.dense, self.point = nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(4, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.dense(x) + self.point(x)
        return functional.relu(y).mean((2, 3)).view(x.shape[0], -1)


def test_one_that_computes_with_the_number_of_images() -> None:
    fused, report = fuse_model(ready(nn.Sequential(Flat())), image(1, 4, 24, 26))
    assert fused(image(3, 4, 20, 20)).shape == (3, 4)
    assert not report.fused


class SamePadding(nn.Module):
    """Tensorflow's: more on the right and below, by the size of the image."""

    def __init__(self) -> None:
        super().__init__()
        self.dense, self.norm = nn.Conv2d(4, 4, 3, 2), nn.BatchNorm2d(4)

    def forward(self, x: Tensor) -> Tensor:
        pads = []
        for size in (x.shape[3], x.shape[2]):
            missing = max((-(-size // 2) - 1) * 2 + 3 - size, 0)
            pads += [missing // 2, missing - missing // 2]
        return self.norm(self.dense(functional.pad(x, pads)))  # type: ignore[no-any-return]


@pytest.mark.parametrize("whole", [True, False])
def test_padding_that_follows_the_size_is_not_fixed(whole: bool) -> None:
    padded = SamePadding()
    model = ready(nn.Sequential(nn.ReLU(), padded, nn.ReLU()) if whole else nn.Sequential(Behind(padded)))
    _, report = fused_and_checked(model, image(1, 4, 24, 26), image(1, 4, 25, 21))
    assert any("size of the image" in each.reason for each in report.left_alone)
    assert [each.title for each in report.fused] == ["1.dense" if whole else "0.padded.dense"]


class Behind(nn.Module):
    def __init__(self, padded: nn.Module) -> None:
        super().__init__()
        self.padded = padded
        self.point = nn.Conv2d(4, 4, 1, 2)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.padded(x) + self.point(x))


class Listed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList([normed(), normed()])

    def forward(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = functional.relu(x + block(x))
        return x


def test_blocks_of_a_list_are_told_apart() -> None:
    _, report = fused_and_checked(ready(nn.Sequential(Listed())), image(1, 4, 9, 9))
    assert [each.title for each in report.fused] == ["0.blocks.0", "0.blocks.1"]


def test_train_mode() -> None:
    with pytest.raises(FusionError, match="train mode"):
        fuse_model(ResNet(), torch.randn(1, 3, 32, 32))
    model = ready(ResNet())
    model.stages[1].bn1.train()
    left = {each.path: each.reason for each in blocks_of(model, image(1, 3, 40, 36)).left_alone}
    assert "train mode" in left["stages.1.bn1"]


def test_groups_bias_and_dilation_where_popular_fusers_fail() -> None:
    """checkpoints.md: groups 2, 4 and depthwise; a bias beside the norm; dilation; no affine; 16 bit."""
    for groups in (1, 2, 4, 8):
        conv = nn.Conv2d(8, 8, 3, padding=2, dilation=2, groups=groups, bias=True)
        model = ready(nn.Sequential(conv, nn.BatchNorm2d(8, affine=groups != 2), nn.ReLU()))
        fused, _ = fused_and_checked(model, image(1, 8, 9, 9))
        assert (fused[0].groups, fused[0].dilation) == (groups, (2, 2))  # type: ignore[index]
    half = with_wild_norms(nn.Sequential(nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4), nn.ReLU())).bfloat16().eval()
    fused = fuse_model(half, image(1, 4, 5, 5).bfloat16()).model
    assert {tensor.dtype for tensor in fused.state_dict().values()} == {torch.bfloat16}


class Repeated(nn.Module):
    """One block, run twice."""

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.block = block

    def forward(self, x: Tensor) -> Tensor:
        return self.block(functional.relu(self.block(x)))  # type: ignore[no-any-return]


class Skipped(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.dense, self.norm = nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.norm(self.dense(x)) + x)


def normed() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4))


def test_a_block_that_runs_twice_is_told_once() -> None:
    _, report = fused_and_checked(ready(Repeated(normed())), image(1, 4, 9, 9))
    assert [each.title for each in report.fused] == ["block"]
    _, report = fused_and_checked(ready(Repeated(Skipped())), image(1, 4, 9, 9))
    assert report.fused == ()
    assert [each.path for each in report.left_alone if "runs 2 times" in each.reason] == ["block"]


class Dropping(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = normed(), normed()

    def forward(self, x: Tensor) -> Tensor:
        return self.last(functional.dropout(self.first(x)))  # type: ignore[no-any-return]


def test_a_model_that_drops_at_random_is_fused_around_it() -> None:
    state = torch.get_rng_state()
    _, report = fuse_model(ready(Dropping()), image(1, 4, 9, 9))
    assert [each.title for each in report.fused] == ["first", "last"]
    assert report.apart <= 1e-12 * report.largest
    assert torch.equal(torch.get_rng_state(), state)


def test_a_weight_that_is_no_number_is_named_and_the_rest_fused() -> None:
    model = ready(nn.Sequential(normed(), nn.ReLU(), normed()))
    model.state_dict()["0.1.running_var"][2] = float("nan")
    _, report = fuse_model(model, image(1, 4, 9, 9))
    assert [each.title for each in report.fused] == ["2"]
    assert any("0.1.running_var[2] is nan" in each.reason for each in report.left_alone)


class BySize(nn.Module):
    def __init__(self, dim: int) -> None:
        super().__init__()
        self.small, self.large, self.dim = normed(), normed(), dim

    def forward(self, x: Tensor) -> Tensor:
        return self.small(x) if x.shape[self.dim] < 64 else self.large(x)  # type: ignore[no-any-return]


@pytest.mark.parametrize("dim", [2, 3])
def test_one_that_goes_another_way_on_large_images(dim: int) -> None:
    with pytest.raises(FusionError, match="chooses its way by the size"):
        fuse_model(ready(nn.Sequential(BySize(dim), nn.ReLU())), image(1, 4, 24, 26))


class Counting(nn.Module):
    """It writes over its own numbers, more than one of them only on images of another size."""

    runs: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.normed = normed()
        self.register_buffer("runs", torch.zeros(2, dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        self.runs.add_(1)
        if x.shape[2] != 24:
            self.get_parameter("normed.0.weight").mul_(2).div_(2)
            self.runs[1:] += 7
        return self.normed(x)  # type: ignore[no-any-return]


def test_what_a_forward_writes_over_is_given_back_at_each_size() -> None:
    model = ready(nn.Sequential(Counting(), nn.ReLU()))
    before = copy.deepcopy(model.state_dict())
    _, report = fuse_model(model, image(1, 4, 24, 26))
    assert [each.title for each in report.fused] == ["0"]
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, before[name])


def test_the_model_is_run_on_no_size_twice() -> None:
    """Of a large example strips would be larger still, and are left out."""
    model, seen = ready(nn.Sequential(normed(), nn.ReLU())), []
    model.register_forward_pre_hook(
        lambda each, args: seen.append(args[0].shape[2:]) if each is model else None
    )
    fuse_model(model, image(1, 4, 300, 300))
    assert seen == [(38, 302)]


class Sum(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.dense, self.point = nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(4, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.dense(x) + self.point(x)  # type: ignore[no-any-return]


class AtTwoSizes(nn.Module):
    """One block twice; the second time behind a pool, beyond whose result it pads."""

    def __init__(self) -> None:
        super().__init__()
        self.block, self.pool = Sum(), nn.AvgPool2d(2)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return functional.relu(self.block(x)), functional.relu(self.block(self.pool(x)))


def test_a_block_that_is_fused_is_not_left_alone_too() -> None:
    _, report = fused_and_checked(ready(AtTwoSizes()), image(1, 4, 16, 16))
    assert [each.title for each in report.fused] == ["block"]
    assert report.left_alone == ()


class Unhooked(nn.Module):
    """It calls the forward of its blocks, and not the blocks; has some in a list, and two sums of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = Sum(), Sum()
        self.listed = nn.ModuleList([normed(), normed()])
        self.dense, self.point = nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(4, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.relu(self.second.forward(functional.relu(self.first.forward(x))))
        x = functional.relu(self.listed[1](functional.relu(self.listed[0](x) + x)) + x)
        x = functional.relu(self.dense(x) + self.point(x))
        return functional.relu(self.first.point(x) + self.second.point(x))


@pytest.mark.parametrize("inside", [False, True])
def test_no_two_blocks_are_called_alike(inside: bool) -> None:
    model = nn.Sequential(nn.Identity(), Unhooked()) if inside else Unhooked()
    found = blocks_of(ready(model), image(1, 4, 9, 9)).blocks
    called = [each.title for each in found]
    prefix = "1." if inside else ""
    assert called[:4] == [f"{prefix}{each}" for each in ("first", "second", "listed.0", "listed.1")]
    assert called[4:] == [f"{prefix}dense", "1" if inside else "first.point"]


class AroundABody(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = normed()

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.body(x) + x)


def test_a_block_around_a_module_that_runs_itself_is_called_like_the_whole() -> None:
    found = blocks_of(ready(nn.Sequential(AroundABody(), nn.ReLU())), image(1, 4, 9, 9)).blocks
    assert [each.title for each in found] == ["0"]


@dataclass
class Wrapped:
    logits: Tensor


class GivesAnObject(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.block = RepVgg(4)

    def forward(self, x: Tensor) -> Wrapped:
        return Wrapped(self.block(x))


def test_a_difference_that_cannot_be_told_is_not_called_nothing() -> None:
    report = fuse_model(ready(GivesAnObject()), image(1, 4, 12, 12)).report
    assert (len(report.fused), str(report).splitlines()[-1][:33]) == (1, "the outputs cannot be compared: N")
    x = image(1, 4, 12, 12)
    x[0, 0, 0, 0] = torch.nan
    assert "cannot be compared" in str(fuse_model(ready(nn.Sequential(RepVgg(4))), x).report)


class Sided(nn.Module):
    """One side by the size of the image, and a head that only training runs."""

    def __init__(self) -> None:
        super().__init__()
        self.small, self.large = RepVgg(4), nn.Sequential(RepVgg(4), nn.ReLU())
        self.heads = nn.ModuleList([nn.Conv2d(4, 2, 1), nn.Linear(2, 2)])
        self.read = nn.Conv2d(4, 4, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = (self.large if x.shape[2] > 32 else self.small)(x)
        return self.heads[0](y) if self.training else functional.conv2d(y, self.read.weight)


def test_what_the_example_does_not_reach_is_told() -> None:
    _, report = fused_and_checked(ready(Sided()), image(1, 4, 12, 12))
    told = {
        each.path: each.reason for each in report.left_alone if "did not run on the example" in each.reason
    }
    assert list(told) == ["large", "heads"]
