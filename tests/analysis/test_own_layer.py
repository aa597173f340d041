"""A kind of layer that the program does not know goes through every question, each answered here.

Nothing under `tui` is changed for it: a kind of layer is a class, and one answer for each question.
"""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.fusion.oracles import convolve
from tests.fusion.strategies import with_wild_norms
from tui.analysis import cost
from tui.analysis.alterations.alterations import Alterations, shapes_of
from tui.analysis.alterations.gallery import possible
from tui.analysis.bounds.by_layer import FoldSize, layer_bounds, size_of
from tui.analysis.bounds.running import Bounded, multiply
from tui.analysis.cost import LayerCost
from tui.analysis.numerics.pixel import Pixel
from tui.analysis.probe.probe import probe
from tui.analysis.steps.walkthrough import Walkthrough, walkthrough
from tui.analysis.study import Study, study_of
from tui.export.code.by_layer import folding_code, forward_code, kernel_code, module_code, tensors_of
from tui.export.code.snippet import snippet_of
from tui.export.report import json_of
from tui.export.study_json import study_json_of
from tui.fusion.block import ReparamBlock
from tui.fusion.kernel import FusionError, Kernel
from tui.fusion.layers import Branch, Convolution, Identity, Layer, Norm, Sum
from tui.fusion.layers.chain import Chain
from tui.fusion.specs.block_spec import Dtype
from tui.fusion.specs.layer_spec import LayerSpec
from tui.fusion.specs.padding import Border
from tui.views.shared.panel_titles import panel_titles


class SignFlip(Layer):
    """Each channel times 1 or -1, which is not learned."""

    rescales = True
    called = "a sign flip"
    folded = "signs flipped"
    signs: Tensor

    def __init__(self, signs: Sequence[float]) -> None:
        super().__init__(len(signs), len(signs))
        self.register_buffer("signs", torch.tensor(signs))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.signs.view(-1, 1, 1)

    def kernel(self) -> Kernel:
        return Kernel(self.signs.double().view(-1, 1, 1, 1), None)

    def spec(self) -> LayerSpec:
        return self._spec("sign flip")


@pytest.fixture(autouse=True)
def _what_it_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(cost.COSTS, "sign flip", lambda _: LayerCost(0))


@layer_bounds.register
def _(layer: SignFlip, x: Bounded, rows: Sequence[int]) -> Bounded:
    return multiply(x, layer.signs[list(rows)])


@size_of.register
def _(layer: SignFlip) -> FoldSize:
    return FoldSize(Kernel(torch.ones(layer.out_channels, 1, 1, 1, dtype=torch.float64), None))


@module_code.register
def _(layer: SignFlip) -> str:
    return f"nn.Parameter(torch.ones({layer.out_channels}))"


@tensors_of.register
def _(layer: SignFlip) -> dict[str, Tensor]:
    return {"": layer.signs}


@forward_code.register
def _(layer: SignFlip, module: str, x: str, padded: Any, border: Border) -> str:
    return f"{x} * {module}.view(-1, 1, 1)"


@kernel_code.register
def _(layer: SignFlip, module: str, groups: int) -> str:
    return f"scale(identity({layer.out_channels}, {groups}), {module})"


@folding_code.register
def _(layer: SignFlip, module: str, groups: int) -> str:
    return f"scale(kernel, {module})"


SIGNS = (1.0, -1.0, -1.0, 1.0)


def flipped_block() -> ReparamBlock:
    """It stands between two convolutions, at an end, alone, and inside of a sum."""
    torch.manual_seed(2)
    chain = Branch(
        "chain",
        [
            ("first", Convolution(nn.Conv2d(4, 4, 1))),
            ("flip", SignFlip(SIGNS)),
            ("second", Convolution(nn.Conv2d(4, 4, 3))),
            ("norm", Norm(nn.BatchNorm2d(4), 4)),
            ("flip2", SignFlip(SIGNS)),
        ],
    )
    inner = [Chain([("conv", Convolution(nn.Conv2d(4, 4, 3)))]), Chain([("flip", SignFlip(SIGNS))])]
    rrrb = Branch(
        "inside a sum",
        [
            ("expand", Convolution(nn.Conv2d(4, 4, 1))),
            ("sum", Sum(inner)),
            ("reduce", Convolution(nn.Conv2d(4, 4, 1))),
        ],
    )
    alone = Branch("flip", [("flip", SignFlip(SIGNS))])
    identity = Branch("identity", [("identity", Identity(4)), ("norm", Norm(nn.BatchNorm2d(4), 4))])
    return with_wild_norms(ReparamBlock([chain, rrrb, alone, identity]).eval())


def studied(dtype: torch.dtype = torch.float32, mistake: str = "") -> Study:
    block = flipped_block().to(dtype)
    x = torch.rand(2, 4, 8, 9, generator=torch.Generator().manual_seed(3)).to(dtype)
    return study_of(block, x, Alterations(mistake=mistake))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
