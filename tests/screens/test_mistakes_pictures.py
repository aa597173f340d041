"""The gallery of mistakes in pictures: a border, some channels, everywhere; small integers throughout."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.app.test_mistakes import GROUPED, found, make, view_of
from tests.driver import MEDIUM, SMALL, LooksAsStored, OpenBench
from tests.specs import EXACT, only_first_branch
from tui.fusion.grammar.branch_text import parse_branches

SEQUENCE = replace(EXACT, branches=parse_branches("kxk,1x1-kxk"))
MADE = {"zero-border": SEQUENCE, "identity-column": GROUPED, "1x1-off-centre": EXACT}

in_both_sizes = pytest.mark.sizes(SMALL, MEDIUM)


@in_both_sizes
@pytest.mark.parametrize("name", MADE)
async def test_mistake(open_bench: OpenBench, looks_as_stored: LooksAsStored, name: str) -> None:
    async with open_bench(MADE[name]) as bench:
        await bench.press("6")
        await make(bench, name)
        await looks_as_stored(bench)


@in_both_sizes
async def test_two_at_once(open_bench: OpenBench, looks_as_stored: LooksAsStored) -> None:
    async with open_bench(EXACT, alterations=only_first_branch(EXACT)) as bench:
        await bench.press("6")
        await found(bench)
        assert "looks like  1×1 missing and identity missing, exactly" in bench.text("#mistake-findings")
        await looks_as_stored(bench)


async def test_light(open_bench: OpenBench, looks_as_stored: LooksAsStored) -> None:
    async with open_bench(SEQUENCE, MEDIUM) as bench:
        await bench.press("t", "6")
        await make(bench, "zero-border")
        await looks_as_stored(bench)


async def test_preview_of_one_that_can_not_be_made(
    open_bench: OpenBench, looks_as_stored: LooksAsStored
) -> None:
    async with open_bench(EXACT, SMALL) as bench:
        await bench.press("6")
        view_of(bench).gallery.go_to("identity-column")
        await looks_as_stored(bench)
