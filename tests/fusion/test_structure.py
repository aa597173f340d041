"""A block told as a spec, from which the same modules are built again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.analysis.mistake_blocks import BLOCKS, EIGHT
from tests.fusion.strategies import EVERYTHING, filled_block, filled_input
from tui.fusion.block import ReparamBlock, build_block
from tui.fusion.grammar.branch_text import parse_branches
from tui.fusion.specs.block_spec import BlockSpec
from tui.fusion.structure import structure_of

MORE = {
    "everything": replace(EIGHT, branches=parse_branches(EVERYTHING), groups=2, dilation=(2, 1)),
    "everything strided": replace(
        EIGHT,
        branches=parse_branches(EVERYTHING.replace("identity+norm,", "avg+norm+alpha,")),
        kernel_size=(4, 5),
        stride=(2, 3),
        batch_size=3,
    ),
}


@pytest.mark.parametrize("spec", (BLOCKS | MORE).values(), ids=BLOCKS | MORE)
def test_the_spec_builds_the_same_modules(spec: BlockSpec) -> None:
    block = filled_block(spec)
    told = structure_of(block, filled_input(spec))
    again = build_block(told)
    assert str(again) == str(block)
    assert again.geometry == block.geometry
    assert [name for name, _ in again.named_parameters()] == [name for name, _ in block.named_parameters()]
    for name in ("input_nchw", "output_nchw", "fused_groups", "fused_dilation", "fused_kernel_size"):
        assert getattr(told, name) == getattr(spec, name)
    assert told.chains == spec.chains
    assert [branch.name for branch in again.branches] == [branch.name for branch in block.branches]


def test_an_eps_comes_back_at_its_norm() -> None:
    spec = replace(EIGHT, branches=parse_branches("kxk+norm,1x1 > norm+eps0.5"), eps=1e-3, post_norm=True)
    told = structure_of(build_block(spec), filled_input(spec))
    assert (told.eps, told.chains) == (spec.eps, spec.chains)


@pytest.mark.parametrize(
    ("text", "eps"), [("kxk+norm,1x1+norm", 1e-3), ("kxk+norm,1x1 > norm+eps0.5", 1e-5), ("kxk,1x1", 1e-5)]
)
def test_the_eps_that_all_norms_share_is_the_blocks(text: str, eps: float) -> None:
    spec = replace(EIGHT, branches=parse_branches(text), eps=1e-3)
    assert structure_of(build_block(spec), filled_input(spec)).eps == eps


def test_poolings_of_two_sizes_have_a_spec_too() -> None:
    one, other = (
        filled_block(replace(EIGHT, branches=parse_branches("avg"), kernel_size=size))
        for size in ((3, 3), (5, 5))
    )
    both = ReparamBlock([*one.branches, *other.branches])
    told = structure_of(both, filled_input(EIGHT))
    assert [chain.kernel_size for chain in told.chains] == [(3, 3), (5, 5)]
    assert told.fused_kernel_size == both.kernel_size == (5, 5)
