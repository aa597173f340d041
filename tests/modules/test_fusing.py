"""fuse(): modules in any style, fused right or refused right; held against their own forward in float64."""

from __future__ import annotations

import copy
import warnings
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from tests.export.code.test_snippet import ran
from tests.fusion.author_blocks import AUTHOR_BLOCKS
from tests.fusion.strategies import with_wild_norms
from tests.fusion.test_author_blocks import CHANNELS as AUTHORS_CHANNELS
from tests.fusion.test_author_blocks import randomised
from tests.modules.styles import (
    BY_THEIR_ANSWERS,
    CHANNELS,
    FUSED,
    REFUSED,
    Written,
    conv,
    conv_bn,
    padded_by_a_number,
)
from tui.analysis.study import study_of
from tui.export.code.snippet import snippet_of
from tui.fusion.kernel import FusionError
from tui.fusion.presets import PRESETS
from tui.modules.fusing import block_of, fuse
from tui.modules.run.running import RunError

IMAGE = (2, CHANNELS, 12, 11)


def image(shape: tuple[int, ...] = IMAGE, seed: int = 3) -> Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def made(style: str) -> nn.Module:
    torch.manual_seed(5)
    module = (FUSED[style] if style in FUSED else REFUSED[style][0])()
    return with_wild_norms(module).eval()


