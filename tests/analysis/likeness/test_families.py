"""Batch norms folded with another eps or other variances are named with the number that was taken."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from tests.analysis.mistake_blocks import BLOCKS, NORMED
from tests.fusion.layer_parts import norm_in
from tests.fusion.strategies import filled_block, filled_input, with_wild_norms
from tui.analysis.alterations.variances import with_eps
from tui.analysis.likeness.families import Family, families
from tui.analysis.likeness.found import Likeness, Likenesses
from tui.analysis.likeness.likeness import likest, looks_like
from tui.analysis.numerics.outputs import Outputs
from tui.fusion.block import ReparamBlock, conv_of
from tui.fusion.grammar.branch_text import parse_branches
from tui.fusion.specs.block_spec import BlockSpec

WITH_NORMS = [title for title in BLOCKS if title != "default"]
Edit = Callable[[nn.BatchNorm2d], object]


def norms(block: nn.Module) -> list[nn.BatchNorm2d]:
    return [module for module in block.modules() if isinstance(module, nn.BatchNorm2d)]


def eps_of(value: float) -> Edit:
    return lambda norm: setattr(norm, "eps", value)


def variance_times(factor: float) -> Edit:
    def edit(norm: nn.BatchNorm2d) -> None:
        assert norm.running_var is not None
        norm.running_var *= factor

    return edit


@torch.no_grad()
def found_after(block: ReparamBlock, x: Tensor, *edits: Edit) -> tuple[Likeness, ...]:
    """What a kernel looks like that was folded from a copy on whose batch norms that was done."""
    other = copy.deepcopy(block)
    for edit in edits:
        for norm in norms(other):
            edit(norm)
    return likest(looks_like(block, x, Outputs(block(x), conv_of(other.kernel(), block.geometry)(x))))


def titles_after(block: ReparamBlock, x: Tensor, *edits: Edit) -> list[str]:
    found = found_after(block, x, *edits)
    assert all(likeness.same for likeness in found)
    return [likeness.title for likeness in found]


def variances(block: ReparamBlock, values: list[float]) -> None:
    for norm in norms(block):
        assert norm.running_var is not None
        norm.running_var.copy_(torch.tensor(values))


SWEPT = {
    "eps 0 for 1e-05": eps_of(0.0),
    "eps 1e-06 for 1e-05": eps_of(1e-6),
    "eps 0.0001 for 1e-05": eps_of(1e-4),
    "eps 0.1 for 1e-05": eps_of(0.1),
    "running_var × 1.06667 = n / (n - 1), n = 16": variance_times(16 / 15),
    "running_var × 1.001 = n / (n - 1), n = 1,000": variance_times(1000 / 999),
    "running_var × 0.99992 = (n - 1) / n, n = 12,544": variance_times(12543 / 12544),
}


@pytest.mark.parametrize("wild", [False, True])
@pytest.mark.parametrize("title", WITH_NORMS)
def test_no_eps_and_no_unbiased_variance_is_taken_for_anything_else(title: str, wild: bool) -> None:
    block, x = filled_block(BLOCKS[title]), filled_input(BLOCKS[title])
    if wild:
        with_wild_norms(block)
    assert {words: titles_after(block, x, edit) for words, edit in SWEPT.items()} == {
        words: [words] for words in SWEPT
    }


@pytest.mark.parametrize("values", [16, 1000])
def test_in_front_of_the_stride_a_batch_norm_sees_more_values(values: int) -> None:
    block, x = filled_block(BLOCKS["strided"]), filled_input(BLOCKS["strided"])
    inner = [norm_in(branch, "inner_norm") for branch in block.branches if branch.get("inner_norm")]
    before = len(inner)
    assert 0 < before < len(norms(block))
    other = copy.deepcopy(block)
    for own, norm in zip(norms(block), norms(other), strict=True):
        n = 4 * values if any(own is each for each in inner) else values
        variance_times(n / (n - 1))(norm)
    with torch.no_grad():
        outputs = Outputs(block(x), conv_of(other.kernel(), block.geometry)(x))
    (found,) = likest(looks_like(block, x, outputs))
    assert found.name == "var-unbiased"
    assert found.title.endswith(f"n = {values:,}, {4 * values:,} before the stride")


def test_a_factor_that_no_n_gives_is_called_a_factor() -> None:
    block, x = filled_block(NORMED), filled_input(NORMED)
    (found,) = found_after(block, x, variance_times(1.0995))
    assert (found.name, found.title) == ("var-scaled", "running_var × 1.0995")
    assert found.number == pytest.approx(1.0995, rel=1e-5)


def test_where_all_variances_are_the_same_eps_and_factor_are_the_same_thing() -> None:
    block, x = filled_block(NORMED), filled_input(NORMED)
    variances(block, [1.0] * 8)
    assert titles_after(block, x, eps_of(0.01001)) == [
        "eps 0.01 for 1e-05",
        "running_var × 1.01 = n / (n - 1), n = 101",
    ]


# Blocks whose batch norms have several eps


def block_of_several_eps() -> tuple[ReparamBlock, Tensor]:
    spec = replace(NORMED, branches=parse_branches("kxk+norm,1x1+norm,identity+norm"))
    block, x = filled_block(spec), filled_input(spec)
    for norm, eps in zip(norms(block), (1e-3, 1e-5, 1e-5), strict=True):
        norm.eps = eps
    return block, x


@pytest.mark.parametrize("eps", [0.0, 1e-5, 1e-3, 1e-4, 0.02])
def test_one_eps_for_batch_norms_that_have_several(eps: float) -> None:
    assert titles_after(*block_of_several_eps(), eps_of(eps)) == [f"eps {eps:.3g} for 0.001 and 1e-05"]


def test_another_eps_of_those_that_share_one() -> None:
    def edit(norm: nn.BatchNorm2d) -> None:
        norm.eps = 1e-2 if norm.eps == 1e-5 else norm.eps

    assert titles_after(*block_of_several_eps(), edit) == ["eps 0.01 for 1e-05 in 2 of 3 batch norms"]


def test_every_eps_times_a_factor() -> None:
    def edit(norm: nn.BatchNorm2d) -> None:
        norm.eps *= 10

    assert titles_after(*block_of_several_eps(), edit) == ["eps 0.001 and 1e-05, each × 10"]


@pytest.mark.parametrize(("own", "other"), [("1e-5", "1e-3"), ("1e-3", "1e-5")])
def test_the_gallerys_own_eps_comes_first(own: str, other: str) -> None:
    """The other way round it is called so: YOLO's norms have the one that is a mistake elsewhere."""
    block, x = filled_block(replace(NORMED, eps=float(own))), filled_input(NORMED)
    (found,) = found_after(block, x, eps_of(float(other)))
    assert (found.name, found.title) == ("eps-1e-3", f"eps {other} for {own}")


