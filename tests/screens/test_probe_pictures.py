"""The probe as it looks, in pictures whose every figure is the same on every machine."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.driver import LARGE, MEDIUM, SMALL, LooksAsStored, OpenBench
from tests.specs import EXACT
from tui.fusion.grammar.fields import spec_from
from tui.fusion.specs.block_spec import Dtype, PaddingMode

Size = tuple[int, int]


def name_of(size: Size) -> str:
    return f"{size[0]}x{size[1]}"


NORMED = EXACT.with_branches(batch_norm=True)
ROUNDED_16 = replace(NORMED, dtype=Dtype.BFLOAT16, in_channels=8, out_channels=8)
REFLECTED = replace(EXACT, padding_mode=PaddingMode.REFLECT)
SEQUENCE = spec_from({"branches": "kxk+alpha,1x1-kxk+inner,identity"}, replace(EXACT, post_norm=True))


@pytest.mark.sizes(SMALL, MEDIUM)
async def test_probe(open_bench: OpenBench, looks_as_stored: LooksAsStored) -> None:
    async with open_bench(ROUNDED_16) as bench:
        await bench.press("4")
        await looks_as_stored(bench)


async def test_padding_in_hexadecimal(open_bench: OpenBench, looks_as_stored: LooksAsStored) -> None:
    async with open_bench(REFLECTED, SMALL) as bench:
        await bench.press("4", "0")
        await looks_as_stored(bench)


async def test_side_by_side(open_bench: OpenBench, looks_as_stored: LooksAsStored) -> None:
    async with open_bench(SEQUENCE, LARGE) as bench:
        await bench.press("4", "tab", "tab")
        await looks_as_stored(bench)
