"""A study: what it yields, what it holds, that it can be stopped, and that it sees a wrong fusion."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import FrozenInstanceError, replace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from torch import nn

import tui.analysis.study as study_module
import tui.analysis.verdict.runs as runs_module
from tests.fusion.strategies import specs
from tui.analysis.alterations.alterations import Alterations
from tui.analysis.cost import cost_of
from tui.analysis.progress import Doing
from tui.analysis.study import FusedKernels, Study, run_study, study_of
from tui.analysis.subject import Subject
from tui.analysis.verdict.runs import run
from tui.fusion.block import Folded, ReparamBlock
from tui.fusion.fill import make_input
from tui.fusion.grammar.branch_text import parse_branches
from tui.fusion.kernel import Kernel, add, dirac, pad_to
from tui.fusion.layers import Branch, Fold, Norm
from tui.fusion.specs.block_spec import BlockSpec, Dtype, InputFill, WeightFill
from tui.fusion.widening import dilate

norm_kernel = Norm.kernel
NORMED = BlockSpec(in_channels=4, out_channels=4, groups=2).with_branches(batch_norm=True)
MANY = replace(
    NORMED,
    branches=parse_branches("kxk+norm+alpha,identity+norm,3x3d2+g4,1x1-kxk+inner+norm,1x1-avg+idconv"),
)


@pytest.mark.parametrize(
    ("dtype", "steps"), [("float64", 5), ("float32", 8), ("bfloat16", 8), ("float16", 8)]
)
def test_progress_before_each_piece_and_one_study_at_the_end(dtype: str, steps: int) -> None:
    *pieces, last = run_study(Subject(replace(NORMED, dtype=Dtype(dtype))))
    assert isinstance(last, Study)
    doing = [piece for piece in pieces if isinstance(piece, Doing)]
    assert [piece.place for piece in doing] == [f"{number} of {steps}" for number in range(1, steps + 1)]
    assert len({piece.words for piece in doing}) == steps
    (kernels,) = (piece for piece in pieces if isinstance(piece, FusedKernels))
    assert pieces.index(kernels) == 2, "as soon as they are fused"
    assert (kernels.summands, kernels.fused_kernel) == (last.summands, last.fused_kernel)


@pytest.mark.usefixtures("without_onednn")
@given(specs(dtypes=tuple(Dtype)))
@settings(max_examples=30)
def test_every_block_agrees_in_every_dtype(spec: BlockSpec) -> None:
    result = study_of(spec)
    assert result.verdict.ruling.agrees
    assert result.outputs.unfused.shape == result.outputs.fused.shape == spec.output_nchw
    dtype = getattr(torch, spec.dtype)
    assert {tensor.dtype for tensor in (result.x, result.outputs.unfused, result.outputs.fused)} == {dtype}
    assert result.float64.max_abs_diff <= 1e-10 * max(1.0, result.float64.max_abs)


@pytest.mark.parametrize("dtype", list(Dtype))
def test_what_a_study_holds(dtype: Dtype) -> None:
    spec = replace(NORMED, dtype=dtype, kernel_size=(3, 2))
    result = study_of(spec)
    assert result.spec is spec
    assert result.cost == cost_of(spec)
    assert [branch.name for branch in result.summands] == ["kxk", "1x1", "identity"]
    assert [branch.kernel.kernel_size for branch in result.summands] == [(3, 2), (1, 1), (1, 1)]
    assert {branch.folds[-1].kernel for branch in result.summands} == {
        branch.kernel for branch in result.summands
    }
    assert result.fused_kernel.folds == ()
    assert {branch.kernel.weight.dtype for branch in result.summands} == {torch.float64}
    assert result.frame == result.fused_kernel.kernel.kernel_size == (3, 2)
    assert result.fused_kernel.kernel.weight.dtype is getattr(torch, dtype)
    assert torch.equal(result.conv.weight, result.fused_kernel.kernel.weight)
    assert torch.equal(result.x, make_input(spec))
    assert torch.equal(run(result.conv, result.x), result.outputs.fused)
    assert not result.outputs.unfused.requires_grad
    difference = (result.outputs.fused.double() - result.outputs.unfused.double()).abs()
    assert result.comparison.max_abs_diff == float(difference.max())


@given(specs())
@settings(max_examples=30)
def test_all_summands_in_the_frame_sum_to_the_fused_kernel(spec: BlockSpec) -> None:
    result = study_of(spec)
    fused = result.fused_kernel.kernel
    weight = sum(pad_to(branch.kernel, result.frame).weight for branch in result.summands)
    assert isinstance(weight, torch.Tensor)
    torch.testing.assert_close(fused.weight, weight, rtol=0, atol=1e-12)
    biases = [branch.kernel.bias for branch in result.summands if branch.kernel.bias is not None]
    assert (fused.bias is None) == (not biases)
    if fused.bias is not None:
        torch.testing.assert_close(fused.bias, torch.stack(biases).sum(dim=0), rtol=0, atol=1e-12)


def test_a_post_norm_is_the_last_summand() -> None:
    result = study_of(replace(NORMED, post_norm=True))
    assert [branch.name for branch in result.summands] == ["kxk", "1x1", "identity", "post norm"]
    last = result.summands[-1]
    assert last.kernel.weight.shape == (4, 2, 1, 1)
    assert last.magnitude.max_abs == 0
    assert last.kernel.bias is not None
    assert last.kernel.bias.abs().max() > 0


def test_the_branches_sum_to_the_fused_kernel() -> None:
    result = study_of(replace(NORMED, dtype=Dtype.FLOAT64))
    weight = result.summands[0].kernel.weight.clone()
    weight[:, :, 1:2, 1:2] += result.summands[1].kernel.weight + result.summands[2].kernel.weight
    torch.testing.assert_close(result.fused_kernel.kernel.weight, weight, rtol=0, atol=1e-15)


def test_magnitudes_belong_to_their_kernels() -> None:
    result = study_of(BlockSpec(weights=WeightFill.INTEGERS))
    for branch in (*result.summands, result.fused_kernel):
        assert branch.magnitude.max_abs == float(branch.kernel.weight.abs().max())
        assert branch.magnitude.count == branch.kernel.weight.numel()


def test_a_study_is_frozen_and_compared_by_identity() -> None:
    one, other = study_of(BlockSpec()), study_of(BlockSpec())
    assert one != other
    with pytest.raises(FrozenInstanceError):
        one.frame = (1, 1)  # type: ignore[misc]


def test_in_float64_the_values_have_float64s_digits() -> None:
    """Values that passed through float32 would add without rounding, and hide what float64 does."""
    result = study_of(BlockSpec(dtype=Dtype.FLOAT64))
    weight = result.summands[0].kernel.weight
    assert not torch.equal(weight, weight.float().double())


def test_in_float64_the_comparison_is_its_own_reference() -> None:
    result = study_of(replace(NORMED, dtype=Dtype.FLOAT64))
    assert result.float64 is result.comparison


@pytest.mark.parametrize("dtype", [Dtype.FLOAT32, Dtype.FLOAT64])
def test_exact_values_leave_no_difference(dtype: Dtype) -> None:
    spec = replace(NORMED, weights=WeightFill.INTEGERS, input=InputFill.INTEGERS, dtype=dtype)
    result = study_of(spec)
    assert result.comparison.max_abs_diff == result.float64.max_abs_diff == 0.0


@pytest.mark.parametrize("stop_after", range(1, 8))
def test_what_is_not_asked_for_does_not_run(stop_after: int, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    for name in ("build_block", "make_input", "conv_of", "run", "compare"):
        monkeypatch.setattr(study_module, name, _noting(done, name, getattr(study_module, name)))
    monkeypatch.setattr(runs_module, "run", vars(study_module)["run"])  # which runs both in float64
    pieces = [[], ["build_block", "make_input"], ["conv_of"], [], ["run"], ["run", "compare"], ["run"]]
    steps: Iterator[object] = run_study(Subject(BlockSpec()))
    for _ in range(stop_after):
        next(steps)
    assert done == [name for piece in pieces[:stop_after] for name in piece]
    steps.close()  # type: ignore[attr-defined]
    assert done == [name for piece in pieces[:stop_after] for name in piece]


def _noting(done: list[str], name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def noted(*args: Any, **kwargs: Any) -> Any:
        done.append(name)
        return function(*args, **kwargs)

    return noted


def _without_identity(kernels: list[tuple[str, Kernel]]) -> list[tuple[str, Kernel]]:
    return [(name, kernel) for name, kernel in kernels if name != "identity"]


def _identity_twice(kernels: list[tuple[str, Kernel]]) -> list[tuple[str, Kernel]]:
    return [*kernels, kernels[-1]]


def _spread_over_all_taps(kernels: list[tuple[str, Kernel]]) -> list[tuple[str, Kernel]]:
    return [(name, Kernel(kernel.weight.expand(-1, -1, 3, 3), kernel.bias)) for name, kernel in kernels]


def _without_bias(kernels: list[tuple[str, Kernel]]) -> list[tuple[str, Kernel]]:
    return [(name, kernel if name != "1x1" else Kernel(kernel.weight, None)) for name, kernel in kernels]


def _transposed(kernels: list[tuple[str, Kernel]]) -> list[tuple[str, Kernel]]:
    return [(name, Kernel(kernel.weight.transpose(2, 3), kernel.bias)) for name, kernel in kernels]


def _one_weight_off(kernels: list[tuple[str, Kernel]]) -> list[tuple[str, Kernel]]:
    name, kernel = kernels[0]
    weight = kernel.weight.clone()
    weight[1, 1, 0, 2] *= 1 + 1e-6
    return [(name, Kernel(weight, kernel.bias)), *kernels[1:]]


@pytest.mark.parametrize("dtype", list(Dtype))
@pytest.mark.parametrize(
    "mistake",
    [
        _without_identity,
        _identity_twice,
        _spread_over_all_taps,
        _without_bias,
        _transposed,
        _one_weight_off,
    ],
)
def test_a_wrong_fusion_disagrees_in_every_dtype(
    mistake: Callable[..., Any], dtype: Dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = ReparamBlock.folded

    def wrong(block: ReparamBlock) -> Folded:
        folded = right(block)
        kernels = mistake([(name, folds[-1].kernel) for name, folds in folded.summands])
        return Folded(folded.summands, add([kernel for _, kernel in kernels]))

    monkeypatch.setattr(ReparamBlock, "folded", wrong)
    assert not study_of(replace(NORMED, dtype=dtype)).verdict.ruling.agrees


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("layers.rescaling.Norm.kernel", lambda layer: dirac(layer.out_channels, layer.out_channels)),
        ("layers.rescaling.Norm.kernel", lambda layer: _folded(layer, eps=1e-3)),
        ("layers.rescaling.Norm.kernel", lambda layer: _folded(layer, eps=0.0)),
        ("layers.rescaling.Factor.kernel", lambda layer: dirac(layer.out_channels, layer.out_channels)),
        (
            "layers.rescaling.Norm.kernel",
            lambda layer: dirac(4, 4) if layer.name == "inner_norm" else norm_kernel(layer),
        ),
        ("layers.channelwise.dirac", lambda channels, groups, device: _doubled(channels, groups)),
        ("composition._bias", lambda first, second, groups: second.bias),
        ("composition._through_channels", lambda first, second, groups: second),
        ("layers.channelwise.average_pool", lambda channels, size, groups, device: dirac(channels, groups)),
    ],
    ids=[
        "no batch norm",
        "eps 1e-3",
        "eps 0",
        "no alpha",
        "no inner norm",
        "identity twice",
        "inner bias dropped",
        "1x1 dropped",
        "no pooling",
    ],
)
def test_a_wrong_piece_of_the_algebra_disagrees(
    name: str, wrong: Callable[..., Kernel], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"tui.fusion.{name}", wrong)
    assert not study_of(MANY).verdict.ruling.agrees


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("dilate", lambda kernel, dilation: pad_to(kernel, dilate(kernel, dilation).kernel_size)),
        ("ungroup", lambda kernel, groups, fewer: _repeated(kernel, groups // fewer)),
        ("scale", lambda kernel, factors: kernel),
    ],
)
def test_a_branch_brought_wrongly_to_the_sum_disagrees(
    name: str, wrong: Callable[..., Kernel], monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = replace(MANY, post_norm=True)
    assert study_of(spec).verdict.ruling.agrees
    monkeypatch.setattr(f"tui.fusion.block.{name}", wrong)
    assert not study_of(spec).verdict.ruling.agrees


def _repeated(kernel: Kernel, times: int) -> Kernel:
    return Kernel(kernel.weight.repeat(1, times, 1, 1), kernel.bias)


def _folded(layer: Norm, *, eps: float) -> Kernel:
    assert isinstance(layer.norm, nn.BatchNorm2d)
    right = layer.norm.eps
    layer.norm.eps = eps
    folded = norm_kernel(layer)
    layer.norm.eps = right
    return folded


def _doubled(channels: int, groups: int) -> Kernel:
    return Kernel(dirac(channels, groups).weight * 2, None)


def test_values_beyond_float16_are_told_and_do_not_blame_the_algebra() -> None:
    spec = BlockSpec(
        in_channels=2048,
        out_channels=1,
        kernel_size=(7, 7),
        branches=BlockSpec().branches[:2],
        weights=WeightFill.ONES,
        input=InputFill.ONES,
        dtype=Dtype.FLOAT16,
    )
    result = study_of(spec)
    assert result.comparison.non_finite > 0
    assert result.comparison.max_abs <= 65504
    assert result.float64.non_finite == 0
    assert result.float64.max_abs == 2048 * 50 + 2
    assert result.verdict.ruling.agrees


@pytest.mark.parametrize("mistake", ["", "1x1-missing", "train-mode"])
@pytest.mark.parametrize("dtype", [Dtype.FLOAT64, Dtype.BFLOAT16])
def test_a_block_is_folded_once(dtype: Dtype, mistake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folds = Branch.folds
    asked: list[str] = []

    def noted(branch: Branch) -> Iterator[Fold]:
        asked.append(branch.name)
        return folds(branch)

    monkeypatch.setattr(Branch, "folds", noted)
    study_of(replace(NORMED, dtype=dtype), Alterations(mistake=mistake))
    assert asked == ["kxk", "1x1", "identity"]