# What they are not taken for


def test_a_kernel_times_a_factor_is_neither() -> None:
    block, x = filled_block(NORMED), filled_input(NORMED)
    kernel = block.kernel()
    kernel.weight.mul_(1.01)
    with torch.no_grad():
        outputs = Outputs(block(x), conv_of(kernel, block.geometry)(x))
    assert not any(likeness.same for likeness in likest(looks_like(block, x, outputs)))


@pytest.mark.parametrize("channels", [1, 7])
def test_a_few_numbers_tell_no_eps(channels: int) -> None:
    spec = BlockSpec(channels, channels, branches=parse_branches("kxk+norm"), input_shape=(1, 1))
    assert found_after(filled_block(spec), filled_input(spec), eps_of(1e-4)) == ()


def test_a_variance_of_zero_allows_no_eps_of_zero() -> None:
    block, x = filled_block(NORMED), filled_input(NORMED)
    variances(block, [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7])
    assert titles_after(block, x, eps_of(1e-7)) == ["eps 1e-07 for 1e-05"]
    assert titles_after(block, x, eps_of(1.0)) == ["eps 1 for 1e-05"]


def coordinate_of(family: Family, eps: float) -> float:
    """Where the family tells that eps, by bisection: the coordinate falls as eps grows."""
    low, high = family.lowest, family.highest
    for _ in range(60):
        middle = (low + high) / 2
        likeness = family.told(middle, 0.0)
        assert likeness is not None
        assert likeness.number is not None
        low, high = (middle, high) if likeness.number > eps else (low, middle)
    return low


@pytest.mark.parametrize(
    ("eps", "error", "words"),
    [
        (9.99e-6, 3e-6, "eps 1e-05 for 0.01, exactly"),
        (1.02e-5, 5e-5, "eps 1e-05 for 0.01, exactly"),
        (2.99e-4, 3e-4, "eps 0.0003 for 0.01, exactly"),
        (1e-5, 1e-7, "eps 1e-05 for 0.01, exactly"),
        (9.99e-6, 1e-12, "eps 9.99e-06 for 0.01"),
        (2.345e-3, 1e-6, "eps 0.00235 for 0.01"),
    ],
)
def test_an_eps_that_rounding_leaves_open_is_the_round_one(eps: float, error: float, words: str) -> None:
    block = with_eps(filled_block(NORMED), lambda _: 1e-2)
    family = next(families(block, filled_input(NORMED)))
    likeness = family.told(coordinate_of(family, eps), error)
    assert likeness is not None
    assert Likenesses((likeness,)).words == words
