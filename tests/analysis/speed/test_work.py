"""What a side has to do: counted by hand where it is little, held against the cost where it is not."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from tests.fusion.strategies import filled_block, filled_input
from tui.analysis.cost import cost_of
from tui.analysis.speed.arithmetic import Work
from tui.analysis.speed.report import Side
from tui.analysis.speed.sides import Added, Framed, sides_of
from tui.analysis.speed.work import shapes_of, work_of
from tui.fusion.presets import PRESETS

CHANNELS, HEIGHT, WIDTH, BATCH = 4, 6, 5, 2
PIXELS = BATCH * HEIGHT * WIDTH
IMAGE = PIXELS * CHANNELS
X = torch.ones(BATCH, CHANNELS, HEIGHT, WIDTH)
CONV = nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1)
WEIGHTS = CHANNELS * CHANNELS * 9 + CHANNELS
FLOAT32, BFLOAT16 = 4, 2


def test_a_convolution_reads_image_and_weights_and_writes_its_output() -> None:
    macs = PIXELS * CHANNELS * CHANNELS * 9
    assert work_of(CONV, X) == Work(WEIGHTS, macs, FLOAT32 * (IMAGE + WEIGHTS), FLOAT32 * IMAGE, 1)


def test_half_the_bytes_in_a_dtype_of_half_the_size() -> None:
    narrow = nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1, dtype=torch.bfloat16)
    assert work_of(narrow, X.bfloat16()).bytes == BFLOAT16 * (2 * IMAGE + WEIGHTS)


def test_groups_and_stride_save_multiplications() -> None:
    conv = nn.Conv2d(CHANNELS, CHANNELS, 3, stride=2, padding=1, groups=2, bias=False)
    assert work_of(conv, X).macs == BATCH * 3 * 3 * CHANNELS * (CHANNELS // 2) * 9


def test_a_norm_reads_four_numbers_a_channel() -> None:
    norm = nn.BatchNorm2d(CHANNELS).eval()
    assert work_of(norm, X) == Work(2 * CHANNELS, 0, FLOAT32 * (IMAGE + 4 * CHANNELS), FLOAT32 * IMAGE, 1)


def test_a_sum_reads_both_and_an_identity_does_nothing() -> None:
    both = Added([CONV, nn.Sequential()])
    one = work_of(CONV, X)
    assert work_of(both, X) == replace(
        one,
        bytes_read=one.bytes_read + 2 * FLOAT32 * IMAGE,
        bytes_written=one.bytes_written + FLOAT32 * IMAGE,
        operations=2,
    )


def test_what_is_written_over_is_not_read() -> None:
    framed = work_of(Framed((1, 1, 1, 1), torch.ones(CHANNELS)), X)
    whole = BATCH * CHANNELS * (HEIGHT + 2) * (WIDTH + 2)
    edges = BATCH * CHANNELS * 2 * ((HEIGHT + 2) + (WIDTH + 2))
    assert framed.bytes_written == FLOAT32 * (whole + edges)
    assert framed.bytes_read == FLOAT32 * (IMAGE + 4 * CHANNELS)


class Mixed(nn.Module):
    """Something that no block is."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x.flatten(2).transpose(1, 2) @ x.flatten(2)).view(1, 1, 1, -1)


def test_any_module_is_counted_and_a_view_costs_nothing() -> None:
    x = torch.ones(1, 3, 2, 2)
    work = work_of(Mixed(), x)
    assert (work.operations, work.macs) == (2, 4 * 3 * 4)
    assert work.bytes_written == FLOAT32 * 2 * 16


@pytest.mark.parametrize("name", PRESETS)
def test_parameters_and_macs_are_those_of_the_cost(name: str) -> None:
    spec = PRESETS[name].spec
    spec = replace(spec if spec.in_channels < 8 else spec.with_in_channels(8), input_shape=(9, 8))
    block, x = filled_block(spec), filled_input(spec)
    cost = cost_of(spec)
    work = {side: work_of(module, x) for side, module in sides_of(block, block.fuse()).items()}
    assert (work[Side.UNFUSED].params, work[Side.FUSED].params) == (cost.params.unfused, cost.params.fused)
    assert (work[Side.UNFUSED].macs, work[Side.FUSED].macs) == (cost.macs.unfused, cost.macs.fused)
    assert work[Side.UNFUSED].bytes >= work[Side.FOLDED].bytes


def test_the_most_memory_is_what_is_held_at_the_worst_moment() -> None:
    image = FLOAT32 * IMAGE
    relus = nn.Sequential(*(nn.ReLU() for _ in range(5)))
    assert shapes_of(relus, X).bytes == 2 * image  # each result is let go when the next is there
    side_by_side = Added([nn.ReLU() for _ in range(5)])
    assert shapes_of(side_by_side, X).bytes == 3 * image  # the sum so far, a summand, and their sum


def test_nothing_is_computed_and_nothing_changed() -> None:
    huge = torch.empty(1, 1).expand(10**6, 10**6)[None, None]  # of which one number is there
    assert work_of(nn.Conv2d(1, 1, 1), huge).macs == 10**12
    assert CONV.weight.device.type == X.device.type == "cpu"
