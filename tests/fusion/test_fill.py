"""The values of weights, batch norms and inputs: the same on every machine, and what their names promise."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from tests.fusion.layer_parts import conv_in, norm_in
from tests.fusion.strategies import filled_block, filled_input, specs
from tui.fusion.fill import make_input
from tui.fusion.grammar.branch_text import parse_branches
from tui.fusion.layers import Layer
from tui.fusion.specs.block_spec import (
    BlockSpec,
    BranchKind,
    BranchSpec,
    Dtype,
    InputFill,
    PaddingMode,
    WeightFill,
)
from tui.fusion.specs.branch_spec import names_of
from tui.fusion.specs.padding import SAME


def tensors_of(layer: Layer, name: str) -> dict[str, Tensor]:
    """By the layer's name and their own: "conv.weight", "alpha"."""
    return {
        f"{name}.{key.rpartition('.')[2]}".removesuffix(".factor"): tensor
        for key, tensor in layer.state_dict().items()
    }


def values_of(spec: BlockSpec) -> dict[str, Tensor]:
    """Every parameter and statistic by branch and name."""
    return {
        f"{branch.name}.{name}": value
        for branch in filled_block(spec).branches
        for layer, each in branch.all_layers()
        for name, value in tensors_of(each, layer).items()
    }


def without_averages(branches: tuple[BranchSpec, ...]) -> tuple[BranchSpec, ...]:
    """The branches with convolutions where there was pooling: a ninth is no sum of powers of two."""
    instead = {
        BranchKind.AVERAGE: BranchKind.KXK,
        BranchKind.POINTWISE_AVERAGE: BranchKind.POINTWISE_KXK,
    }
    return tuple(
        replace(branch, kind=instead.get(branch.kind, branch.kind), padding=None) for branch in branches
    )


@given(specs(), st.booleans())
def test_exact_values_leave_no_difference_at_all(spec: BlockSpec, double: bool) -> None:
    spec = replace(spec, weights=WeightFill.INTEGERS, input=InputFill.INTEGERS)
    if any("avg" in branch.kind for branch in spec.branches):
        # With a dilation now, which may reach further than the input.
        spec = replace(
            spec, branches=without_averages(spec.branches), padding_mode=PaddingMode.ZEROS, padding=SAME
        )
    dtype = torch.float64 if double else torch.float32
    block, x = filled_block(spec).to(dtype), filled_input(spec).to(dtype)
    with torch.no_grad():
        assert torch.equal(block.fuse()(x), block(x))


def test_exact_values_with_batch_norm_are_not_trivial() -> None:
    values = values_of(BlockSpec(8, 8, weights=WeightFill.INTEGERS).with_branches(batch_norm=True))
    for name in ("weight", "bias", "running_mean", "running_var"):
        norm = values[f"kxk.norm.{name}"]
        assert len(set(norm.tolist())) > 1
        assert bool((norm * 4 == (norm * 4).round()).all())
    root = (values["kxk.norm.running_var"] + 0.25).sqrt()
    assert bool((root.log2() == root.log2().round()).all())


def test_random_batch_norms_are_far_from_the_default_ones() -> None:
    values = values_of(BlockSpec(64, 64).with_branches(batch_norm=True))
    for name, default, spread in (
        ("weight", 1, 0.5),
        ("bias", 0, 0.5),
        ("running_mean", 0, 0.5),
        ("running_var", 1, 0.75),
    ):
        off = (values[f"identity.norm.{name}"] - default).abs()
        assert spread / 3 < float(off.mean()) < float(off.max()) <= spread
    assert float(values["kxk.norm.running_var"].min()) > 0.2


def test_random_weights_are_within_torchs_own_bound() -> None:
    weight = values_of(BlockSpec(32, 32, kernel_size=(3, 5), groups=2))["kxk.conv.weight"]
    bound = 1 / math.sqrt(16 * 3 * 5)
    assert 0.99 * bound < float(weight.max()) < bound
    assert 0.99 * bound < -float(weight.min()) <= bound


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("kxk.conv.weight", [0.22158511006300413, 0.09796722358823923, -0.019147064230946104]),
        ("kxk.conv.bias", [0.03395984506386456, -0.009037096577277732]),
        ("kxk.norm.weight", [1.2960586083404881, 0.8679702043294857]),
        ("1x1.conv.weight", [-0.6207644120507653, -0.38953875250657805]),
        ("1x1.norm.bias", [0.07977625634149199, -0.0033326881833466437]),
        ("identity.norm.running_mean", [0.4132577517206365, 0.025712086881006013]),
        ("identity.norm.running_var", [0.430610441348092, 0.6504209899548605]),
    ],
)
def test_random_values_are_the_same_on_every_machine(name: str, first: list[float]) -> None:
    values = values_of(BlockSpec().with_branches(batch_norm=True))
    assert values[name].flatten()[: len(first)].tolist() == first


