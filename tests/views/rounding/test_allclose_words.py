"""What is said of torch.allclose, where it passes, fails, and disagrees with the verdict."""

from __future__ import annotations

from dataclasses import replace

from tests.specs import EXACT
from tui.analysis.alterations.alterations import Alterations
from tui.analysis.study import study_of
from tui.fusion.specs.block_spec import BlockSpec, Dtype
from tui.views.rounding.allclose_words import allclose_words


def test_rounding_that_it_does_not_let_pass() -> None:
    study = study_of(BlockSpec(dtype=Dtype.BFLOAT16))
    assert study.verdict.ruling.agrees
    failing = study.comparison.closeness.failing
    words = str(allclose_words(study))
    assert words.startswith(
        f"torch.allclose no: |d| ≤ 1e-08 + 1e-05 |unfused| fails in {failing} of 162 elements"
    )
    assert " would pass. It grants each element a part of its own size" in words


def test_a_wrong_kernel_that_it_lets_pass() -> None:
    study = study_of(replace(EXACT, dtype=Dtype.FLOAT64))
    close = replace(study.comparison.closeness, failing=0, farthest=None)
    wrong = study_of(replace(EXACT, dtype=Dtype.FLOAT64), Alterations(mistake="identity-twice"))
    passed = replace(wrong, comparison=replace(wrong.comparison, closeness=close))
    words = str(allclose_words(passed))
    assert words.startswith("torch.allclose yes: ")
    assert "holds in all 162 elements. The fault is smaller than its tolerance" in words
