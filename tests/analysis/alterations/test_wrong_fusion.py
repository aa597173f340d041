"""Every mistake is the one it says: told a second time by running the branches, never by their kernels."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.analysis.mistake_blocks import BLOCKS, EIGHT, NORMED, POSSIBLE
from tests.fusion.layer_parts import conv_in, is_conv, is_identity, norm_in, run_first
from tests.fusion.oracles import convolve, kernel_by_impulses
from tests.fusion.strategies import filled_block, filled_input
from tui.analysis.alterations.fusion import Fusion
from tui.analysis.alterations.gallery import MISTAKES, Extent
from tui.analysis.alterations.wrong_fusion import wrongly_fused
from tui.fusion.block import ReparamBlock, conv_of
from tui.fusion.grammar.branch_text import parse_branches
from tui.fusion.layers import Factor, Norm, OffsetIdentityConv
from tui.fusion.specs.block_spec import BlockSpec, InputFill, PaddingMode, WeightFill


@torch.no_grad()
def fused_output(wrong: Fusion, x: Tensor) -> Tensor:
    y: Tensor = conv_of(wrong.kernel, wrong.geometry)(x)
    return y


@torch.no_grad()
def difference(name: str, block: ReparamBlock, x: Tensor) -> Tensor:
    wrong = wrongly_fused(name, block, x)
    y: Tensor = fused_output(wrong, x) - wrong.block(x)
    return y


def assert_same(one: Tensor, other: Tensor) -> None:
    torch.testing.assert_close(one, other, rtol=0, atol=1e-11)


def norms(block: nn.Module) -> Iterator[nn.BatchNorm2d]:
    return (module for module in block.modules() if isinstance(module, nn.BatchNorm2d))


def convs(block: nn.Module) -> Iterator[nn.Conv2d]:
    return (module for module in block.modules() if isinstance(module, nn.Conv2d))


def inside(y: Tensor, pixels: int) -> Tensor:
    return y[:, :, pixels:-pixels, pixels:-pixels]


def test_every_mistake_can_be_made_on_some_block() -> None:
    assert {name for name, _ in POSSIBLE} == set(MISTAKES)


@pytest.mark.parametrize(("name", "title"), POSSIBLE)
def test_it_makes_a_difference_where_it_says(name: str, title: str) -> None:
    spec = BLOCKS[title]
    block, x = filled_block(spec), filled_input(spec)
    d = difference(name, block, x).abs()
    assert float(d.max()) > 1e-6
    match MISTAKES[name].extent:
        case Extent.BORDER:
            assert float(inside(d, 2).max()) < 1e-12
            assert bool((d[:, :, 0] > 1e-6).any())
        case Extent.CONSTANT:
            assert_same(d, d[:1, :, :1, :1].expand_as(d))
        case Extent.CHANNELS:
            first = spec.in_channels // spec.fused_groups
            assert float(d[:, :first].max()) < 1e-12
            assert bool((d[:, first:] > 1e-6).flatten(2).any(2).all())
        case Extent.EVERYWHERE:
            assert float((d > 1e-9).double().mean()) > 0.9
            assert bool((d > 1e-6).flatten(2).any(2).all())


@pytest.mark.parametrize("name", MISTAKES)
def test_the_block_stays_as_it_was(name: str) -> None:
    spec = BLOCKS[next(title for other, title in POSSIBLE if other == name)]
    block, x = filled_block(spec), filled_input(spec)
    before = copy.deepcopy(block)
    with torch.no_grad():
        wrongly_fused(name, block, x).block(x)
        assert_same(block(x), before(x))
    values = dict(block.named_parameters()) | dict(block.named_buffers())
    for key, value in (*before.named_parameters(), *before.named_buffers()):
        assert torch.equal(values[key], value)
    assert str(block) == str(before)
    assert not any(module.training for module in block.modules())
    assert torch.equal(block.kernel().weight, before.kernel().weight)


@pytest.mark.parametrize("name", MISTAKES)
def test_the_kernel_is_that_of_the_block_as_it_was_rounded(name: str) -> None:
    spec = BLOCKS[next(title for other, title in POSSIBLE if other == name)]
    rounded, x = filled_block(spec).to(torch.bfloat16), filled_input(spec)
    upcast = copy.deepcopy(rounded).double()
    one, other = (wrongly_fused(name, block, x).kernel for block in (rounded, upcast))
    assert_same(one.weight, other.weight)
    assert (one.bias is None) == (other.bias is None)
    if one.bias is not None and other.bias is not None:
        assert_same(one.bias, other.bias)


# Each mistake told by running modules: what the wrong convolution must return.


def shifted(x: Tensor) -> Tensor:
    """Each pixel becomes its neighbour below to the right, zeros come in."""
    return functional.pad(x, (0, 1, 0, 1))[:, :, 1:, 1:]


def with_each(
    block: ReparamBlock, x: Tensor, kind: Callable[[nn.Module], bool], run: Callable[..., Tensor]
) -> Tensor:
    """The sum of the branches' outputs, those of the 1x1 and of the identity run in another way."""

    def chosen(branch: nn.Module) -> bool:
        return kind(branch) and getattr(branch, "kernel_size", None) == (1, 1)

    outputs = [run(branch, x) if chosen(branch) else branch(x) for branch in block.branches]
    return torch.stack(outputs).sum(0)