def test_the_random_input_is_the_same_on_every_machine() -> None:
    first = make_input(BlockSpec(dtype=Dtype.FLOAT64)).flatten()[:3]
    expected = [-0.21774879177876416, 0.1466771298110492, 0.6690811213485476]
    assert first.tolist() == pytest.approx(expected, rel=1e-14)  # log and cos are libm's


def test_ones_are_ones() -> None:
    values = values_of(BlockSpec(weights=WeightFill.ONES))
    assert {float(value) for tensor in values.values() for value in tensor.flatten()} == {1.0}


def test_a_spec_has_the_same_values_each_time() -> None:
    spec = BlockSpec().with_branches(batch_norm=True)
    one, other = values_of(spec), values_of(spec)
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert torch.equal(make_input(spec), make_input(spec))


@pytest.mark.parametrize("seed", [1, 2**30, 2**31, 2**32, 2**62, 2**63 - 1])
def test_another_seed_gives_other_values(seed: int) -> None:
    spec = replace(BlockSpec().with_branches(batch_norm=True), seed=seed)
    own, first = values_of(spec), values_of(replace(spec, seed=0))
    assert not torch.equal(make_input(spec), make_input(replace(spec, seed=0)))
    for name in ("kxk.conv.weight", "1x1.conv.weight", "identity.norm.running_mean"):
        assert not torch.equal(own[name], first[name])


def test_branches_and_input_do_not_draw_the_same_numbers() -> None:
    values = values_of(BlockSpec(kernel_size=(1, 1)))
    assert not torch.equal(values["kxk.conv.weight"], values["1x1.conv.weight"])


@given(specs())
def test_switching_a_branch_off_leaves_the_others_values(spec: BlockSpec) -> None:
    wide = [size + 40 for size in spec.input_shape]  # in which a branch alone has an output, too
    branches = tuple(replace(branch, padding=None) for branch in spec.branches)
    spec = replace(spec, input_shape=(wide[0], wide[1]), branches=branches)
    every = values_of(spec)
    for title in {branch.title for branch in spec.branches}:
        kept = tuple(branch for branch in spec.branches if branch.title == title)
        alone = values_of(replace(spec, branches=kept))
        names = names_of(kept)
        assert set(alone) == {name for name in every if name.partition(".")[0] in names}
        assert all(torch.equal(value, every[name]) for name, value in alone.items())


def test_a_second_branch_of_a_kind_draws_its_own_values_and_leaves_the_firsts() -> None:
    one, two = (values_of(BlockSpec(branches=parse_branches(text))) for text in ("5x5", "5x5,5x5"))
    assert torch.equal(two["5x5 #1.conv.weight"], one["5x5.conv.weight"])
    assert not torch.equal(two["5x5 #1.conv.weight"], two["5x5 #2.conv.weight"])


@pytest.mark.parametrize("weights", [WeightFill.RANDOM, WeightFill.INTEGERS])
@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("kxk+norm+gamma", "kxk+gamma"),
        ("kxk+norm+gamma", "kxk+norm"),
        ("1x1-kxk+norm+inner+alpha", "1x1-kxk+norm+alpha"),
        ("1x1-kxk+norm+inner+gamma", "1x1-kxk+inner-bias+gamma"),
        ("1x1-kxk+norm+idconv", "1x1-kxk+norm"),
        ("1x1-avg+inner", "1x1-avg"),
        ("avg+norm", "avg+norm+gamma"),
    ],
)
def test_switching_an_option_leaves_the_other_values(text: str, other: str, weights: WeightFill) -> None:
    with_option, without = (
        values_of(BlockSpec(8, 8, branches=parse_branches(branches), weights=weights))
        for branches in (text, other)
    )
    common = set(with_option) & set(without)
    assert common
    assert all(torch.equal(with_option[name], without[name]) for name in common)


def test_no_two_parts_of_a_block_draw_the_same_numbers() -> None:
    text = "kxk,kxk,3x3,1x1-kxk+inner+norm,1x1-kxk,avg+norm,1x1-avg+norm+inner,identity+norm"
    spec = BlockSpec(8, 8, branches=parse_branches(text), post_norm=True)
    block = filled_block(spec)
    means = [norm.running_mean for norm in block.modules() if isinstance(norm, nn.BatchNorm2d)]
    weights = [conv.weight.detach().flatten() for conv in block.modules() if isinstance(conv, nn.Conv2d)]
    firsts = {float(tensor[0]) / float(tensor[1]) for tensor in (*means, *weights) if tensor is not None}
    assert len(firsts) == len(means) + len(weights) == 7 + 8


