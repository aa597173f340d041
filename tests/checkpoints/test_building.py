"""A found block with the file's numbers: dtypes, eps, what its numbers should not be, and its study."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from tests.checkpoints.families.every_block import STATES
from tests.checkpoints.families.held_against import only_block, ready, recognised, state_of
from tests.checkpoints.families.repvgg_modules import mobileone, repvgg
from tui import study_of
from tui.checkpoints.building import block_of, built, fused_tensors
from tui.checkpoints.inspection.eps_change import worst_change
from tui.fusion.grammar.branch_text import parse_branches
from tui.fusion.kernel import FusionError
from tui.fusion.specs.block_spec import BlockSpec
from tui.fusion.specs.layer_spec import LayerSpec


def repvgg_state(channels: int = 6) -> dict[str, Tensor]:
    return state_of(ready(repvgg("RepVGG", channels, channels)), "b")


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
def test_the_fused_tensors_have_the_files_dtype_and_are_rounded_once(dtype: torch.dtype) -> None:
    state = {name: t.to(dtype) if t.is_floating_point() else t for name, t in repvgg_state().items()}
    found = only_block(state)
    assert found.dtype == str(dtype).removeprefix("torch.")
    tensors = fused_tensors(found, block_of(found, state.__getitem__))
    assert {tensor.dtype for tensor in tensors.values()} == {dtype}
    exact = {name: tensor.double() for name, tensor in state.items()}
    wide = fused_tensors(only_block(exact), block_of(only_block(exact), exact.__getitem__))
    for name, tensor in tensors.items():
        torch.testing.assert_close(tensor, wide[name].to(dtype), rtol=0, atol=0)


def test_statistics_in_float32_beside_weights_in_float16_lose_nothing() -> None:
    state = {name: t.half() if "conv" in name else t.float() for name, t in repvgg_state().items()}
    found = only_block(state)
    block = block_of(found, state.__getitem__)
    assert (found.dtype, block.dtype) == ("float16", torch.float32)
    assert {tensor.dtype for tensor in fused_tensors(found, block).values()} == {torch.float16}


@pytest.mark.parametrize("eps", [1e-5, 1e-3, 0.0])
def test_eps_is_the_familys_or_the_one_that_is_given(eps: float) -> None:
    module = ready(repvgg("RepVGG", 6, 6), eps=eps)
    state = state_of(module)
    found = only_block(state)
    x = torch.rand(1, 6, 7, 7, dtype=torch.float64)
    expected = module(x)
    torch.testing.assert_close(
        block_of(found, state.__getitem__, eps=eps)(x), expected, rtol=1e-10, atol=1e-9
    )
    by_family = block_of(found, state.__getitem__)(x)
    assert torch.allclose(by_family, expected, rtol=1e-10, atol=1e-9) == (eps == found.eps == 1e-5)


def test_the_block_takes_the_files_tensors_as_they_are() -> None:
    state = repvgg_state()
    before = {name: tensor.clone() for name, tensor in state.items()}
    found = only_block(state)
    block = block_of(found, state.__getitem__)
    assert not block.training
    fused_tensors(found, block)
    torch.testing.assert_close(state, before, rtol=0, atol=0)
    weight = state["b.rbr_dense.conv.weight"]
    assert any(parameter.data_ptr() == weight.data_ptr() for parameter in block.parameters())


def test_it_is_built_in_another_dtype_on_wish() -> None:
    state = repvgg_state()
    found = only_block(state)
    assert block_of(found, state.__getitem__, dtype=torch.float32).dtype == torch.float32


def test_each_tensor_is_read_once_and_no_other() -> None:
    state = repvgg_state() | {"other.weight": torch.zeros(1)}
    read: list[str] = []

    def note(name: str) -> Tensor:
        read.append(name)
        return state[name]

    found = only_block(state)
    block_of(found, note)
    assert sorted(read) == sorted(name for name in found.reads if not name.endswith("num_batches_tracked"))


def test_a_study_of_a_block_from_a_file_agrees() -> None:
    state = {name: t.float() if t.is_floating_point() else t for name, t in repvgg_state(4).items()}
    found = only_block(state)
    study = study_of(block_of(found, state.__getitem__), torch.rand(1, 4, 6, 6))
    assert study.verdict.ruling.agrees


@pytest.mark.parametrize("state", STATES)
def test_every_kind_of_block_can_be_studied(state: dict[str, Tensor]) -> None:
    for found in recognised(state, conv_bn=True).blocks:
        x = torch.rand(1, found.in_channels, 6, 5, dtype=torch.float64)
        study = study_of(block_of(found, state.__getitem__), x)
        assert study.verdict.ruling.agrees, found.family


def in_numbers(layer: LayerSpec) -> tuple[object, ...]:
    """A layer without its name and eps, which a text does not have."""
    chains = tuple(tuple(map(in_numbers, chain.layers)) for chain in layer.chains)
    bias = layer.kind != "norm" and layer.bias
    channels = layer.in_channels, layer.out_channels
    return layer.kind, *channels, layer.kernel_size, layer.dilation, layer.groups, bias, chains


@pytest.mark.parametrize("state", STATES)
def test_the_text_of_a_block_says_all_its_layers(state: dict[str, Tensor]) -> None:
    for found in recognised(state, conv_bn=True).blocks:
        spec = BlockSpec(
            in_channels=found.in_channels,
            out_channels=found.out_channels,
            kernel_size=found.kernel_size,
            groups=found.groups,
            branches=parse_branches(found.branches_text),
        )
        for written, branch in zip(spec.chains, found.branches, strict=True):
            assert written.zeros_between == branch.chain.zeros_between
            layers = [in_numbers(layer) for layer in branch.chain.layers]
            assert [in_numbers(layer) for layer in written.layers] == layers


def test_a_block_of_many_branches_is_studied_by_their_names() -> None:
    state = state_of(ready(mobileone("MobileOne (timm)", 4, 4, 3, groups=4, branches=2)))
    found = only_block(state)
    study = study_of(block_of(found, state.__getitem__), torch.rand(1, 4, 6, 6, dtype=torch.float64))
    names = [branch.name for branch in found.branches]
    assert names == ["conv_kxk.0", "conv_kxk.1", "conv_scale", "identity"]
    assert [branch.label for branch in study.spec.branches] == names


@pytest.mark.parametrize(
    ("name", "value", "what", "unfusable"),
    [
        ("rbr_dense.conv.weight", math.nan, "NaN", True),
        ("rbr_1x1.bn.weight", math.inf, "infinite", True),
        ("rbr_identity.running_var", -1.0, "negative", True),
        ("rbr_identity.running_var", 0.0, "zero", False),
    ],
)
def test_numbers_that_a_block_should_not_have(name: str, value: float, what: str, unfusable: bool) -> None:
    state = repvgg_state()
    full = f"b.{name}"
    state[full].view(-1)[-1] = value
    made = built(only_block(state), state.__getitem__)
    (problem,) = made.problems
    last = tuple(size - 1 for size in state[full].shape)
    assert (problem.name, problem.what, problem.count, problem.first) == (full, what, 1, last)
    assert problem.unfusable == unfusable
    fused = fused_tensors(made.found, made.block).values()
    assert all(bool(tensor.isfinite().all()) for tensor in fused) != unfusable
    assert full in problem.words
    assert what in problem.words


def test_a_fixed_kernel_that_differs_between_channels_is_refused() -> None:
    from tests.checkpoints.families.test_super_resolution import EdgeBlock

    state = state_of(ready(EdgeBlock("conv3x3", (3, 8))), "b")
    found = only_block(state)
    state["b.conv1x1_sbx.mask"][3, 0, 1, 1] = 5
    with pytest.raises(FusionError, match=r"b.conv1x1_sbx.mask is not the same kernel in each channel"):
        block_of(found, state.__getitem__)


def test_the_worst_channels_change_of_scale() -> None:
    variances = {"a.running_var": torch.tensor([1.0, 4.0]), "b.running_var": torch.tensor([2.0, 1e-4, 3.0])}
    found = worst_change([*variances, "b.weight"], variances.__getitem__)
    assert found is not None
    assert (found.name, found.channel) == ("b.running_var", 1)
    assert found.factor == pytest.approx(3.1623, abs=1e-4)
    plain = worst_change(["a.running_var"], variances.__getitem__)
    assert plain is not None
    assert plain.factor == pytest.approx(1.000495, abs=1e-6)
    assert worst_change(["b.weight"], variances.__getitem__) is None


def test_variances_that_are_none_are_passed_over() -> None:
    variances = torch.tensor([math.nan, -1.0, math.inf, 1e-4])
    found = worst_change(["a.running_var"], lambda _: variances)
    assert found is not None
    assert found.channel == 3
    assert worst_change(["a.running_var"], lambda _: variances[:2]) is None
