"""Over fusions of every kind: no right one is called suspicious, no wrong one right."""

from __future__ import annotations

import pytest

from tests.analysis.verdict.verdict_cases import FAULTS, cases, effect_of, run_of
from tui.analysis.verdict.verdict import Reason, Ruling

pytestmark = pytest.mark.usefixtures("without_onednn")

SEEDS = range(4)


@pytest.mark.parametrize("seed", SEEDS)
def test_right_fusions_are_right(seed: int) -> None:
    for case in cases(seed, 40, (2, 4, 8)):
        verdict = run_of(case).judged()
        fine = verdict.ruling in (Ruling.EXACT, Ruling.ROUNDING) or verdict.reason is Reason.OVERFLOW
        assert fine, (verdict, case)
        assert verdict.algebra_used < 0.5, case


@pytest.mark.parametrize("fault", FAULTS)
def test_wrong_kernels_are_wrong_wherever_they_have_an_effect(fault: str) -> None:
    seen = 0
    for case in cases(9, 12, (2, 4)):
        run = run_of(case)
        kernel = FAULTS[fault](run.block64)
        if effect_of(run, kernel) > 1e-9 * float(run.unfused64.abs().max()):
            seen += 1
            assert run.judged(kernel).reason is Reason.ALGEBRA, case
    assert seen >= 4
