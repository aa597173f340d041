"""measure(block, fused, x, conditions): time every side, round by round, beside what arithmetic says."""

from __future__ import annotations

import copy
import math
from collections.abc import Generator, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from time import perf_counter

import torch
from torch import Tensor, nn

from tui.analysis.numerics.bfloat16 import Bfloat16WithoutMisreading
from tui.analysis.numerics.devices import device_named, name_of, refuse_dtype
from tui.analysis.progress import Doing
from tui.analysis.speed.compiling import compiled, why_not_compiled
from tui.analysis.speed.conditions import SHORTEST, Conditions, MemoryFormat
from tui.analysis.speed.devices import Clock, Stopwatch, stopwatch_for
from tui.analysis.speed.expected import rounds_within
from tui.analysis.speed.memory import bytes_needed, refuse_too_large
from tui.analysis.speed.peaks import peaks_of
from tui.analysis.speed.remarks import nothing_to_fold, remarks_after, remarks_before
from tui.analysis.speed.report import Machine, Side, SpeedReport
from tui.analysis.speed.sides import sides_of
from tui.analysis.speed.timing import Timing
from tui.analysis.speed.work import Shapes, bytes_of_parameters, shapes_of
from tui.fusion.block import ReparamBlock
from tui.fusion.torch_dtypes import dtype_of

MOST_RUNS = 10_000
LONG = 0.3
"""Seconds of a run beyond which the first one tells enough of how long it takes."""

_FORMATS = {
    MemoryFormat.CONTIGUOUS: torch.contiguous_format,
    MemoryFormat.CHANNELS_LAST: torch.channels_last,
}

Step = Doing | SpeedReport


def measure(
    block: ReparamBlock,
    fused: nn.Conv2d,
    x: Tensor,
    conditions: Conditions,
    *,
    clock: Clock = perf_counter,
    with_peaks: bool = True,
) -> Iterator[Step]:
    """Yield a Doing before each larger piece, and a SpeedReport after each round, the last one `is_done`.

    The first report has no timing yet. To stop, close the iterator, or let it go: between two rounds nothing
    runs, and the number of threads is what it was. Nothing that is given is changed, and no value of a run is
    kept.

    x: (batch, in_channels, H, W) in the block's dtype. `clock`: seconds, for devices without events of their
    own. `with_peaks`: whether the machine's peaks are measured, after the rounds.

    Raises:
        FusionError: a batch norm cannot be folded.
        DeviceError: the device is not here.
        MeasuringError: the memory does not suffice.
        RuntimeError: torch could not do it.
    """
    yield from measure_sides(sides_of(block, fused), x, conditions, clock=clock, with_peaks=with_peaks)


def measure_sides(
    sides: Mapping[Side, nn.Module],
    x: Tensor,
    conditions: Conditions,
    *,
    clock: Clock = perf_counter,
    with_peaks: bool = True,
) -> Iterator[Step]:
    """As `measure`, of any modules that take x: a whole model, unfused and fused.

    Raises:
        DeviceError, MeasuringError, RuntimeError: as `measure`.
    """
    device = device_named(conditions.device)
    refuse_dtype(x.dtype, device)
    yield Doing("counting what each side does")
    shapes = {side: shapes_of(module, x) for side, module in sides.items()}
    parameters = sum(map(bytes_of_parameters, sides.values()))
    refuse_too_large(bytes_needed(shapes.values(), parameters, x, device, with_peaks=with_peaks), device)
    with threads(conditions.threads):
        report = SpeedReport(
            conditions,
            Machine(name_of(device), torch.get_num_threads(), torch.__version__),
            dtype_of(x.dtype).value,
            _nchw(x),
            {side: each.work for side, each in shapes.items()},
            remarks=remarks_before(x.dtype, device, shapes),
        )
        yield report
        stopwatch = stopwatch_for(device, clock)
        runs, why = yield from _prepared(sides, shapes, x, conditions, device)
        is_compiled = conditions.compiled and not why
        report = replace(
            report, conditions=replace(conditions, compiled=is_compiled), remarks=report.remarks + why
        )
        report = yield from _rounds(report, runs, stopwatch)
        if with_peaks:
            yield Doing("measuring what this machine reaches")
            with torch.inference_mode():
                report = replace(report, peaks=peaks_of(x.dtype, device, stopwatch))
        yield replace(report, remarks=report.remarks + remarks_after(report, stopwatch.busy), is_done=True)


