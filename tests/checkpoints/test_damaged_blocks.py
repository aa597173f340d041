"""Blocks of every kind, changed at random: recognised, or left alone with a reason, and never an error."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
import torch

from tests.checkpoints.families.every_block import STATES
from tests.checkpoints.families.held_against import entries_of
from tui.checkpoints.building import block_of, fused_tensors
from tui.checkpoints.contents import Entry
from tui.checkpoints.recognising import recognise
from tui.fusion.kernel import FusionError

SIZES = (0, 1, 2, 3, 6, 8, 16, 2**40)


def changed_shape(shape: tuple[int, ...], chance: random.Random) -> tuple[int, ...]:
    sizes = list(shape)
    match chance.randrange(4):
        case 0 if sizes:
            sizes[chance.randrange(len(sizes))] = chance.choice(SIZES)
        case 1 if sizes:
            del sizes[chance.randrange(len(sizes))]
        case 2:
            sizes.insert(chance.randint(0, len(sizes)), chance.choice(SIZES))
        case _:
            chance.shuffle(sizes)
    return tuple(sizes)


def damaged(entries: dict[str, Entry], chance: random.Random) -> dict[str, Entry]:
    """With one to three entries changed, renamed, doubled or gone."""
    changed = dict(entries)
    for _ in range(chance.randint(1, 3)):
        name = chance.choice(list(changed))
        entry = changed[name]
        match chance.randrange(5):
            case 0:
                del changed[name]
            case 1:
                changed[name] = replace(entry, dtype=chance.choice(["int8", "float16", "complex64", "bool"]))
            case 2:
                word = chance.choice(name.split("."))
                other = name.replace(word, chance.choice(["0", "conv", "", "weight", "rbr_1x1", "7"]), 1)
                changed[other] = replace(entry, name=other)
            case _:
                changed[name] = replace(entry, shape=changed_shape(entry.shape, chance))
        if not changed:
            return changed
    return changed


@pytest.mark.parametrize("place", range(len(STATES)))
def test_damaged_blocks_are_told_or_left(place: int) -> None:
    state = STATES[place]
    entries = entries_of(state)
    chance = random.Random(place)
    for _ in range(120):
        found = recognise(damaged(entries, chance), conv_bn=bool(chance.randrange(2)))
        for block in found.blocks:
            assert block.reads
            assert all(name not in found.rest for name in block.written_over)
            assert block.out_channels % block.groups == 0
            assert block.in_channels % block.groups == 0


@pytest.mark.parametrize("place", range(len(STATES)))
def test_what_is_found_in_a_damaged_file_can_be_fused(place: int) -> None:
    """Names gone or renamed, shapes as they are: whatever still is a block is one convolution."""
    chance = random.Random(place)
    for _ in range(6):
        state = dict(STATES[place])
        for name in chance.sample(sorted(state), chance.randint(1, 4)):
            del state[name]
        for block in recognise(entries_of(state)).blocks:
            try:
                tensors = fused_tensors(block, block_of(block, state.__getitem__))
            except FusionError as refusal:
                pytest.fail(f"{block.family}: {refusal}")
            assert [tensor.shape for tensor in tensors.values()] == [entry.shape for entry in block.fused]
            assert all(bool(torch.isfinite(tensor).all()) for tensor in tensors.values())