@pytest.mark.parametrize("weights", list(WeightFill))
@pytest.mark.parametrize(("option", "count"), [("alpha", 1), ("gamma", 64)])
def test_scales_are_not_trivial_and_exact_where_all_is(weights: WeightFill, option: str, count: int) -> None:
    spec = BlockSpec(64, 64, branches=parse_branches(f"kxk+{option}"), weights=weights)
    factors = values_of(spec)[f"kxk.{option}"]
    assert factors.numel() == count
    assert bool((factors != 1).all())
    assert bool(((factors >= 0.5) & (factors <= 1.5)).all())
    if weights is not WeightFill.RANDOM:
        assert set(factors.flatten().tolist()) <= {0.5, 1.5}
    if count > 1:
        assert len(set(factors.tolist())) > 1


def test_a_post_norm_has_statistics_of_its_own() -> None:
    block = filled_block(BlockSpec(64, 64, post_norm=True))
    assert isinstance(block.post_norm, nn.BatchNorm2d)
    for values, default in ((block.post_norm.running_mean, 0), (block.post_norm.running_var, 1)):
        assert values is not None
        assert float((values - default).abs().mean()) > 0.1


def test_switching_a_bias_off_leaves_the_batch_norms_values() -> None:
    normed = BlockSpec().with_branches(batch_norm=True)
    with_bias, without = values_of(normed), values_of(normed.with_branches(bias=False))
    assert set(with_bias) - set(without) == {"kxk.conv.bias", "1x1.conv.bias"}
    assert all(torch.equal(value, with_bias[name]) for name, value in without.items())


@given(specs())
def test_impulses_are_so_far_apart_that_an_output_sees_at_most_one(spec: BlockSpec) -> None:
    x = filled_input(replace(spec, input=InputFill.IMPULSES))
    assert set(x.flatten().tolist()) <= {0.0, 1.0}
    assert float(x.sum()) >= spec.batch_size
    reach = [d * (k - 1) + 1 for d, k in zip(spec.fused_dilation, spec.fused_kernel_size, strict=True)]
    wide = functional.pad(x.sum(dim=1, keepdim=True), (reach[1], reach[1], reach[0], reach[0]))
    seen = functional.conv2d(wide, torch.ones(1, 1, *reach, dtype=x.dtype))
    assert float(seen.max()) == 1.0


def test_a_ramp_counts_up_in_steps_of_a_power_of_two() -> None:
    x = make_input(BlockSpec(input=InputFill.RAMP, input_shape=(3, 5)))
    assert x.shape == (1, 2, 3, 5)
    assert (x.flatten() * 32).tolist() == list(range(30))
    single = BlockSpec(1, 1, input=InputFill.RAMP, input_shape=(1, 1))
    assert make_input(single).tolist() == [[[[0.0]]]]


def test_integer_and_one_inputs() -> None:
    x = make_input(BlockSpec(8, 8, input=InputFill.INTEGERS, input_shape=(20, 20)))
    assert set(x.flatten().tolist()) == set(range(-4, 5))
    assert set(make_input(BlockSpec(input=InputFill.ONES)).flatten().tolist()) == {1.0}


def test_the_random_input_is_normal() -> None:
    x = make_input(BlockSpec(8, 8, input_shape=(56, 56), dtype=Dtype.FLOAT64))
    assert abs(float(x.mean())) < 0.03
    assert float(x.var()) == pytest.approx(1, abs=0.05)
    assert float(x.abs().max()) > 3


@pytest.mark.parametrize("dtype", list(Dtype))
@pytest.mark.parametrize("fill", list(InputFill))
def test_the_input_has_the_specs_shape_and_dtype(dtype: Dtype, fill: InputFill) -> None:
    spec = BlockSpec(6, 6, input_shape=(5, 7), batch_size=3, dtype=dtype, input=fill)
    x = make_input(spec)
    assert x.shape == (3, 6, 5, 7)
    assert x.dtype is getattr(torch, dtype)


def test_batch_norm_statistics_have_their_names() -> None:
    """Those of a state_dict: what a checkpoint holds, so what a user may load here."""
    block = filled_block(BlockSpec(branches=(BranchSpec(BranchKind.KXK, batch_norm=True),)))
    (branch,) = block.branches
    assert norm_in(branch).eps == 1e-5
    statistics = {"weight", "bias", "running_mean", "running_var", "num_batches_tracked"}
    assert set(norm_in(branch).state_dict()) == statistics
    assert set(conv_in(branch).state_dict()) == {"weight", "bias"}
