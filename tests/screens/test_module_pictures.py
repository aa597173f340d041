"""Somebody's module on the screen, as it looks: a model, a block of it on the bench, a refusal."""

from __future__ import annotations

import pytest
import torch

from tests.driver import MEDIUM, SMALL, LooksAsStored, OpenModule
from tests.modules.small_models import Block, Net, whole_numbers
from tui.modules.looking import look_at

in_both_sizes = pytest.mark.sizes(SMALL, MEDIUM)


@in_both_sizes
async def test_model(open_module: OpenModule, looks_as_stored: LooksAsStored) -> None:
    async with open_module(look_at(whole_numbers(Net()))) as bench:
        await bench.go_to("stages.0")
        await looks_as_stored(bench)


@in_both_sizes
async def test_refusal(open_module: OpenModule, looks_as_stored: LooksAsStored) -> None:
    async with open_module(look_at(whole_numbers(Net()))) as bench:
        await bench.press("b")
        await bench.go_to("after")
        await looks_as_stored(bench)


@in_both_sizes
async def test_block(open_module: OpenModule, looks_as_stored: LooksAsStored) -> None:
    x = torch.arange(60.0).view(1, 2, 5, 6) % 7 - 3
    async with open_module(look_at(whole_numbers(Block()), x, "blocks.py:Block")) as bench:
        await bench.result()
        await looks_as_stored(bench)
