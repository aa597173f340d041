"""The mistake that was made is the one that is named, and nothing else is named in its stead."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NoReturn

import pytest
import torch
from torch import Tensor

from tests.analysis.mistake_blocks import BLOCKS, NORMED, POSSIBLE
from tests.fusion.strategies import filled_block, filled_input
from tui.analysis.alterations.alterations import Alterations
from tui.analysis.alterations.gallery import MISTAKES, possible
from tui.analysis.alterations.wrong_fusion import wrongly_fused
from tui.analysis.likeness.found import Likeness, Likenesses
from tui.analysis.likeness.likeness import likenesses_within, likest, looks_like
from tui.analysis.numerics.outputs import Outputs
from tui.analysis.progress import Doing, Failed
from tui.analysis.study import study_of
from tui.fusion.block import ReparamBlock, conv_of
from tui.fusion.grammar.branch_text import parse_branches
from tui.fusion.kernel import Kernel
from tui.fusion.specs.block_spec import BlockSpec

COINCIDE = {
    ("default", "conv-bias-dropped", "bias-lost"),  # no batch norm: the biases are all there is
    ("default", "bias-lost", "conv-bias-dropped"),
}

TRIED = [
    (name, title)
    for name, title in POSSIBLE
    if title in ("default", "grouped", "sequences", "post norm", "small and dilated")
]


def likenesses(
    block: ReparamBlock, x: Tensor, kernel: Kernel, *, roundoff: float = 2.0**-53
) -> tuple[Likeness, ...]:
    """What that kernel in the place of the right one looks like."""
    with torch.no_grad():
        fused, unfused = conv_of(kernel, block.geometry)(x), block(x)
    return likest(looks_like(block, x, Outputs(unfused, fused), roundoff=roundoff))


def made(name: str, spec: BlockSpec) -> tuple[ReparamBlock, Tensor, Outputs]:
    """A block, its input, and both outputs with that mistake."""
    block, x = filled_block(spec), filled_input(spec)
    wrong = wrongly_fused(name, block, x)
    with torch.no_grad():
        return block, x, Outputs(wrong.block(x), conv_of(wrong.kernel, wrong.geometry)(x))


def test_every_mistake_is_tried() -> None:
    assert {name for name, _ in TRIED} == set(MISTAKES)


@pytest.mark.parametrize(("name", "title"), TRIED)
def test_the_mistake_that_was_made_is_named_and_no_other(name: str, title: str) -> None:
    found = likest(looks_like(*made(name, BLOCKS[title])))
    assert all(likeness.same and likeness.channels == () for likeness in found)
    others = {other for block, one, other in COINCIDE if (block, one) == (title, name)}
    assert {likeness.name for likeness in found} == {name} | others


@pytest.mark.parametrize("title", BLOCKS)
def test_a_right_fusion_looks_like_nothing(title: str) -> None:
    block, x = filled_block(BLOCKS[title]), filled_input(BLOCKS[title])
    assert likenesses(block, x, block.kernel()) == ()


@pytest.mark.parametrize(
    ("dtype", "roundoff"), [(torch.float32, 2.0**-24), (torch.float16, 2.0**-11), (torch.bfloat16, 2.0**-8)]
)
def test_a_kernel_that_was_rounded_is_still_known(dtype: torch.dtype, roundoff: float) -> None:
    block, x = filled_block(NORMED), filled_input(NORMED)
    right = block.kernel().to(dtype).to(torch.float64)
    assert likenesses(block, x, right, roundoff=roundoff) == ()
    kernel = wrongly_fused("identity-missing", block, x).kernel.to(dtype).to(torch.float64)
    (found,) = likenesses(block, x, kernel, roundoff=roundoff)
    assert (found.name, found.same) == ("identity-missing", True)


def test_an_eps_that_float16_rounding_covers_is_not_claimed() -> None:
    block, x = filled_block(NORMED), filled_input(NORMED)
    kernel = wrongly_fused("eps-1e-3", block, x).kernel.to(torch.float16).to(torch.float64)
    assert likenesses(block, x, kernel, roundoff=2.0**-11) == ()


def test_a_mistake_made_in_some_channels_is_named_with_them() -> None:
    block, x = filled_block(NORMED), filled_input(NORMED)
    kernel, wrong = block.kernel(), wrongly_fused("1x1-off-centre", block, x).kernel
    kernel.weight[3:5] = wrong.weight[3:5]
    best = likenesses(block, x, kernel)[0]
    assert (best.name, best.same, best.channels) == ("1x1-off-centre", False, (3, 4))
    assert best.score == pytest.approx(0.99)


def test_another_size_of_the_same_mistake_comes_with_its_multiple() -> None:
    block, x = filled_block(NORMED), filled_input(NORMED)
    right, wrong = block.kernel(), wrongly_fused("1x1-missing", block, x).kernel
    assert right.bias is not None
    assert wrong.bias is not None
    halfway = Kernel((right.weight + wrong.weight) / 2, (right.bias + wrong.bias) / 2)
    best = likenesses(block, x, halfway)[0]
    assert (best.name, best.same) == ("1x1-missing", False)
    assert best.score == pytest.approx(0.99)
    assert best.multiple == pytest.approx(0.5)


def test_the_opposite_of_a_mistake_is_not_that_mistake() -> None:
    block, x, outputs = made("identity-twice", BlockSpec())
    found = likest(looks_like(block, x, outputs))
    assert [likeness.name for likeness in found] == ["identity-twice"]
    mirrored = Outputs(outputs.unfused, outputs.unfused - (outputs.fused - outputs.unfused))
    opposite = likest(looks_like(block, x, mirrored))
    assert [likeness.name for likeness in opposite] == ["identity-missing"]


def test_a_push_the_other_way_is_not_that_mistake() -> None:
    block, x = filled_block(NORMED), filled_input(NORMED)
    right, wrong = block.kernel(), wrongly_fused("1x1-missing", block, x).kernel
    assert right.bias is not None
    assert wrong.bias is not None
    pushed = Kernel(right.weight * 1.5 - wrong.weight / 2, right.bias * 1.5 - wrong.bias / 2)
    assert likenesses(block, x, pushed) == ()


def test_beside_the_very_mistake_none_is_named_that_is_most_of_it() -> None:
    spec = replace(NORMED, groups=8, branches=parse_branches("kxk+norm,identity"))
    found = likest(looks_like(*made("identity-column", spec)))
    assert [likeness.name for likeness in found] == ["identity-column"]
    best = likest(looks_like(*made("identity-missing", spec)))
    assert [likeness.name for likeness in best] == ["identity-missing"]


@pytest.mark.parametrize("seed", range(4))
def test_a_kernel_changed_at_random_is_no_known_mistake(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    spec = replace(NORMED, branches=parse_branches("kxk+norm,1x1+norm"), seed=seed)
    block, x = filled_block(spec), filled_input(spec)
    kernel = block.kernel()
    noise = torch.rand(kernel.weight.shape, generator=generator, dtype=torch.float64)
    assert likenesses(block, x, Kernel(kernel.weight + noise / 100, kernel.bias)) == ()
    kernel.weight[seed, 0, 1, 1] *= 1.1
    assert likenesses(block, x, kernel) == ()


@pytest.mark.parametrize(("score", "named"), [(0.85, False), (0.93, True)])
def test_a_mistake_is_named_from_nine_tenths_on(score: float, named: bool) -> None:
    block, x, outputs = made("1x1-missing", NORMED)
    difference = outputs.fused - outputs.unfused
    other = torch.randn(difference.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    other -= (other * difference).sum() / difference.square().sum() * difference
    other *= difference.norm() / other.norm() * math.sqrt((1 - score) / score)
    noisy = Outputs(outputs.unfused, outputs.fused + other)
    found = likest(looks_like(block, x, noisy))
    assert [likeness.name for likeness in found] == ["1x1-missing"] * named
    assert [likeness.score for likeness in found] == pytest.approx([score] * named)


@pytest.mark.parametrize(("times", "named"), [(0.09, False), (0.11, True), (9.5, True), (10.5, False)])
def test_a_tenth_of_a_mistake_or_ten_times_it_is_another(times: float, named: bool) -> None:
    block, x, outputs = made("1x1-off-centre", NORMED)
    parted = Outputs(outputs.unfused, outputs.unfused + times * (outputs.fused - outputs.unfused))
    (*_, found) = looks_like(block, x, parted)
    assert isinstance(found, Likenesses)
    assert [likeness.name for likeness in found.found] == ["1x1-off-centre"] * named
    assert found.nearest is None or found.nearest.name != "1x1-off-centre"


def bias_halved_in_about_the_same_ratio(channels: int) -> tuple[ReparamBlock, Tensor, Kernel]:
    """A block, its input, and its kernel with a bias of 0.5 to 0.52 times what it should be."""
    spec = BlockSpec(channels, channels, branches=parse_branches("kxk-bias,1x1"))
    block, x = filled_block(spec), filled_input(spec)
    kernel = block.kernel()
    assert kernel.bias is not None
    ratios = torch.linspace(0.5, 0.52, channels, dtype=torch.float64)
    return block, x, Kernel(kernel.weight, kernel.bias * ratios)


@pytest.mark.parametrize("channels", [2, 5, 6, 7])
def test_a_few_numbers_in_about_the_same_ratio_are_no_evidence(channels: int) -> None:
    block, x, nearly = bias_halved_in_about_the_same_ratio(channels)
    assert likenesses(block, x, nearly) == ()
    names = {likeness.name for likeness in likenesses(block, x, Kernel(nearly.weight, None))}
    assert names == {"1x1-bias-lost", "conv-bias-dropped", "bias-lost"}


def test_eight_numbers_in_about_the_same_ratio_are() -> None:
    names = {likeness.name for likeness in likenesses(*bias_halved_in_about_the_same_ratio(8))}
    assert names == {"1x1-bias-lost", "conv-bias-dropped", "bias-lost"}


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_nothing_is_said_of_what_is_not_finite(value: float) -> None:
    block, x, outputs = made("1x1-missing", BlockSpec())
    outputs.fused[0, 0, 0, 0] = value
    (nothing,) = looks_like(block, x, outputs)
    assert isinstance(nothing, Likenesses)
    assert (nothing.found, nothing.nearest) == ((), None)
    assert likest(looks_like(block, x, outputs)) == ()


def test_who_waits_is_not_kept_waiting() -> None:
    right, wrong = study_of(BlockSpec()), study_of(BlockSpec(), Alterations(mistake="flipped"))
    nothing, flipped = likenesses_within(right, seconds=0), likenesses_within(wrong)
    assert isinstance(nothing, Likenesses)
    assert nothing.words == ""
    assert isinstance(flipped, Likenesses)
    assert flipped.words == "kernel flipped, exactly"
    assert likenesses_within(wrong, seconds=0) == Failed("not within 0 seconds")


def test_what_torch_cannot_do_is_told_to_who_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> NoReturn:
        raise RuntimeError("no memory\nframe #0: c10")

    wrong = study_of(BlockSpec(), Alterations(mistake="flipped"))
    monkeypatch.setattr("tui.analysis.likeness.search.wrongly_fused", fail)
    assert likenesses_within(wrong) == Failed("no memory")


def test_it_says_what_it_tries_and_can_be_left_at_any_time() -> None:
    steps = list(looks_like(*made("flipped", BlockSpec())))
    said = [step.words for step in steps if isinstance(step, Doing)]
    assert len(said) == len(steps) - 1 == 1 + len(list(possible(BlockSpec())))
    assert said[1] == "trying: 1×1 not padded"
