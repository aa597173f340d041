"""The rounds of a measurement, by a clock that is made up: no test here says how long anything takes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.fusion.strategies import with_wild_norms
from tui.analysis.numerics.devices import DeviceError
from tui.analysis.progress import Doing
from tui.analysis.speed import measuring, memory, peaks
from tui.analysis.speed.arithmetic import Peaks
from tui.analysis.speed.conditions import BUDGET, FEWEST_ROUNDS, SHORTEST, Conditions, MemoryFormat
from tui.analysis.speed.devices import MeasuringError
from tui.analysis.speed.measuring import Step, measure
from tui.analysis.speed.remarks import FLOAT16_ON_A_CPU, MISREAD, NOTHING_TO_FOLD
from tui.analysis.speed.report import Side, SpeedReport
from tui.fusion.block import ReparamBlock, build_block
from tui.fusion.fill import fill_block, make_input
from tui.fusion.grammar.branch_text import parse_branches
from tui.fusion.presets import PRESETS
from tui.fusion.specs.block_spec import BlockSpec, Dtype
from tui.fusion.torch_dtypes import torch_dtype

ALONE = Conditions(threads=1)
"""Two threads wait for each other for long where other tests run beside them."""
SMALL = replace(PRESETS["repvgg"].spec.with_in_channels(4), input_shape=(6, 5))


class Made:
    """A clock by which each timing lasts so long as a function of its number says."""

    def __init__(self, lasts: Callable[[int], float]) -> None:
        self._lasts = lasts
        self._reads = 0
        self._now = 0.0

    def __call__(self) -> float:
        if self._reads % 2:
            self._now += self._lasts(self._reads // 2)
        self._reads += 1
        return self._now


def steady(seconds: float) -> Made:
    return Made(lambda _: seconds)


def measured(
    spec: BlockSpec = SMALL, conditions: Conditions = ALONE, clock: Made | None = None, **options: Any
) -> Iterator[Step]:
    block = with_wild_norms(fill_block(build_block(spec).to(torch_dtype(spec.dtype)), spec))
    options = {"with_peaks": False} | options
    return measure(block, block.fuse(), make_input(spec), conditions, clock=clock or steady(0.02), **options)


def reports(steps: Iterator[Step]) -> list[SpeedReport]:
    return [step for step in steps if isinstance(step, SpeedReport)]


def test_each_report_knows_a_round_more_and_the_last_is_done() -> None:
    first, *later, last = reports(measured())
    assert (first.rounds, first.timings, first.is_done) == (0, {}, False)
    assert first.work[Side.UNFUSED].macs > first.work[Side.FUSED].macs
    assert [report.rounds for report in later] == list(range(1, Conditions().rounds + 1))
    assert not any(report.is_done for report in later)
    assert last.is_done
    assert last.timings == later[-1].timings
    assert set(last.timings) == set(Side)
    assert last.timings[Side.FUSED].seconds == pytest.approx([0.02] * 31)


@pytest.mark.parametrize(
    ("lasts", "rounds"), [(0.02, 31), (BUDGET / 30, 10), (1.0, FEWEST_ROUNDS), (100.0, FEWEST_ROUNDS)]
)
def test_slow_blocks_get_fewer_rounds(lasts: float, rounds: int) -> None:
    assert reports(measured(clock=steady(lasts)))[-1].rounds == rounds


def test_no_more_rounds_than_are_asked_for() -> None:
    assert reports(measured(conditions=Conditions(threads=1, rounds=2)))[-1].rounds == 2


def test_fewer_rounds_than_were_asked_for_are_told() -> None:
    last = reports(measured(conditions=Conditions(threads=1, rounds=200), clock=steady(1.0)))[-1]
    assert any(each.startswith("5 rounds were made of the 200 that were asked for") for each in last.remarks)
    for rounds in (5, Conditions().rounds):  # all of them; and a number that nobody asked for
        last = reports(measured(conditions=Conditions(threads=1, rounds=rounds), clock=steady(1.0)))[-1]
        assert not any("asked for" in each for each in last.remarks)


def test_a_short_run_is_repeated_until_the_clock_can_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    each = SHORTEST / 8
    asked: list[int] = []

    class Watch:
        busy = 1.0

        def seconds(self, run: Callable[[], object], times: int) -> float:
            asked.append(times)
            return each

    monkeypatch.setattr(measuring, "stopwatch_for", lambda *_: Watch())
    last = reports(measured(conditions=Conditions(threads=1, rounds=1)))[-1]
    assert last.timings[Side.FUSED].seconds == (each,)
    assert asked == [1, 1, 8] * 3 + [8] * 3


def test_the_sides_take_turns_and_the_other_one_begins_each_time() -> None:
    clock = Made(lambda number: 0.02 + number / 1e6)
    last = reports(measured(conditions=Conditions(threads=1, rounds=3), clock=clock))[-1]
    orders = []
    for place in range(3):
        seconds = {side: timing.seconds[place] for side, timing in last.timings.items()}
        orders.append(sorted(seconds, key=lambda side: seconds[side]))
    one, other = list(Side), list(reversed(Side))
    assert orders == [one, other, one]


def test_warming_up_is_left_out() -> None:
    clock = Made(lambda number: 5.0 if number < 3 else 0.02)
    last = reports(measured(conditions=Conditions(threads=1, rounds=2), clock=clock))[-1]
    assert max(max(timing.seconds) for timing in last.timings.values()) < 1


def test_each_larger_piece_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "peaks_of", lambda *_: Peaks(1e12, 1e11))
    words = [step.words for step in measured(with_peaks=True) if isinstance(step, Doing)]
    assert words[0] == "counting what each side does"
    assert [f"warming up: {side}" in words for side in Side] == [True] * 3
    assert words[-1] == "measuring what this machine reaches"


def test_the_peaks_come_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peaks, "_COPIED_ELSEWHERE", 1 << 16)
    one = Conditions(threads=1, rounds=1)
    *before, last = reports(measured(conditions=one, clock=steady(0.03), with_peaks=True))
    assert all(report.peaks is None for report in before)
    assert last.peaks is not None
    assert last.peaks.flops == pytest.approx(2 * 256**3 / 0.03)
    assert last.peaks.bandwidth == pytest.approx(2 * (1 << 16) / 0.03)


def other_number() -> int:
    return 1 if torch.get_num_threads() > 1 else 2


@pytest.mark.parametrize("ending", ["end", "close", "error"])
def test_the_number_of_threads_is_what_it_was(ending: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before, wished = torch.get_num_threads(), other_number()
    steps = measured(conditions=Conditions(threads=wished, rounds=2))
    for step in steps:
        if isinstance(step, SpeedReport):
            assert step.machine.threads == torch.get_num_threads() == wished
            break
    match ending:
        case "end":
            assert list(steps)
        case "close":
            steps.close()  # type: ignore[attr-defined]  # it is a generator
        case "error":
            monkeypatch.setattr(measuring, "Timing", None)
            with pytest.raises(TypeError):
                list(steps)
    assert torch.get_num_threads() == before


def test_nothing_leaks_into_who_reads_the_reports() -> None:
    for _ in measured(conditions=Conditions(threads=1, rounds=2)):
        assert not torch.is_inference_mode_enabled()
        assert torch.is_grad_enabled()


def test_it_runs_in_a_thread_of_its_own() -> None:
    found: list[SpeedReport] = []
    thread = threading.Thread(target=lambda: found.extend(reports(measured())))
    thread.start()
    thread.join()
    assert found[-1].is_done


def test_block_and_convolution_stay_as_they_are() -> None:
    block = fill_block(build_block(SMALL), SMALL)
    fused, x = block.fuse(), make_input(SMALL)
    strides = [tensor.stride() for tensor in (*block.parameters(), *fused.parameters(), x)]
    before = {name: value.clone() for name, value in block.state_dict().items()}
    conditions = Conditions(memory_format=MemoryFormat.CHANNELS_LAST, rounds=1)
    list(measure(block, fused, x, conditions, clock=steady(0.02), with_peaks=False))
    assert [tensor.stride() for tensor in (*block.parameters(), *fused.parameters(), x)] == strides
    assert all(torch.equal(value, before[name]) for name, value in block.state_dict().items())


def seen_by_the_runs(monkeypatch: pytest.MonkeyPatch, spec: BlockSpec, conditions: Conditions) -> list[Any]:
    """What the images and weights of the timed convolutions are."""
    seen: list[Any] = []

    def watched(self: nn.Conv2d, x: Tensor) -> Tensor:
        if x.device.type != "meta":
            seen.append((x, self.weight, torch.is_inference_mode_enabled()))
        return torch.nn.functional.conv2d(
            x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups
        )

    monkeypatch.setattr(nn.Conv2d, "forward", watched)
    list(measured(spec, conditions))
    return seen


@pytest.mark.parametrize("layout", MemoryFormat)
def test_image_and_weights_lie_in_memory_as_they_should(
    monkeypatch: pytest.MonkeyPatch, layout: MemoryFormat
) -> None:
    seen = seen_by_the_runs(monkeypatch, SMALL, Conditions(memory_format=layout, rounds=1))
    expected = {
        MemoryFormat.CONTIGUOUS: torch.contiguous_format,
        MemoryFormat.CHANNELS_LAST: torch.channels_last,
    }[layout]
    for x, weight, inference in seen:
        assert x.is_contiguous(memory_format=expected)
        assert weight.is_contiguous(memory_format=expected)
        assert inference
        assert x.dtype is weight.dtype is torch.float32


def test_float16_is_timed_as_it_is_and_said_to_be_of_little_meaning(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = replace(SMALL, dtype=Dtype.FLOAT16)
    assert {x.dtype for x, _, _ in seen_by_the_runs(monkeypatch, spec, Conditions(threads=1, rounds=1))} == {
        torch.float16
    }
    assert FLOAT16_ON_A_CPU in reports(measured(spec, Conditions(threads=1, rounds=1)))[-1].remarks
    assert reports(measured(SMALL, Conditions(threads=1, rounds=1)))[-1].remarks == ()


def test_what_ends_the_process_in_bfloat16_is_kept_from_onednn() -> None:
    misread = BlockSpec(
        8, 8, (8, 8), branches=parse_branches("kxk"), input_shape=(9, 9), dtype=Dtype.BFLOAT16
    )
    assert MISREAD in reports(measured(misread, Conditions(threads=1, rounds=1)))[-1].remarks
    in_float32 = replace(misread, dtype=Dtype.FLOAT32)
    assert MISREAD not in reports(measured(in_float32, Conditions(threads=1, rounds=1)))[-1].remarks


def test_without_a_norm_there_is_no_third_side_to_time() -> None:
    last = reports(measured(PRESETS["residual"].spec, Conditions(threads=1, rounds=1)))[-1]
    assert set(last.timings) == {Side.UNFUSED, Side.FUSED}
    assert set(last.work) == set(Side)
    assert NOTHING_TO_FOLD in last.remarks


def test_each_side_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[nn.Module] = []

    def compiled(module: nn.Module, x: Tensor) -> nn.Module:
        made.append(module)
        return module

    monkeypatch.setattr(measuring, "compiled", compiled)
    steps = list(measured(conditions=Conditions(compiled=True, rounds=1)))
    told = [step for step in steps if isinstance(step, Doing) and step.words.startswith("compiling")]
    assert [(step.number, step.count) for step in told] == [(1, 3), (2, 3), (3, 3)]
    assert len(made) == 3
    assert reports(iter(steps))[-1].remarks == ()


def test_why_nothing_is_compiled_is_said_and_it_is_timed_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(module: nn.Module, **_: Any) -> Any:
        def run(x: Tensor) -> Tensor:
            raise RuntimeError("backend failed") from OSError("no working C++ compiler\x1b[31m\nand more")

        return run

    monkeypatch.setattr(torch, "compile", fails)
    last = reports(measured(conditions=Conditions(compiled=True, rounds=1)))[-1]
    assert last.remarks == ("not compiled: no working C++ compiler\\x1b[31m",)
    assert last.rounds == 1
    assert not last.conditions.compiled


@pytest.mark.parametrize("name", ["cuda:99", "tpu", "", "mps:3"])
def test_a_device_that_is_not_here_is_refused_with_those_that_are(name: str) -> None:
    with pytest.raises(DeviceError, match=r"is not here: there is cpu"):
        next(measured(conditions=Conditions(device=name)))


def test_what_does_not_fit_is_refused_before_anything_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "memory_free", lambda _: 50_000_000)
    with pytest.raises(MeasuringError, match=r"needs about .* of memory and 50.0 MB are free: take fewer"):
        reports(measured(clock=Made(lambda _: pytest.fail("it was timed"))))


def test_a_block_that_is_given_as_it_is_needs_no_spec() -> None:
    block: ReparamBlock = build_block(SMALL).double()
    x = torch.rand(2, 4, 7, 7, dtype=torch.float64)
    steps = measure(block, block.fuse(), x, Conditions(rounds=1), clock=steady(0.02), with_peaks=False)
    last = reports(steps)[-1]
    assert last.dtype == "float64"
    assert last.input_nchw == (2, 4, 7, 7)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_on_cuda() -> None:
    last = reports(measured(conditions=Conditions(device="cuda", rounds=3), with_peaks=True))[-1]
    assert last.rounds == 3
    assert last.machine.device == torch.cuda.get_device_name()
    assert last.peaks is not None


@pytest.mark.skipif(not torch.backends.mps.is_available(), reason="there is no MPS device")
def test_on_mps() -> None:
    assert reports(measured(conditions=Conditions(device="mps", rounds=3), with_peaks=True))[-1].rounds == 3
