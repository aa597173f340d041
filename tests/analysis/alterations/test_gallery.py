"""The gallery as words, and which of it a block can suffer from."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fusion.strategies import filled_block, filled_input, specs
from tests.fusion.test_imports import modules_after
from tui.analysis.alterations.gallery import MISTAKES, obstacle, possible
from tui.analysis.alterations.wrong_fusion import wrongly_fused
from tui.fusion.block import conv_of
from tui.fusion.grammar.branch_text import parse_branches
from tui.fusion.kernel import FusionError
from tui.fusion.presets import PRESETS
from tui.fusion.specs.block_spec import BlockSpec, PaddingMode
from tui.fusion.structure import structure_of


def block_of(text: str, **values: Any) -> BlockSpec:
    return replace(BlockSpec(branches=parse_branches(text)), **values)


def test_the_table_is_read_without_torch() -> None:
    loaded = modules_after(
        "from tui.analysis.alterations.gallery import possible\n"
        "from tui.fusion.specs.block_spec import BlockSpec\n"
        "assert list(possible(BlockSpec()))"
    )
    assert not loaded & {"torch", "textual", "rich"}


def test_every_entry_is_complete() -> None:
    for name, mistake in MISTAKES.items():
        assert mistake.name == name
        for text in (mistake.story, mistake.shows, mistake.hidden_by):
            assert text.endswith(".")
            assert len(text) < 260
        assert len(mistake.title) < 45
    assert len({mistake.title for mistake in MISTAKES.values()}) == len(MISTAKES)


def test_what_the_default_block_can_suffer_from() -> None:
    assert [mistake.name for mistake in possible(BlockSpec())] == [
        "1x1-unpadded",
        "1x1-off-centre",
        "1x1-missing",
        "1x1-bias-lost",
        "identity-off-centre",
        "identity-missing",
        "identity-twice",
        "channels-transposed",
        "taps-transposed",
        "flipped",
        "conv-bias-dropped",
        "bias-lost",
    ]


def test_an_unknown_name_is_no_mistake() -> None:
    with pytest.raises(KeyError):
        obstacle("1x1", BlockSpec())


@pytest.mark.parametrize(
    ("name", "spec", "why"),
    [
        ("1x1-missing", block_of("kxk,identity"), "no branch is a 1x1 convolution"),
        (
            "1x1-off-centre",
            PRESETS["pointwise"].spec,
            "it has no tap but the centre",
        ),
        ("1x1-bias-lost", block_of("kxk,1x1-bias"), "the 1x1 has neither bias nor batch norm"),
        ("identity-twice", block_of("kxk,1x1"), "no branch is the identity"),
        ("identity-norm-lost", BlockSpec(), "the identity has no batch norm"),
        ("identity-column", BlockSpec(), "the fused convolution has 1 group: column i is the right one"),
        ("channels-transposed", block_of("kxk", groups=2), "2 rows and 1 columns"),
        ("channels-transposed", block_of("kxk", in_channels=1, out_channels=1), "one channel"),
        ("channels-transposed", block_of("kxk+g2,identity"), "no branch mixes channels"),
        ("channels-transposed", block_of("avg+norm,identity"), "no branch mixes channels"),
        ("taps-transposed", block_of("kxk", kernel_size=(3, 5)), "a 3x5 kernel is not square"),
        ("flipped", block_of("avg,1x1-avg,1x1"), "no branch has a weight of more than one tap"),
        ("bias-unscaled", block_of("kxk,1x1-avg+norm"), "no convolution has both a bias and a batch norm"),
        ("conv-bias-dropped", block_of("kxk+norm-bias"), "no convolution has a bias"),
        ("bias-lost", block_of("kxk-bias,identity"), "neither biases nor batch norms"),
        ("mean-ignored", BlockSpec(), "the block has no batch norm"),
        ("train-mode", block_of("kxk+norm", input_shape=(1, 1)), "more than one value in each channel"),
        ("train-mode", block_of("kxk+norm", input_shape=(2, 2), stride=(2, 2)), "more than one value"),
        ("var-unbiased", BlockSpec(), "the block has no batch norm"),
        ("var-unbiased", block_of("kxk+norm", input_shape=(1, 1)), "sees one value in each channel"),
        ("zero-border", block_of("kxk"), "no branch is a 1x1 with something after it"),
        ("zero-border", block_of("1x1-kxk-bias"), "its value at zero is zero"),
        ("zero-border", block_of("kxk > 1x1"), "no layer behind a bias or a batch norm sees neighbours"),
        ("zero-border", block_of("1x1-kxk", padding_mode=PaddingMode.CIRCULAR), "pads circular, not zeros"),
        (
            "average-uncounted",
            block_of("avg", kernel_size=(2, 2), stride=(2, 2), input_shape=(8, 8)),
            "no window of the average reaches beyond the image",
        ),
        ("average-uncounted", BlockSpec(), "no branch is an average pooling"),
        ("dilation-dropped", block_of("1x1", dilation=(2, 2)), "no branch is dilated"),
        ("idconv-raw", block_of("1x1-kxk"), "no 1x1 stores its weight minus the identity"),
        ("scale-forgotten", BlockSpec(), "no branch has an alpha or gamma"),
        ("post-norm-forgotten", BlockSpec(), "no batch norm follows the sum"),
    ],
)
def test_what_stands_in_the_way(name: str, spec: BlockSpec, why: str) -> None:
    reason = obstacle(name, spec)
    assert reason is not None
    assert why in reason
    with pytest.raises(FusionError) as refused:
        wrongly_fused(name, filled_block(spec), filled_input(spec))
    assert str(refused.value) == reason


def test_an_inner_norm_counts_the_pixels_before_the_stride() -> None:
    spec = block_of("1x1-kxk+inner", input_shape=(2, 2), stride=(2, 2))
    for name in ("train-mode", "var-unbiased"):
        assert obstacle(name, spec) is None
        wrong = wrongly_fused(name, filled_block(spec), filled_input(spec))
        assert wrong.block(filled_input(spec)).isfinite().all()
        assert wrong.block(filled_input(spec)).shape == (1, 2, 1, 1)
        assert wrong.kernel.weight.isfinite().all()


@given(specs(), st.sampled_from(sorted(MISTAKES)))
@settings(max_examples=80)
def test_the_spec_and_the_block_tell_the_same(spec: BlockSpec, name: str) -> None:
    block, x = filled_block(spec), filled_input(spec)
    reason = obstacle(name, spec)
    assert obstacle(name, structure_of(block, x)) == reason
    if reason is not None:
        with pytest.raises(FusionError):
            wrongly_fused(name, block, x)
        return
    wrong = wrongly_fused(name, block, x)
    assert wrong.kernel.weight.dtype is torch.float64
    with torch.no_grad():
        y = conv_of(wrong.kernel, wrong.geometry)(x)
        assert y.shape == wrong.block(x).shape == spec.output_nchw