def impulse_response(conv: nn.Module, channels: int = CHANNELS, side: int = 13) -> Tensor:
    """What it makes of a 1 in the middle of each channel, without what it makes of zeros."""
    x = torch.zeros(channels, channels, side, side, dtype=torch.float64)
    x[range(channels), range(channels), side // 2, side // 2] = 1
    y: Tensor = conv(x) - conv(torch.zeros_like(x))
    return y


@pytest.mark.parametrize("style", FUSED)
@torch.no_grad()
def test_fused_right(style: str) -> None:
    module = made(style).double()
    before = copy.deepcopy(module.state_dict())
    fused = fuse(module, image())
    for x in (image(), image((1, CHANNELS, 17, 14)) * 50):
        expected = module(x.clone())
        torch.testing.assert_close(fused(x), expected, rtol=0, atol=1e-11 * float(expected.abs().max()))
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert not any(each._forward_hooks or each._forward_pre_hooks for each in module.modules())


@pytest.mark.parametrize("style", FUSED)
@torch.no_grad()
def test_the_dtype_stays(style: str) -> None:
    module = made(style)
    fused = fuse(module, image().float())
    assert {each.dtype for each in fused.parameters()} == {torch.float32}
    expected = module(image().float())
    torch.testing.assert_close(
        fused(image().float()), expected, rtol=0, atol=1e-4 * float(expected.abs().max())
    )


@pytest.mark.parametrize("style", FUSED)
def test_asked_only_where_it_is_not_understood(style: str) -> None:
    names = [branch.name for branch in block_of(made(style).double(), image()).block64.branches]
    assert (names == ["response"]) is (style in BY_THEIR_ANSWERS)


@pytest.mark.parametrize("style", REFUSED)
def test_refused_right(style: str) -> None:
    with pytest.raises(FusionError, match=REFUSED[style][1]):
        fuse(made(style).double(), image())


@pytest.mark.parametrize("name", AUTHOR_BLOCKS)
@torch.no_grad()
def test_blocks_as_their_authors_write_them(name: str) -> None:
    module = randomised(AUTHOR_BLOCKS[name](AUTHORS_CHANNELS))
    x = image()
    fused = fuse(module, x)
    expected = module(x)
    torch.testing.assert_close(fused(x), expected, rtol=0, atol=1e-11 * float(expected.abs().max()))


@pytest.mark.parametrize("name", PRESETS)
@torch.no_grad()
def test_every_preset_comes_back_from_its_snippet(name: str) -> None:
    spec = PRESETS[name].spec
    spec = spec.with_in_channels(8 if 1 < spec.groups < spec.in_channels else 4)
    study = study_of(replace(spec, input_shape=(9, 8), batch_size=1))
    block = ran(snippet_of(study))["block"].double().eval()
    found = block_of(block, study.x.double())
    right = copy.deepcopy(study.block).double()
    assert len(found.block.branches) == len(right.branches)
    assert found.pads_same
    summands = zip(found.block.kernels(), right.kernels(), strict=True)
    for (_, ours), (_, known) in [*summands, (("", found.kernel), ("", right.kernel()))]:
        torch.testing.assert_close(ours.weight, known.weight, rtol=1e-12, atol=1e-14)
        if known.bias is not None:
            assert ours.bias is not None
            torch.testing.assert_close(ours.bias, known.bias, rtol=1e-12, atol=1e-14)


def test_it_holds_the_module_s_own_parameters() -> None:
    module = conv_bn().eval()
    block = block_of(nn.Sequential(module, nn.Identity()).eval(), image().float()).block
    assert list(block.branches[0].modules())[2::2] == list(module)


def test_branches_are_called_like_the_attributes() -> None:
    class RepVgg(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rbr_dense, self.rbr_1x1 = conv_bn(), conv_bn(1)
            self.rbr_identity = nn.BatchNorm2d(CHANNELS)
            self.scales = nn.ModuleList([conv_bn(5)])

        def forward(self, x: Tensor) -> Tensor:
            y: Tensor = self.rbr_dense(x) + self.rbr_1x1(x) + self.rbr_identity(x) + self.scales[0](x) + x
            return y

    block = block_of(RepVgg().eval()).block
    assert [branch.name for branch in block.branches] == [
        "rbr_dense", "rbr_1x1", "rbr_identity", "scales.0", "identity",
    ]  # fmt: skip


def test_a_norm_that_is_called_identity() -> None:
    class Skip(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.dense, self.identity = conv(), nn.BatchNorm2d(CHANNELS)

        def forward(self, x: Tensor) -> Tensor:
            y: Tensor = self.dense(x) + self.identity(x)
            return y

    block = block_of(Skip().eval()).block
    assert [layer.name for layer in block.branches[1].layers] == ["identity", "norm"]


def test_memory_that_there_is_not() -> None:
    def greedy(self: object, x: Tensor) -> Tensor:
        return x + torch.empty(2**60)

    with pytest.raises(RunError, match=r"out of memory: .*test_fusing.py:\d+\)"):
        fuse(Written(greedy, dense=conv()), image().float())


def test_train_mode_is_refused_by_name() -> None:
    with pytest.raises(FusionError, match=r"in train mode: 0\.1; call eval"):
        fuse(nn.Sequential(conv_bn(), nn.Identity()))
    with pytest.raises(FusionError, match=r"in train mode: 1; call eval"):
        fuse(nn.Sequential(conv_bn().eval(), nn.Dropout()))


def test_one_of_torch_s_own() -> None:
    layer = conv(groups=2, dilation=2, padding=2)
    fused = fuse(layer)
    torch.testing.assert_close(fused(image().float()), layer(image().float()))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_16_bit_is_folded_in_float64_and_rounded_once(dtype: torch.dtype) -> None:
    module = with_wild_norms(conv_bn()).to(dtype).eval()
    fused, exact = fuse(module, image().to(dtype)), block_of(module, image().to(dtype)).kernel
    assert torch.equal(fused.weight, exact.weight.to(dtype))
    wide = copy.deepcopy(module).double()
    torch.testing.assert_close(
        impulse_response(wide)[0, :, 5:8, 5:8], exact.weight[:, 0].flip(1, 2), rtol=1e-9, atol=1e-12
    )


@pytest.mark.parametrize(
    "style", ["weight standardised", "weight norm", "a masked weight", "a bias of its own"]
)
def test_a_weight_that_the_forward_makes_is_made_in_float64(style: str) -> None:
    """From parameters in float32, with one rounding at the end, not one at each step."""
    module = made(style)
    fused, known = fuse(module, image().float()), block_of(copy.deepcopy(module).double(), image()).kernel
    torch.testing.assert_close(
        block_of(module, image().float()).kernel.weight, known.weight, rtol=1e-13, atol=1e-15
    )
    assert torch.equal(fused.weight, known.weight.float())


def test_a_forward_that_fails() -> None:
    def failing(self: object, x: Tensor) -> Tensor:
        raise ValueError("no such\n  thing")

    with pytest.raises(RunError, match=r"ValueError: no such thing \(.*test_fusing.py:\d+\)"):
        fuse(Written(failing, dense=conv()), image().float())


def test_buffers_that_the_forward_counts_in_stay() -> None:
    class Counting(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.dense = conv_bn()
            self.register_buffer("count", torch.zeros(()))

        def forward(self, x: Tensor) -> Tensor:
            self.get_buffer("count").add_(1)
            y: Tensor = self.dense(x) + x
            return y

    module = Counting().eval()
    fuse(module, image().float())
    assert float(module.get_buffer("count")) == 0


def test_nothing_is_compiled_and_nothing_is_warned_of() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fuse(made("in place"), image().float())


class BySize(nn.Module):
    """Takes another convolution where the image is larger, or smaller, than so many pixels."""

    def __init__(self, side: int, dim: int) -> None:
        super().__init__()
        self.small, self.large = nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
        self.side, self.dim = side, dim

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.small(x) if x.shape[self.dim] < self.side else self.large(x)
        return y


@pytest.mark.parametrize("dim", [2, 3])
@pytest.mark.parametrize("side", [8, 14, 31, 64, 200])
def test_one_that_goes_another_way_at_another_size(side: int, dim: int) -> None:
    with pytest.raises(FusionError, match=r"on an image 1x4x\d+x\d+ in float64.*depends on the size"):
        fuse(BySize(side, dim).eval(), torch.randn(1, 4, 12, 12))
    with pytest.raises(FusionError, match="depends on the size"):
        fuse(BySize(64, dim).eval())


def test_sides_beyond_what_is_tried_are_not_known() -> None:
    module = BySize(1000, 3).eval()
    torch.testing.assert_close(fuse(module, torch.randn(1, 4, 12, 12)).weight, module.small.weight)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["0.weight", "1.running_mean", "1.bias"])
def test_a_number_that_is_none_is_named(name: str, value: float) -> None:
    module = with_wild_norms(conv_bn()).eval()
    tensor = module.state_dict()[name]
    tensor.flatten()[2] = value
    with pytest.raises(FusionError, match=rf"the module: {name}\[[0, ]*2.*\] is {value}"):
        fuse(module, image().float())


@torch.no_grad()
def test_a_number_that_is_written_into_an_image_is_taken_as_it_is_written() -> None:
    module = Written(padded_by_a_number, dense=conv(padding=0)).double().eval()
    torch.testing.assert_close(fuse(module, image())(image()), module(image()), rtol=0, atol=1e-12)


class Framed(nn.Module):
    """Behind a bias of 0.3 the same number is written around the image."""

    def __init__(self, *, sliced: bool, number: float = 0.3) -> None:
        super().__init__()
        self.point, self.dense = nn.Conv2d(CHANNELS, CHANNELS, 1), nn.Conv2d(CHANNELS, CHANNELS, 3)
        nn.init.constant_(self.point.bias, 0.3)  # type: ignore[arg-type]
        self.sliced, self.number = sliced, number

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.point(x)
        if not self.sliced:
            return self.dense(nn.functional.pad(y, (1, 1, 1, 1), value=self.number))  # type: ignore[no-any-return]
        y = nn.functional.pad(y, (1, 1, 1, 1))
        y[..., 0] = y[..., -1] = self.number
        y[..., 0, :] = y[..., -1, :] = self.number
        return self.dense(y)  # type: ignore[no-any-return]


@pytest.mark.parametrize("sliced", [True, False])
@torch.no_grad()
def test_a_number_that_is_written_is_that_of_the_modules_dtype(sliced: bool) -> None:
    module, x = Framed(sliced=sliced).eval(), image().float()
    torch.testing.assert_close(fuse(module, x)(x), module(x))
    with pytest.raises(FusionError):
        fuse(Framed(sliced=sliced, number=0.3001).eval(), x)
