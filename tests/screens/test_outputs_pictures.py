"""The view of the outputs as it looks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.driver import MEDIUM, SMALL, LooksAsStored, OpenBench
from tests.specs import EXACT, ROUNDED
from tui.fusion.specs.block_spec import BlockSpec

STRIDED = replace(EXACT, stride=(2, 2), branches=EXACT.branches[:2])
CASES: dict[str, tuple[BlockSpec, tuple[int, int], list[str]]] = {
    "start-80x24": (ROUNDED, SMALL, []),
    "start-120x36": (ROUNDED, MEDIUM, []),
    "from the input": (STRIDED, MEDIUM, ["shift+tab", "shift+tab", "shift+tab", "end"]),
    "one tap, share": (ROUNDED, SMALL, ["c", "shift+left"]),
}


@pytest.mark.parametrize("case", CASES)
async def test_outputs(open_bench: OpenBench, looks_as_stored: LooksAsStored, case: str) -> None:
    spec, size, keys = CASES[case]
    async with open_bench(spec, size) as bench:
        await bench.press("3", *keys)
        await looks_as_stored(bench)


async def test_outputs_that_are_none(
    open_bench: OpenBench, looks_as_stored: LooksAsStored, odd_weights: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with open_bench(EXACT, SMALL) as bench:
        await bench.press("3")
        await looks_as_stored(bench)
