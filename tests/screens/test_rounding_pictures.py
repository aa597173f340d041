"""The rounding view under each verdict, in pictures."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.driver import LooksAsStored, OpenBench
from tests.screens.test_pictures import in_both_sizes
from tests.specs import EXACT, ROUNDED, SLIGHTLY_WRONG, TOO_LARGE
from tui.analysis.alterations.alterations import NOTHING_ALTERED
from tui.fusion.specs.block_spec import Dtype

VERDICTS = {
    "exact": (EXACT, NOTHING_ALTERED),
    "rounding": (ROUNDED, NOTHING_ALTERED),
    "suspicious": (replace(EXACT, dtype=Dtype.FLOAT16), TOO_LARGE),
    "wrong": (replace(ROUNDED, dtype=Dtype.BFLOAT16), SLIGHTLY_WRONG),
}


@in_both_sizes
@pytest.mark.parametrize("verdict", VERDICTS)
async def test_rounding(open_bench: OpenBench, looks_as_stored: LooksAsStored, verdict: str) -> None:
    spec, altered = VERDICTS[verdict]
    async with open_bench(spec, alterations=altered) as bench:
        await bench.press("5")
        await bench.until(lambda: bench.text("#ulp-bars"), "all four dtypes")
        assert bench.app.study is not None
        assert bench.app.study.verdict.ruling == verdict
        await looks_as_stored(bench)
