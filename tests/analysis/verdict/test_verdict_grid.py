"""Over fusions of every kind: no right one is called suspicious, no wrong one right."""

from __future__ import annotations

import pytest

from tests.analysis.verdict.kinds_of_data import KINDS
from tests.analysis.verdict.verdict_cases import FAULTS, cases, effect_of, hard_cases, run_of
from tui.analysis.verdict.reason import Reason, Ruling

pytestmark = pytest.mark.usefixtures("without_onednn")

SEEDS = range(4)


@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
def test_right_fusions_are_right(seed: int, padded: bool) -> None:
    for case in cases(seed, 40, (2, 4, 8), padded=padded):
        verdict = run_of(case).judged()
        fine = verdict.ruling in (Ruling.EXACT, Ruling.ROUNDING) or verdict.reason is Reason.OVERFLOW
        assert fine, (verdict, case)
        assert verdict.algebra_used < 0.5, case


@pytest.mark.parametrize("kind", KINDS)
def test_right_fusions_of_any_data_are_never_wrong(kind: str) -> None:
    """Nor suspicious, but for what no arithmetic can tell: an overflow, and data that are not finite."""
    for case in hard_cases(list(KINDS).index(kind), 12, (1, 2, 4, 8), kinds=[kind]):
        verdict = run_of(case).judged()
        told = verdict.reason in (Reason.OVERFLOW, Reason.DATA, Reason.NOTHING, Reason.TRANSFORMED)
        assert told or verdict.ruling.agrees, (verdict, case)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "not finite"])
def test_wrong_kernels_are_wrong_whatever_the_data(kind: str) -> None:
    seen = 0
    for case in hard_cases(list(KINDS).index(kind), 24, (1, 2, 4), kinds=[kind]):
        run = run_of(case)
        kernel = FAULTS["one weight off by 1e-4"](run.block64)
        if effect_of(run, kernel) > 1e-9 * float(run.unfused64.abs().max()):
            seen += 1
            verdict = run.judged(kernel)
            assert verdict.reason in (Reason.ALGEBRA, Reason.DATA), (verdict, case)
    assert seen >= 4


@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("fault", FAULTS)
def test_wrong_kernels_are_wrong_wherever_they_have_an_effect(fault: str, padded: bool) -> None:
    seen = 0
    for case in cases(9, 12, (2, 4), padded=padded):
        run = run_of(case)
        kernel = FAULTS[fault](run.block64)
        if effect_of(run, kernel) > 1e-9 * float(run.unfused64.abs().max()):
            seen += 1
            assert run.judged(kernel).reason is Reason.ALGEBRA, case
    assert seen >= 4
