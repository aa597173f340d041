"""The lines of PyTorch beside the steps: run, one after the other, they give each step's kernel."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from tests.analysis.steps.test_walkthrough import MANY, REPVGG
from tests.fusion.layers.test_chains import chains, randomised
from tests.fusion.strategies import specs
from tui.analysis.alterations.alterations import Alterations
from tui.analysis.numerics.float16 import Float16ThroughFloat32
from tui.analysis.steps.branch_names import BranchNames, suffixes_of
from tui.analysis.steps.step import Shows, Step
from tui.analysis.steps.walkthrough import Walkthrough, walkthrough
from tui.analysis.study import Study, study_of
from tui.fusion.block import ReparamBlock, build_block
from tui.fusion.grammar.branch_text import parse_branches
from tui.fusion.kernel import pad_to
from tui.fusion.layers import Branch, Convolution, Factor, Layer, Norm
from tui.fusion.presets import PRESETS
from tui.fusion.specs.block_spec import BlockSpec, Dtype, PaddingMode
from tui.fusion.specs.problems import InvalidSpecError

EVEN = BlockSpec(
    in_channels=4,
    out_channels=4,
    kernel_size=(4, 2),
    dilation=(2, 1),
    groups=2,
    branches=parse_branches("kxk+norm,identity,1x1,2x2+g4,avg,1x1-avg+inner,1x1-kxk+inner"),
    input_shape=(9, 8),
)


def steps_of(study: Study) -> tuple[Step, ...]:
    *_, walk = walkthrough(study)
    assert isinstance(walk, Walkthrough)
    return walk.steps


def named_tensors(study: Study) -> dict[str, Any]:
    """The parameters of the block in float64, by the names that the lines begin with."""
    names: dict[str, Any] = {"torch": torch, "nn": nn, "F": functional}
    names |= {"block": study.block, "x": study.x, "post": study.block64.post_norm}
    for branch, suffix in zip(
        study.block64.branches, suffixes_of(study.block64.branches).values(), strict=True
    ):
        called = BranchNames(branch, suffix)
        for layer in branch.layers:
            match layer:
                case Convolution():
                    own = called.kernel_of(layer)
                    names |= {own.weight: layer.conv.weight, own.bias: layer.conv.bias}
                    names[called.module_of(layer)] = layer.conv
                case Norm():
                    names[called.module_of(layer)] = layer.norm
                case Factor():
                    names[called.module_of(layer)] = layer.factor
                case _:
                    names[called.module_of(layer)] = layer
    return names


@contextmanager
def float64_by_default() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


@torch.no_grad()
def run_all(study: Study) -> dict[str, Any]:
    """Run the lines of each step and compare what they made with the step's kernel; the names at the end."""
    names = named_tensors(study)
    for step in steps_of(study):
        with float64_by_default(), Float16ThroughFloat32():
            exec(step.code.text, names)
        if step.shows is Shows.MAPS:
            break
        kernel = pad_to(step.after.kernel, step.after.frame)
        made = names[step.code.weight] if step.code.weight else None
        bias = names[step.code.bias] if step.code.bias else None
        told = f"{step.branch} {step.title}: {step.code.text}"
        if step.shows is Shows.BIASES:
            assert kernel.bias is not None
        else:
            assert made is not None, told
            assert made.shape == kernel.weight.shape, told
            assert torch.allclose(made, kernel.weight, rtol=1e-12, atol=1e-14), told
        if kernel.bias is not None:
            assert bias is not None, told
            assert torch.allclose(bias, kernel.bias, rtol=1e-12, atol=1e-13), told
    return names


@pytest.mark.parametrize(
    "spec",
    [
        MANY,
        EVEN,
        replace(REPVGG, padding_mode=PaddingMode.REFLECT),
        replace(REPVGG, kernel_size=(1, 1), branches=parse_branches("kxk,1x1,1x1-kxk+inner")),
        BlockSpec(kernel_size=(3, 2), stride=(2, 1), branches=parse_branches("kxk+norm,1x1+gamma")),
        BlockSpec(4, 8, groups=2, branches=parse_branches("1x1-kxk+inner+x2+g4,1xk")),
        *(PRESETS[name].spec.with_in_channels(8) for name in ("unireplknet", "dbb", "qarepvgg")),
    ],
    ids=lambda spec: "",
)  # fmt: skip
def test_the_lines_give_each_step(spec: BlockSpec) -> None:
    study = study_of(replace(spec, dtype=Dtype.FLOAT64, input_shape=(9, 9)))
    names = run_all(study)
    assert torch.allclose(names["fused"], study.outputs.fused, rtol=1e-12, atol=1e-12)


