"""Weight ranges by output channel, on the screen and by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.app.test_checkpoint_fusing import head, rows
from tests.checkpoint_files import model, write
from tests.driver import OpenCheckpoint
from tui.analysis.ranges import range_of
from tui.views.checkpoint.ranges_view import RangesView


async def test_the_widest_come_first_and_outliers_are_marked(
    open_checkpoint: OpenCheckpoint, tmp_path: Path
) -> None:
    state = model()
    state["stages.1.0.conv_kxk.0.bn.weight"][2] = 1000.0
    async with open_checkpoint(write(tmp_path / "model.safetensors", state)) as bench:
        await bench.press("w")
        await bench.until(lambda: "fused kernels have" in head(bench, RangesView))
        assert rows(bench, RangesView)[0].startswith("! stages.1.0")
        assert head(bench, RangesView).startswith("1 of 3")
        words = bench.words("#detail-words")
        first = words[words.index("BY OUTPUT CHANNEL") :].splitlines()[2]
        assert first.startswith("! 2 ")
        assert "conv_kxk.0" in words
        await bench.press("enter")
        await bench.result()
        await bench.press("escape", "escape")
        assert bench.app.focused is bench.screen.outline.rows


async def test_of_a_file_that_is_gone_it_is_told(open_checkpoint: OpenCheckpoint, tmp_path: Path) -> None:
    path = write(tmp_path / "model.safetensors")
    async with open_checkpoint(path) as bench:
        path.unlink()
        await bench.press("w")
        await bench.until(lambda: "no longer there" in head(bench, RangesView))


def test_ranges_by_hand() -> None:
    weight = torch.tensor([[1.0, -3.0], [2.0, 2.0], [0.0, 0.0], [-50.0, 50.0], [5.0, 1.0]]).view(5, 1, 1, 2)
    made = range_of("fused", weight)
    assert [(each.least, each.largest, each.deviation) for each in made.channels] == [
        (-3, 1, 2),
        (2, 2, 0),
        (0, 0, 0),
        (-50, 50, 50),
        (1, 5, 2),
    ]
    assert made.median == 3
    assert made.ratio == pytest.approx(50 / 3)
    assert [each.channel for each in made.outliers] == [3]
    assert [each.channel for each in made.worst_first] == [3, 4, 0, 1, 2]


def test_a_kernel_of_zeros_and_one_with_a_nan() -> None:
    assert range_of("fused", torch.zeros(3, 2)).ratio == 1.0
    assert range_of("fused", torch.zeros(3, 2)).outliers == ()
    odd = range_of("fused", torch.tensor([[1.0], [float("nan")], [2.0]]))
    assert [each.channel for each in odd.outliers] == [1]
