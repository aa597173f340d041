"""Somebody's module on the screen, as it looks: a model, a block of it on the bench, a refusal."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.app.test_checkpoint_comparing import compared
from tests.app.test_module_comparing import WRONG, net, wrongly_fused
from tests.checkpoint_files import write
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


@in_both_sizes
@pytest.mark.parametrize("key", ["", "c"], ids=["tree", "list"])
async def test_compare(
    open_module: OpenModule, looks_as_stored: LooksAsStored, tmp_path: Path, key: str
) -> None:
    looked = net()
    given = write(tmp_path / "fused.safetensors", wrongly_fused(looked))
    async with open_module(looked, given=given) as bench:
        await compared(bench)
        await bench.go_to(WRONG)
        if key:
            await bench.press(key)
        await looks_as_stored(bench)
