"""What is no single convolution is refused, with the reason in words."""

from __future__ import annotations

import pytest
from torch import nn

from tests.fusion.layer_parts import average_branch, conv_branch, identity_branch, norm_in
from tui.fusion.block import ReparamBlock, build_block
from tui.fusion.grammar.branch_text import parse_branches
from tui.fusion.kernel import FusionError
from tui.fusion.layers import Branch, Norm
from tui.fusion.specs.block_spec import BlockSpec, PaddingMode
from tui.fusion.specs.geometry import Geometry


@pytest.mark.parametrize("batch_norm", [True, False])
def test_train_mode_is_refused_in_words(batch_norm: bool) -> None:
    block = build_block(BlockSpec().with_branches(batch_norm=batch_norm)).train()
    with pytest.raises(FusionError, match=r"train mode cannot be fused: .* call eval\(\) first"):
        block.fuse()
    block.eval().fuse()


def test_a_single_norm_in_train_mode_is_refused() -> None:
    block = build_block(BlockSpec().with_branches(batch_norm=True))
    norm_in(block.branches[2]).train()
    with pytest.raises(FusionError, match="batch norm in train mode"):
        block.fuse()


def test_a_block_without_branches_is_refused() -> None:
    with pytest.raises(FusionError, match="at least one branch"):
        ReparamBlock([])


def test_a_module_that_is_no_branch_is_refused_not_left_out() -> None:
    block = build_block(BlockSpec())
    with pytest.raises(FusionError, match="Sigmoid"):
        block.branches.append(nn.Sigmoid())
    assert len(block.branches) == 3
    with pytest.raises(FusionError, match="ReLU is not a kind of branch whose kernel is known"):
        ReparamBlock([nn.ReLU()])  # type: ignore[list-item]


def three(geometry: Geometry) -> Branch:
    return conv_branch("3x3", 4, 4, (3, 3), geometry)


@pytest.mark.parametrize(
    ("branch", "geometry", "words"),
    [
        (three(Geometry((2, 2))), Geometry(), "3x3: strides 2x2 and 1x1 visit other pixels"),
        (identity_branch("id", 4), Geometry((2, 1)), "id: strides 1x1 and 2x1 visit other pixels"),
        (
            three(Geometry(padding_mode=PaddingMode.REFLECT)),
            Geometry(),
            "3x3: reflect and zeros padding differ at the border",
        ),
        (
            average_branch("avg", 4, (3, 3)),
            Geometry(padding_mode=PaddingMode.CIRCULAR),
            "avg: zeros and circular padding differ at the border",
        ),
        (
            three(Geometry(dilation=(3, 3))),
            Geometry(dilation=(3, 2)),
            "3x3: taps 3 apart do not fall on taps 2 apart",
        ),
        (three(Geometry(groups=2)), Geometry(groups=4), "2 groups cannot be written with 4"),
    ],
)
def test_branches_that_do_not_go_together_are_refused(branch: Branch, geometry: Geometry, words: str) -> None:
    block = ReparamBlock([branch], geometry).eval()
    with pytest.raises(FusionError, match=words):
        block.kernel()


def test_a_branch_without_border_minds_no_padding_mode() -> None:
    geometry = Geometry(padding_mode=PaddingMode.REFLECT)
    block = ReparamBlock([identity_branch("identity", 4), conv_branch("1x1", 4, 4, (1, 1))], geometry).eval()
    assert block.kernel().kernel_size == (1, 1)


@pytest.mark.parametrize(
    ("norm", "words"),
    [
        (nn.GroupNorm(1, 2), "GroupNorm cannot be folded"),
        (nn.BatchNorm2d(2, track_running_stats=False), "no running statistics"),
    ],
)
@pytest.mark.parametrize("place", ["end", "inner", "post"])
def test_a_norm_that_can_not_be_folded_is_refused_wherever_it_stands(
    norm: nn.Module, words: str, place: str
) -> None:
    block = build_block(BlockSpec(branches=parse_branches("1x1-kxk+inner+norm"), post_norm=True))
    (branch,) = block.branches
    if place != "post":
        name = {"end": "norm", "inner": "inner_norm"}[place]
        branch.replace_layer(name, Norm(norm, 2))
    else:
        block.post_norm = norm
    with pytest.raises(FusionError, match=words):
        block.eval().fuse()
