"""What a measurement holds, known before anything of it is made."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from tests.fusion.strategies import filled_block, filled_input
from tui.analysis.speed import memory
from tui.analysis.speed.devices import MeasuringError
from tui.analysis.speed.memory import bytes_for, bytes_needed, memory_free, refuse_too_large
from tui.analysis.speed.sides import sides_of
from tui.analysis.speed.work import bytes_of_parameters, shapes_of
from tui.fusion.presets import PRESETS
from tui.fusion.specs.block_spec import Dtype

CPU = torch.device("cpu")


@pytest.mark.parametrize("name", PRESETS)
def test_a_block_is_estimated_without_being_made(name: str) -> None:
    spec = PRESETS[name].spec
    spec = replace(spec if spec.in_channels < 8 else spec.with_in_channels(8), dtype=Dtype.FLOAT64)
    block, x = filled_block(spec), filled_input(spec)
    sides = sides_of(block, block.fuse())
    shapes = [shapes_of(module, x) for module in sides.values()]
    made = bytes_needed(shapes, sum(map(bytes_of_parameters, sides.values())), x, CPU)
    assert bytes_for(spec) == pytest.approx(made, rel=0.001)


def test_what_no_machine_holds_is_estimated_too() -> None:
    spec = replace(PRESETS["repvgg"].spec, batch_size=1000, input_shape=(1000, 1000))
    image = 64 * 1000**3 * 4
    assert 4 * image < bytes_for(spec) < 10 * image


def test_the_copy_by_which_the_peak_is_measured_is_counted() -> None:
    x = torch.empty(1, 1, 1, 1)
    with_it, without = (bytes_needed([], 0, x, CPU, with_peaks=peaks) for peaks in (True, False))
    assert with_it - without == 2 * (1 << 27)


def test_only_what_is_free_may_be_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    free = memory_free(CPU)
    assert free is not None
    assert free > 0
    monkeypatch.setattr(memory, "memory_free", lambda _: 2_000_000_000)
    refuse_too_large(2_000_000_000, CPU)
    with pytest.raises(MeasuringError, match=r"needs about 2.1 GB of memory and 2.0 GB are free: take fewer"):
        refuse_too_large(2_100_000_000, CPU)
    monkeypatch.setattr(memory, "memory_free", lambda _: None)
    refuse_too_large(10**18, CPU)