@contextmanager
def threads(number: int | None) -> Iterator[None]:
    """Inside `with`, an operation on the CPU has so many threads; None for as many as it has."""
    before = torch.get_num_threads()
    if number is None or number == before:
        yield
        return
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@dataclass(frozen=True, slots=True)
class _Run:
    """A side, ready to run.

    Attributes:
        times: how often it runs for one timing.
        lasts: seconds of one timing, about.
    """

    side: Side
    module: nn.Module
    x: Tensor
    is_misread: bool
    times: int = 1
    lasts: float = 0.0

    def timed(self, stopwatch: Stopwatch, times: int) -> float:
        """Seconds of one run."""
        with ExitStack() as inside:
            inside.enter_context(torch.inference_mode())
            if self.is_misread:
                inside.enter_context(Bfloat16WithoutMisreading())
            return stopwatch.seconds(partial(self.module, self.x), times)

    def calibrated(self, stopwatch: Stopwatch) -> _Run:
        """Run a few times, which warms it up; then it runs often enough for a timing."""
        times, seconds = 1, self.timed(stopwatch, 1)
        while seconds < LONG:
            seconds = self.timed(stopwatch, times)
            if seconds * times >= SHORTEST or times >= MOST_RUNS:
                break
            times = min(MOST_RUNS, max(2 * times, math.ceil(SHORTEST / max(seconds, 1e-9))))
        return replace(self, times=times, lasts=times * seconds)


def _prepared(
    sides: Mapping[Side, nn.Module],
    shapes: Mapping[Side, Shapes],
    x: Tensor,
    conditions: Conditions,
    device: torch.device,
) -> Generator[Step, None, tuple[list[_Run], tuple[str, ...]]]:
    """Each side on its device and in its format, compiled where that is wished for; and why not."""
    layout = _FORMATS[conditions.memory_format]
    image = x.detach().to(device).contiguous(memory_format=layout)
    own = copy.deepcopy(dict(_distinct(sides, shapes)))  # at once, so that what they share stays shared
    modules: dict[Side, nn.Module] = {}
    for side, module in own.items():
        modules[side] = module.to(device).to(memory_format=layout)  # type: ignore[call-overload]  # torch's
    misread = {
        side: x.dtype in (torch.bfloat16, torch.float16) and device.type == "cpu" and shapes[side].is_misread
        for side in own
    }
    why: tuple[str, ...] = ()
    if conditions.compiled:
        if any(misread.values()):
            why = ("not compiled: oneDNN has to be kept out of a convolution that it misreads in 16 bit",)
        else:
            modules, why = yield from _all_compiled(modules, image)
    return [_Run(side, module, image, misread[side]) for side, module in modules.items()], why


def _all_compiled(
    modules: Mapping[Side, nn.Module], x: Tensor
) -> Generator[Step, None, tuple[dict[Side, nn.Module], tuple[str, ...]]]:
    """All sides compiled, or none, with the reason."""
    made: dict[Side, nn.Module] = {}
    torch.compiler.reset()
    for number, (side, module) in enumerate(modules.items(), 1):
        yield Doing(f"compiling: {side}", number, len(modules))
        try:
            made[side] = compiled(module, x)
        except Exception as error:  # whatever the compiler ends in, it is no fault of the block
            return dict(modules), (f"not compiled: {why_not_compiled(error)}",)
    return made, ()


def _distinct(sides: Mapping[Side, nn.Module], shapes: Mapping[Side, Shapes]) -> Mapping[Side, nn.Module]:
    """Without the folded side where there is nothing to fold: it would be the unfused one once more."""
    is_same = nothing_to_fold(shapes)
    return {side: module for side, module in sides.items() if not (is_same and side is Side.FOLDED)}


def _rounds(
    report: SpeedReport, runs: list[_Run], stopwatch: Stopwatch
) -> Generator[Step, None, SpeedReport]:
    """Yield a report after each round, in which every side is timed once; return the last."""
    ready = []
    for number, run in enumerate(runs, 1):
        yield Doing(f"warming up: {run.side}", number, len(runs))
        ready.append(run.calibrated(stopwatch))
    count = rounds_within(sum(run.lasts for run in ready), report.conditions.rounds)
    seconds: dict[Side, tuple[float, ...]] = {run.side: () for run in ready}
    for number in range(count):
        for run in ready if number % 2 == 0 else reversed(ready):
            seconds[run.side] += (run.timed(stopwatch, run.times),)
        report = replace(report, timings={side: Timing(each) for side, each in seconds.items()})
        yield report
    return report


def _nchw(x: Tensor) -> tuple[int, int, int, int]:
    batch, channels, height, width = x.shape
    return batch, channels, height, width