def edited(block: ReparamBlock, edit: Callable[[nn.Module], None]) -> ReparamBlock:
    other = copy.deepcopy(block)
    for module in other.modules():
        edit(module)
    return other


def zero_bias(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d) and module.bias is not None:
        module.bias.zero_()


def zero_mean(module: nn.Module) -> None:
    if isinstance(module, nn.BatchNorm2d) and module.running_mean is not None:
        module.running_mean.zero_()


def square_var(module: nn.Module) -> None:
    if isinstance(module, nn.BatchNorm2d) and module.running_var is not None:
        module.running_var.copy_((module.running_var + module.eps) ** 2 - module.eps)


def yolo_eps(module: nn.Module) -> None:
    if isinstance(module, nn.BatchNorm2d):
        module.eps = 1e-3


def unbiased_var(module: nn.Module) -> None:
    if isinstance(module, nn.BatchNorm2d) and module.running_var is not None:
        module.running_var.mul_(100 / 99)  # one input of 10 x 10 pixels


def no_identity(module: nn.Module) -> None:
    if isinstance(module, OffsetIdentityConv):
        module.identity.zero_()


def unit_scale(module: nn.Module) -> None:
    if isinstance(module, Factor):
        module.factor.fill_(1)


def bare_identity(block: ReparamBlock, x: Tensor) -> Tensor:
    """An identity in each group's first rows, as nn.init.dirac_ leaves a grouped weight."""
    groups = block.geometry.groups
    weight = nn.init.dirac_(x.new_empty(x.shape[1], x.shape[1] // groups, 1, 1))
    y: Tensor = functional.conv2d(x, weight, groups=groups)
    return y


def box_sum(x: Tensor) -> Tensor:
    return functional.avg_pool2d(x, 3, 1, 1) * 9


def channels_transposed(block: ReparamBlock, x: Tensor) -> Tensor:
    weight, bias = kernel_by_impulses(block, BLOCKS["normed"])
    return convolve(x, weight.permute(1, 0, 2, 3), bias)


def bias_behind_norm(block: ReparamBlock, x: Tensor) -> Tensor:
    total: Tensor = block(x) * 0
    for branch in block.branches:
        bias = conv_in(branch).bias if is_conv(branch) else None
        if bias is None:
            total += branch(x)
        else:
            raw = functional.conv2d(x, conv_in(branch).weight, None, padding=branch.kernel_size[0] // 2)
            total += norm_in(branch)(raw) + bias.view(-1, 1, 1)
    return total


def undilated(block: ReparamBlock, x: Tensor) -> Tensor:
    total: Tensor = block(x) * 0
    for branch in block.branches:
        conv = conv_in(branch)
        y = convolve(x, conv.weight, conv.bias, stride=branch.geometry.stride, groups=conv.groups)
        total += norm_in(branch)(y) if branch.get("norm") else y
    return total


LINEAR: dict[str, tuple[str, Callable[[ReparamBlock, Tensor], Tensor]]] = {
    "1x1-unpadded": (
        "default",
        lambda block, x: with_each(block, x, is_conv, lambda branch, x: branch(box_sum(x))),
    ),
    "1x1-off-centre": (
        "grouped",
        lambda block, x: with_each(block, x, is_conv, lambda branch, x: branch(shifted(x))),
    ),
    "1x1-missing": ("normed", lambda block, x: with_each(block, x, is_conv, lambda branch, x: x * 0)),
    "1x1-bias-lost": (
        "normed",
        lambda block, x: with_each(block, x, is_conv, lambda branch, x: branch(x) - branch(x * 0)),
    ),
    "identity-off-centre": (
        "depthwise",
        lambda block, x: with_each(block, x, is_identity, lambda branch, x: branch(shifted(x))),
    ),
    "identity-missing": (
        "normed",
        lambda block, x: with_each(block, x, is_identity, lambda branch, x: x * 0),
    ),
    "identity-twice": (
        "grouped",
        lambda block, x: with_each(block, x, is_identity, lambda branch, x: branch(x) + branch(x)),
    ),
    "identity-column": (
        "grouped",
        lambda block, x: with_each(
            block, x, is_identity, lambda branch, x: norm_in(branch)(bare_identity(block, x))
        ),
    ),
    "identity-norm-lost": (
        "grouped",
        lambda block, x: with_each(block, x, is_identity, lambda branch, x: x),
    ),
    "channels-transposed": ("normed", channels_transposed),
    "taps-transposed": ("grouped", lambda block, x: block(x.transpose(2, 3)).transpose(2, 3)),
    "flipped": ("grouped", lambda block, x: block(x.flip(2, 3)).flip(2, 3)),
    "bias-unscaled": ("normed", bias_behind_norm),
    "conv-bias-dropped": ("sequences", lambda block, x: edited(block, zero_bias)(x)),
    "bias-lost": ("sequences", lambda block, x: block(x) - block(x * 0)),
    "mean-ignored": ("sequences", lambda block, x: edited(block, zero_mean)(x)),
    "var-not-rooted": ("post norm", lambda block, x: edited(block, square_var)(x)),
    "eps-1e-3": ("sequences", lambda block, x: edited(block, yolo_eps)(x)),
    "var-unbiased": ("sequences", lambda block, x: edited(block, unbiased_var)(x)),
    "dilation-dropped": ("dilated", undilated),
    "scale-forgotten": ("sequences", lambda block, x: edited(block, unit_scale)(x)),
    "post-norm-forgotten": (
        "post norm",
        lambda block, x: with_each(block, x, lambda _: False, lambda branch, x: x),
    ),
}


@pytest.mark.parametrize("name", LINEAR)
@torch.no_grad()
def test_the_kernel_is_what_the_mistake_makes_of_the_block(name: str) -> None:
    title, told = LINEAR[name]
    block, x = filled_block(BLOCKS[title]), filled_input(BLOCKS[title])
    wrong = wrongly_fused(name, block, x)
    assert wrong.block is block
    assert_same(fused_output(wrong, x), told(block, x))


@torch.no_grad()
def test_the_identity_of_idconv_is_left_out() -> None:
    spec = replace(EIGHT, branches=parse_branches("1x1-kxk+idconv+inner-bias"))
    block, x = filled_block(spec), filled_input(spec)
    wrong = wrongly_fused("idconv-raw", block, x)
    assert_same(fused_output(wrong, x), edited(block, no_identity)(x))


def test_dilated_small_convs_lose_their_gaps() -> None:
    spec = BLOCKS["small and dilated"]
    block, x = filled_block(spec), filled_input(spec)
    with torch.no_grad():
        assert_same(fused_output(wrongly_fused("dilation-dropped", block, x), x), undilated(block, x))


@torch.no_grad()
def test_a_norm_without_gamma_and_beta_can_be_folded_wrongly_too() -> None:
    spec = replace(EIGHT, branches=parse_branches("kxk+norm"))
    block, x = filled_block(spec), filled_input(spec)
    (branch,) = block.branches
    norm = nn.BatchNorm2d(8, affine=False).double().eval()
    branch.replace_layer("norm", Norm(norm, 8))
    assert norm.running_var is not None
    norm.running_var.copy_(torch.linspace(0.1, 2, 8))
    assert_same(fused_output(wrongly_fused("var-not-rooted", block, x), x), edited(block, square_var)(x))
    conv = conv_in(branch)
    assert conv.bias is not None
    bare = functional.conv2d(x, conv.weight, padding=1)
    told = norm(bare) + conv.bias.view(-1, 1, 1)
    assert_same(fused_output(wrongly_fused("bias-unscaled", block, x), x), told)


@torch.no_grad()
def test_a_variance_is_unbiased_by_the_values_that_its_batch_norm_sees() -> None:
    spec = replace(BLOCKS["strided"], post_norm=True, batch_size=3, input_shape=(7, 10))
    block, x = filled_block(spec), filled_input(spec)
    seen = {}

    def count(norm: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        seen[norm] = inputs[0].numel() / inputs[0].shape[1]

    other = copy.deepcopy(block)
    for norm in norms(other):
        norm.register_forward_pre_hook(count)
    other(x)
    assert set(seen.values()) == {3 * 7 * 10, 3 * 4 * 5}
    for module, values in seen.items():
        module.get_buffer("running_var").mul_(values / (values - 1))
    assert_same(fused_output(wrongly_fused("var-unbiased", block, x), x), other(x))


# Mistakes of the unfused side: the kernel is right, another block is run.


@pytest.mark.parametrize("name", ["train-mode", "zero-border", "average-uncounted"])
def test_the_kernel_stays_right_where_the_unfused_side_is_wrong(name: str) -> None:
    block, x = filled_block(BLOCKS["sequences"]), filled_input(BLOCKS["sequences"])
    wrong = wrongly_fused(name, block, x)
    with torch.no_grad():
        assert_same(fused_output(wrong, x), block(x))


@torch.no_grad()
def test_train_mode_is_torchs_and_gives_the_same_each_time() -> None:
    block, x = filled_block(BLOCKS["normed"]), filled_input(BLOCKS["normed"])
    wrong = wrongly_fused("train-mode", block, x)
    first = wrong.block(x)
    assert torch.equal(first, wrong.block(x))
    assert_same(first, copy.deepcopy(block).train()(x))


@torch.no_grad()
def test_train_mode_gives_the_same_each_time_with_an_inner_norm() -> None:
    block, x = filled_block(BLOCKS["sequences"]), filled_input(BLOCKS["sequences"])
    wrong = wrongly_fused("train-mode", block, x)
    assert torch.equal(wrong.block(x), wrong.block(x))


@torch.no_grad()
def test_zeros_stand_behind_the_1x1() -> None:
    spec = replace(EIGHT, branches=parse_branches("1x1-kxk+inner"))
    block, x = filled_block(spec), filled_input(spec)
    (branch,) = block.branches
    second = conv_in(branch, "second")
    behind = functional.conv2d(run_first(branch, x), second.weight, second.bias, padding=1)
    assert_same(wrongly_fused("zero-border", block, x).block(x), behind)


@pytest.mark.parametrize(("size", "stride"), [(3, 1), (5, 1), (3, 2), (5, 3)])
@torch.no_grad()
def test_the_average_counts_as_torch_does_without_the_padding(size: int, stride: int) -> None:
    spec = replace(EIGHT, branches=parse_branches("avg"), kernel_size=(size, size), stride=(stride, stride))
    block, x = filled_block(spec), filled_input(spec)
    inside_only = functional.avg_pool2d(x, size, stride, size // 2, count_include_pad=False)
    assert_same(wrongly_fused("average-uncounted", block, x).block(x), inside_only)


# What is said to hide a mistake hides it.


@torch.no_grad()
def reset_norms(block: ReparamBlock) -> None:
    for norm in norms(block):
        norm.reset_parameters()


@torch.no_grad()
def drop_biases(block: ReparamBlock) -> None:
    for conv in convs(block):
        zero_bias(conv)


@torch.no_grad()
def unit_scales(block: ReparamBlock) -> None:
    for module in block.modules():
        unit_scale(module)


@torch.no_grad()
def take_statistics(block: ReparamBlock, x: Tensor) -> None:
    """Doing statistics that are the input's own: the biased variance, as train mode divides by."""
    for norm in norms(block):
        norm.momentum = 1.0
    block.train()(x)
    block.eval()
    count = x.numel() // x.shape[1]
    for norm in norms(block):
        assert norm.running_var is not None
        norm.running_var.mul_((count - 1) / count)


NOTHING = 1e-12
EPS_ONLY = 1e-4
ONE_IN_2000 = 5e-4


def parts(
    name: str, spec: BlockSpec, *edits: Callable[[ReparamBlock], None], x: Tensor | None = None
) -> Tensor:
    """|d| in parts of the largest |y|."""
    block = filled_block(spec)
    for edit in edits:
        edit(block)
    x = filled_input(spec) if x is None else x
    return difference(name, block, x).abs() / max(1e-3, float(block(x).detach().abs().max()))


def zeros(spec: BlockSpec) -> Tensor:
    return torch.zeros(spec.input_nchw, dtype=torch.float64)


@pytest.mark.parametrize(
    ("name", "text", "edits", "left"),
    [
        ("1x1-bias-lost", "kxk,1x1+norm-bias", [reset_norms], NOTHING),
        ("identity-norm-lost", "kxk,identity+norm", [reset_norms], EPS_ONLY),
        ("bias-unscaled", "kxk+norm,1x1-kxk+inner", [drop_biases], NOTHING),
        ("bias-unscaled", "kxk+norm,1x1-kxk+inner", [reset_norms], EPS_ONLY),
        ("conv-bias-dropped", "kxk,1x1+norm", [drop_biases], NOTHING),
        ("bias-lost", "kxk+norm,1x1,identity+norm", [drop_biases, reset_norms], NOTHING),
        ("mean-ignored", "kxk+norm,1x1-kxk+inner", [reset_norms], NOTHING),
        ("var-not-rooted", "kxk+norm,1x1-kxk+inner", [reset_norms], EPS_ONLY),
        ("zero-border", "kxk,1x1-kxk+inner", [drop_biases, reset_norms], NOTHING),
        ("scale-forgotten", "kxk+alpha,1x1+gamma", [unit_scales], NOTHING),
    ],
)
def test_values_that_hide_it(
    name: str, text: str, edits: list[Callable[[ReparamBlock], None]], left: float
) -> None:
    spec = replace(EIGHT, branches=parse_branches(text))
    assert float(parts(name, spec).max()) > 2 * left
    assert float(parts(name, spec, *edits).max()) < left


def test_a_post_norm_that_starts_hides_that_it_is_forgotten() -> None:
    spec = BLOCKS["post norm"]
    assert EPS_ONLY > float(parts("post-norm-forgotten", spec, reset_norms).max()) > 1e-7


def test_another_eps_shows_where_the_variance_is_small() -> None:
    spec = replace(EIGHT, branches=parse_branches("kxk-bias+norm"))

    @torch.no_grad()
    def shrink(block: ReparamBlock) -> None:
        reset_norms(block)
        for norm in norms(block):
            assert norm.running_var is not None
            norm.running_var.fill_(1e-4)

    assert float(parts("eps-1e-3", spec, reset_norms).max()) < ONE_IN_2000
    largest = float(parts("eps-1e-3", spec, shrink).max())
    assert largest == pytest.approx(1 - 10**-0.5, rel=1e-6)  # the right scale is sqrt(10) times the wrong


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("1x1-missing", "kxk,1x1-bias,identity"),
        ("identity-missing", "kxk,1x1,identity"),
        ("identity-twice", "kxk,1x1,identity"),
        ("idconv-raw", "kxk,1x1-kxk+idconv+inner"),
    ],
)
def test_an_input_of_zeros_hides_it(name: str, text: str) -> None:
    spec = replace(EIGHT, branches=parse_branches(text))
    assert float(parts(name, spec, x=zeros(spec)).max()) < NOTHING


def test_a_single_pixel_hides_a_1x1_at_every_tap() -> None:
    spec = replace(BlockSpec(), input_shape=(1, 1))
    assert float(parts("1x1-unpadded", spec).max()) < NOTHING


ONE_VALUE = ["1x1-off-centre", "identity-off-centre", "taps-transposed", "flipped", "dilation-dropped"]


@pytest.mark.parametrize("name", ONE_VALUE)
def test_a_constant_input_shows_it_at_the_border_only(name: str) -> None:
    spec = replace(NORMED, input=InputFill.ONES)
    if name == "dilation-dropped":
        spec = replace(spec, dilation=(2, 2))
    d = parts(name, spec)
    assert float(inside(d, 2).max()) < NOTHING
    assert float(d.max()) > 1e-3


@pytest.mark.parametrize("mode", [PaddingMode.CIRCULAR, PaddingMode.REPLICATE])
@pytest.mark.parametrize("name", ["1x1-off-centre", "identity-off-centre"])
def test_a_constant_input_that_goes_on_outside_hides_it(name: str, mode: PaddingMode) -> None:
    spec = replace(NORMED, input=InputFill.ONES, padding_mode=mode)
    assert float(parts(name, spec).max()) < NOTHING


@pytest.mark.parametrize("name", ["channels-transposed", "taps-transposed", "flipped"])
def test_constant_weights_hide_it(name: str) -> None:
    assert float(parts(name, replace(BlockSpec(), weights=WeightFill.ONES)).max()) < NOTHING


def test_zeros_behind_the_first_group_hide_a_misplaced_identity() -> None:
    spec = BLOCKS["grouped"]
    x = filled_input(spec)
    x[:, 2:] = 0
    assert float(parts("identity-column", spec, x=x).max()) < NOTHING


def test_an_input_with_the_running_statistics_hides_train_mode() -> None:
    spec = replace(NORMED, post_norm=True)
    x = filled_input(spec)
    assert float(parts("train-mode", spec, lambda block: take_statistics(block, x), x=x).max()) < NOTHING


def test_a_dark_border_hides_what_an_average_counts() -> None:
    spec = replace(EIGHT, branches=parse_branches("kxk,avg"))
    x = zeros(spec)
    x[:, :, 2:-2, 2:-2] = inside(filled_input(spec), 2)
    assert float(parts("average-uncounted", spec, x=x).max()) < NOTHING
