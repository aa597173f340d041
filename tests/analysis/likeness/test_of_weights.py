"""The mistake with which a finished kernel was made is told by its weights, in the dtype it is stored in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch

from tests.analysis.mistake_blocks import BLOCKS
from tests.analysis.verdict.test_stored import IN_A_KERNEL, filled, right_one, wrong_one
from tui.analysis.alterations.variances import with_eps
from tui.analysis.alterations.wrong_fusion import wrongly_fused
from tui.analysis.likeness.found import Likenesses
from tui.analysis.likeness.likeness import likenesses_within
from tui.analysis.likeness.of_weights import looks_like_stored
from tui.analysis.progress import Doing
from tui.analysis.study import study_of
from tui.analysis.verdict.reason import Reason, Ruling
from tui.analysis.verdict.stored import StoredVerdict
from tui.analysis.verdict.stored_judging import judge_stored
from tui.fusion.block import ReparamBlock
from tui.fusion.kernel import Kernel
from tui.fusion.specs.block_spec import Dtype
from tui.fusion.torch_dtypes import torch_dtype

X = torch.zeros(2, 8, 10, 10)


def told(block: ReparamBlock, given: Kernel, verdict: StoredVerdict | None = None) -> Likenesses:
    def last(steps: Iterator[Doing | Likenesses]) -> Likenesses:
        *_, found = steps
        assert isinstance(found, Likenesses)
        return found

    return last(looks_like_stored(block, given, verdict or judge_stored(block, given)))


IN_EVERY_DTYPE = "normed"
"""The block whose mistakes are looked for in all four; those of the others take them by turns."""


@pytest.mark.parametrize(
    ("mistake", "title", "dtype"),
    [
        (mistake, title, dtype)
        for place, (mistake, title) in enumerate(IN_A_KERNEL)
        for turn, dtype in enumerate(Dtype)
        if title == IN_EVERY_DTYPE or (place + turn) % len(Dtype) == 0
    ],
)
def test_a_mistake_of_the_gallery_is_told_by_its_weights(mistake: str, title: str, dtype: Dtype) -> None:
    (block, right), wrong = right_one(title), wrong_one(mistake, title)
    if wrong.weight.shape != right.weight.shape:
        return
    given = wrong.to(torch_dtype(dtype))
    verdict = judge_stored(block, given)
    if verdict.agrees:  # tests/analysis/verdict/test_stored.py: beyond its dtype
        return
    found = told(block, given, verdict).found
    assert found
    assert all(likeness.same for likeness in found)
    names = {name for likeness in found for name in likeness.names}
    if mistake == "var-unbiased":  # of another n than a bench's: told by its factor
        assert names & {"var-unbiased", "var-scaled", "eps"}
    else:
        assert mistake in names


@pytest.mark.parametrize(("dtype", "digits"), [(Dtype.FLOAT64, 3), (Dtype.FLOAT32, 3), (Dtype.FLOAT16, 1)])
def test_another_eps_is_told_by_its_number(dtype: Dtype, digits: int) -> None:
    block = filled(BLOCKS["normed"])
    given = with_eps(block, lambda _: 2e-2).kernel().to(torch_dtype(dtype))
    (likeness,) = told(block, given).found
    assert likeness.name == "eps"
    assert likeness.number is not None
    assert f"{likeness.number:.{digits - 1}e}" == f"{2e-2:.{digits - 1}e}"


@pytest.mark.parametrize("dtype", Dtype)
def test_two_mistakes_at_once(dtype: Dtype) -> None:
    block = filled(BLOCKS["normed"])
    right = block.kernel()
    made = [wrongly_fused(name, block, X).kernel for name in ("identity-missing", "1x1-bias-lost")]
    assert right.bias is not None
    biases = [kernel.bias for kernel in made]
    assert all(bias is not None for bias in biases)
    given = Kernel(
        right.weight + sum(kernel.weight - right.weight for kernel in made),
        right.bias + sum(bias - right.bias for bias in biases if bias is not None),
    )
    (likeness,) = told(block, given.to(torch_dtype(dtype))).found
    assert set(likeness.names) == {"identity-missing", "1x1-bias-lost"}


def test_a_mistake_in_one_output_channel() -> None:
    block = filled(BLOCKS["normed"])
    given, wrong = block.kernel().to(torch.float32), wrongly_fused("flipped", block, X).kernel
    given.weight[3] = wrong.weight[3]
    (likeness,) = told(block, given).found
    assert (likeness.name, likeness.channels) == ("flipped", (3,))


@pytest.mark.parametrize("dtype", Dtype)
def test_no_mistake_is_told_of_what_is_none(dtype: Dtype) -> None:
    block = filled(BLOCKS["normed"])
    given = block.kernel()
    noise = torch.rand(given.weight.shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    found = told(block, Kernel(given.weight + noise, given.bias).to(torch_dtype(dtype)))
    assert not any(likeness.same for likeness in found.found)


@pytest.mark.parametrize("stored_in", [torch.float32, torch.float16, torch.bfloat16])
def test_outputs_of_a_right_finished_kernel_are_right(stored_in: torch.dtype) -> None:
    """Its rounding is no fault of the float64 run."""
    block, x = filled(BLOCKS["normed"]), torch.rand(1, 8, 10, 10, generator=torch.Generator().manual_seed(1))
    study = study_of(block, x, finished=block.kernel().to(stored_in))
    assert study.verdict.ruling is Ruling.ROUNDING
    assert 0 < study.verdict.algebra_used <= 1
    assert study.verdict.stored is not None
    assert study.verdict.stored.ruling is Ruling.EXACT
    given = block.kernel().to(stored_in)
    given.weight[2] *= -1
    wrong = study_of(block, x, finished=given)
    assert (wrong.verdict.ruling, wrong.verdict.reason) == (Ruling.WRONG, Reason.ALGEBRA)


def test_what_outputs_hide_the_weights_show() -> None:
    block = filled(replace(BLOCKS["normed"], in_channels=16, out_channels=16))
    x = torch.rand(1, 16, 10, 10, generator=torch.Generator().manual_seed(1))
    given = wrongly_fused("eps-1e-3", block, x).kernel.to(torch.bfloat16)
    verdict = (study := study_of(block, x, finished=given)).verdict
    assert (verdict.ruling, verdict.reason) == (Ruling.WRONG, Reason.STORED)
    assert "this input does not show it" in verdict.sentence
    found = likenesses_within(study)
    assert isinstance(found, Likenesses)
    assert found.words == "eps 1e-3 for 1e-5, exactly"


def test_an_eps_is_told_the_way_round_that_it_is() -> None:
    block = filled(replace(BLOCKS["normed"], eps=1e-3))
    x = torch.rand(1, block.in_channels, 6, 6, generator=torch.Generator().manual_seed(1))
    assert told(block, wrongly_fused("eps-1e-3", block, x).kernel).words == "eps 1e-5 for 1e-3, exactly"
