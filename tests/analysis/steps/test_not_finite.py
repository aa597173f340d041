"""Where a number on the way is NaN or infinite, steps show it as torch has it, and end nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tui.analysis.alterations.alteration_text import edits_in
from tui.analysis.alterations.alterations import NOTHING_ALTERED
from tui.analysis.steps.walkthrough import Walkthrough, walkthrough
from tui.analysis.study import Study, run_study
from tui.analysis.subject import Subject
from tui.fusion.presets import PRESETS
from tui.fusion.tap import Tap

SPEC = replace(PRESETS["repvgg"].spec, in_channels=4, out_channels=4, input_shape=(5, 5))


@pytest.mark.parametrize(
    ("edits", "cause"),
    [
        (("kxk.norm.var[0]=0", "kxk.norm.eps[0]=0"), "1 / sqrt(var + eps) of kxk.norm"),
        (("identity.norm.var[3]=0", "identity.norm.eps[0]=0"), "1 / sqrt(var + eps) of identity.norm"),
        (("kxk.weight[0,0,0,0]=1e39",), "kxk.weight"),
        (("1x1.norm.gamma[1]=inf", "kxk.norm.gamma[1]=-inf"), "kxk.norm.gamma"),
        (("input[0,0,0,0]=nan",), "input"),
        (("kxk.weight[0,0,1,1]=inf", "1x1.weight[0,0,0,0]=-inf"), "kxk.weight"),
    ],
)
def test_every_step_is_written_out(edits: tuple[str, ...], cause: str) -> None:
    subject = Subject(SPEC, NOTHING_ALTERED.edited(*edits_in(edits, SPEC)))
    (study,) = (piece for piece in run_study(subject) if isinstance(piece, Study))
    assert study.verdict.not_finite.cause == cause
    *_, found = walkthrough(study)
    assert isinstance(found, Walkthrough)
    for step in found.steps:
        last = Tap(*(size - 1 for size in step.after.kernel.weight.shape))
        assert step.operation(Tap(0, 0, 0, 0))
        assert step.operation(Tap(0, 0, *(size // 2 for size in step.after.kernel.weight.shape[2:])))
        assert step.operation(last)