@given(specs(dtypes=tuple(Dtype)))
@settings(max_examples=30)
@pytest.mark.usefixtures("without_onednn")
def test_the_lines_give_each_step_of_any_block(spec: BlockSpec) -> None:
    study = study_of(spec)
    fused: Tensor = run_all(study)["fused"]
    assert fused.shape == study.outputs.fused.shape
    assert fused.dtype == study.outputs.fused.dtype
    eps = torch.finfo(fused.dtype).eps
    scale = float(study.outputs.fused.double().abs().max()) + float(study.budget.probable.max())
    difference = (fused.double() - study.outputs.fused.double()).abs().max()
    assert float(difference) <= 64 * eps * max(1.0, scale)


@given(st.lists(chains(4, 4), min_size=1, max_size=2), st.integers(0, 2**20))
@settings(max_examples=15, deadline=None)
def test_the_lines_give_each_step_of_any_layers(drawn: list[list[tuple[str, Layer]]], seed: int) -> None:
    branches = [Branch(f"b{place}", each) for place, each in enumerate(drawn)]
    block = ReparamBlock(branches).double().eval()
    randomised(block, seed)
    x = torch.rand(1, 4, 9, 8, dtype=torch.float64) - 0.5
    try:
        study = study_of(block, x)
    except InvalidSpecError:
        reject()
    steps = steps_of(study)
    assert all(step.check.passed for step in steps)
    fused: Tensor = run_all(study)["fused"]
    size = max(1.0, float(study.outputs.fused.abs().max()))
    assert torch.allclose(fused, study.outputs.fused, rtol=0, atol=1e-9 * size)


def test_the_last_line_says_what_it_gives() -> None:
    for alterations, says in ((Alterations(), True), (Alterations(mistake="identity-off-centre"), False)):
        study = study_of(replace(REPVGG, dtype=Dtype.FLOAT64), alterations)
        last = steps_of(study)[-1].code.text.splitlines()[-1]
        expression, _, said = last.partition("  # ")
        names = {"torch": torch, "x": study.x, "block": study.fusion.block, "fused": study.outputs.fused}
        with torch.no_grad():
            assert said == str(says) == str(eval(expression, names))


def test_a_sum_that_the_fused_kernel_is_not_is_called_what_it_should_be() -> None:
    right, wrong = (
        next(
            step.code.text
            for step in steps_of(study_of(REPVGG, alterations))
            if step.title == "kernels added"
        )
        for alterations in (Alterations(), Alterations(mistake="identity-off-centre"))
    )
    assert right == "w = w3 + w1 + wi"
    assert wrong == f"{right}  # as it should be"


def test_every_branch_has_names_of_its_own() -> None:
    spec = replace(MANY, branches=parse_branches("kxk,kxk,1x1,5x5,3x3d2,1xk,identity,identity,avg,1x1-kxk"))
    suffixes = list(suffixes_of(build_block(spec).branches).values())
    assert suffixes == ["3", "3_2", "1", "5", "3d2", "1x3", "i", "i_2", "a", "s"]
    assert all(re.fullmatch(r"\w+", suffix) for suffix in suffixes)


def test_the_lines_are_those_of_the_lesson() -> None:
    lines = {step.title: step.code.text for step in steps_of(study_of(BlockSpec()))}
    assert lines["1×1 to 3×3"] == "w1 = F.pad(w1, [1, 1, 1, 1])"
    assert lines["identity to 3×3"] == "wi = nn.init.dirac_(torch.empty(2, 2, 3, 3))"
    assert lines["kernels added"] == "w = w3 + w1 + wi"
    assert lines["biases added"] == "b = b3 + b1"
    assert lines["both sides run"].startswith("fused = F.conv2d(x, w.float(), b.float(), padding=1)\n")