def test_its_study_says_that_the_fusion_is_right(dtype: torch.dtype) -> None:
    study = studied(dtype)
    assert study.verdict.ruling.agrees, study.verdict.sentence
    assert study.spec.dtype == Dtype(str(dtype).removeprefix("torch."))
    kernel = study.fusion64.kernel
    y = convolve(study.x.double(), kernel.weight, kernel.bias)
    torch.testing.assert_close(y, study.outputs64.unfused, rtol=0, atol=1e-11)


def test_every_step_of_it_is_told_and_holds() -> None:
    *_, found = walkthrough(studied())
    assert isinstance(found, Walkthrough)
    assert [step.title for step in found.steps if not step.check.passed] == []
    titles = [step.title for step in found.steps if step.branch in ("chain", "flip")]
    assert "sign flip folded" in titles
    assert "sign flip as a kernel" in titles


def test_an_element_of_it_is_written_out() -> None:
    study = studied(torch.float64)
    for pixel in (Pixel(0, 1, 0, 0), Pixel(1, 3, 4, 5), Pixel(1, 2, 7, 8)):
        found = probe(study, pixel).by_hand
        assert found is not None
        assert found.unfused == pytest.approx(found.fused, abs=1e-11)
        assert found.unfused == pytest.approx(float(study.outputs64.unfused[pixel]), abs=1e-11)


def test_it_costs_what_was_entered() -> None:
    cost = studied().cost
    conv1, conv3, norm = 4 * 4 + 4, 4 * 4 * 9 + 4, 8
    assert cost.params.unfused == (conv1 + conv3 + norm) + (conv1 + conv3 + conv1) + norm
    assert cost.params.fused == 4 * 4 * 9 + 4


def test_each_mistake_that_can_be_made_on_it_is_found() -> None:
    study = studied()
    names = [mistake.name for mistake in possible(study.spec)]
    assert {"identity-missing", "mean-ignored", "zero-border", "flipped", "train-mode"} <= set(names)
    for name in names:
        assert not studied(mistake=name).verdict.ruling.agrees, name


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_its_snippet_runs_and_comes_to_the_same(dtype: torch.dtype) -> None:
    study = studied(dtype)
    names: dict[str, Any] = {"__name__": "__main__"}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile(snippet_of(study), "snippet", "exec"), names)
    slack = 8 * float(torch.finfo(dtype).eps) * study.comparison.max_abs
    torch.testing.assert_close(names["unfused_output"], study.outputs.unfused, rtol=0, atol=slack)
    torch.testing.assert_close(names["fused_output"], study.outputs.fused, rtol=0, atol=slack)
    weight, _ = names["fuse"](names["block"])
    torch.testing.assert_close(weight, study.fusion64.kernel.weight, rtol=0, atol=1e-12)
    assert names["in_float64"] < 1e-11


def test_it_is_told_where_words_stand() -> None:
    study = studied()
    assert [title.name for title in panel_titles(study.spec)][:3] == ["chain", "inside a sum", "flip"]
    assert "chain.first.weight" in shapes_of(study.spec)
    assert study.number_at("chain.first.weight", (0, 0, 0, 0)).shape == ()
    assert json.loads(json_of(study))["agree"]
    assert json.loads(study_json_of(study))["tensors"]["parameters"]["flip"]["flip"] == list(SIGNS)


def test_a_kind_without_an_answer_is_refused_in_words() -> None:
    class Unknown(SignFlip):
        """One that nothing is known of."""

    layer_bounds.register(Unknown, layer_bounds.dispatch(Layer))

    block = ReparamBlock([Branch("unknown", [("unknown", Unknown(SIGNS))])]).eval()
    with pytest.raises(FusionError, match="Unknown is not a kind of layer whose rounding is known"):
        study_of(block, torch.ones(1, 4, 5, 5))


def test_a_block_that_cannot_be_studied_says_why() -> None:
    trained = flipped_block().train()
    x = torch.ones(1, 4, 5, 5)
    with pytest.raises(FusionError, match="train mode cannot be fused"):
        study_of(trained, x)
    for wrong in (torch.ones(4, 5, 5), torch.ones(1, 3, 5, 5), x.double()):
        with pytest.raises(FusionError, match=r"takes \(batch, 4, H, W\) in torch.float32, not"):
            study_of(trained.eval(), wrong)


def test_the_block_and_the_input_stay_as_they_are() -> None:
    block, x = flipped_block(), torch.rand(1, 4, 6, 6)
    before, given = {name: value.clone() for name, value in block.state_dict().items()}, x.clone()
    study = study_of(block, x, Alterations(mistake="train-mode"))
    assert study.block is not block
    assert torch.equal(x, given)
    assert all(torch.equal(value, before[name]) for name, value in block.state_dict().items())
