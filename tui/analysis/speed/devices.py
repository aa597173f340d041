"""Devices: which there are, what each is called, and how time is taken on it."""

from __future__ import annotations

import platform
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, thread_time
from typing import Protocol

import torch

from tui.analysis.speed.conditions import CPU
from tui.fusion.quoting import quoted
from tui.fusion.refusal import Refusal

CUDA, MPS = "cuda", "mps"
_MILLISECONDS = 1e3

Clock = Callable[[], float]


class MeasuringError(Refusal, RuntimeError):
    """A measurement that cannot be done; the message says why, and what to do."""


class Stopwatch(Protocol):
    """Takes the time of a run on one kind of device."""

    def seconds(self, run: Callable[[], object], times: int) -> float:
        """Seconds of one run, where it runs so many times."""
        ...

    @property
    def busy(self) -> float:
        """The share of the time in which the thread had a processor; 1 where nobody knows."""
        ...


def devices_here() -> tuple[str, ...]:
    """The devices that torch finds, as it names them.

    >>> devices_here()[0]
    'cpu'
    """
    found = [CPU]
    if torch.cuda.is_available():
        found += [CUDA, *(f"{CUDA}:{number}" for number in range(torch.cuda.device_count()))]
    if torch.backends.mps.is_available():
        found.append(MPS)
    return tuple(found)


def device_named(name: str) -> torch.device:
    """The device of that name.

    Raises:
        MeasuringError: it is not here; the message says which are.
    """
    there = devices_here()
    if name.strip().lower() not in there:
        raise MeasuringError(f"device {quoted(name)} is not here: there is {', '.join(there)}")
    return torch.device(name.strip().lower())


def refuse_dtype(dtype: torch.dtype, device: torch.device) -> None:
    """Stop where the device has no such numbers.

    Raises:
        MeasuringError: it has not.
    """
    if device.type == MPS and dtype is torch.float64:
        raise MeasuringError("device 'mps' has no float64: take float32, or the cpu")


def name_of(device: torch.device) -> str:
    """What the processor is called."""
    if device.type == CUDA:
        return torch.cuda.get_device_name(device)
    return _processor()


def _processor() -> str:
    """The CPU's name, as far as the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next((name for name in names if name), "") or platform.processor() or platform.machine()


def stopwatch_for(device: torch.device, clock: Clock = perf_counter) -> Stopwatch:
    """What takes the time on that device; `clock`: in seconds, where the device has none of its own."""
    if device.type == CUDA:
        return CudaEvents(device)
    if device.type == MPS:
        return WaitingClock(clock, torch.mps.synchronize)
    return WaitingClock(clock, worked=thread_time if clock is perf_counter else None)


class WaitingClock:
    """A clock, read when the device has nothing more to do."""

    def __init__(
        self, clock: Clock, wait: Callable[[], object] = lambda: None, worked: Clock | None = None
    ) -> None:
        """`worked`: seconds that this thread had a processor, where the device is one."""
        self._clock = clock
        self._wait = wait
        self._worked = worked
        self._timed = self._had = 0.0

    def seconds(self, run: Callable[[], object], times: int) -> float:
        """Seconds of one run, all of them in a row."""
        self._wait()
        worked = self._worked or (lambda: 0.0)
        had, start = worked(), self._clock()
        for _ in range(times):
            run()
        self._wait()
        lasted = self._clock() - start
        self._timed, self._had = self._timed + lasted, self._had + worked() - had
        return lasted / times

    @property
    def busy(self) -> float:
        """The share of the time in which this thread had a processor: else other programs had it."""
        return self._had / self._timed if self._worked is not None and self._timed else 1.0


class CudaEvents:
    """Events in the device's own queue, around each run; the L2 cache is emptied before it.

    So a run is found as it is in a model, where other layers have come between, and what the CPU needs to
    hand it over passes while the cache is written.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        size = int(getattr(torch.cuda.get_device_properties(device), "L2_cache_size", 0)) or 64 * 1024**2
        self._cache = torch.empty(2 * size, dtype=torch.int8, device=device)
        self.busy = 1.0

    def seconds(self, run: Callable[[], object], times: int) -> float:
        """Seconds of one run, each timed by itself."""
        with torch.cuda.device(self._device):
            pairs = [(_event(), _event()) for _ in range(times)]
            for start, end in pairs:
                self._cache.zero_()
                start.record()
                run()
                end.record()
            torch.cuda.synchronize(self._device)
            lasted: list[float] = [start.elapsed_time(end) for start, end in pairs]
            return sum(lasted) / _MILLISECONDS / times


def _event() -> torch.cuda.Event:
    return torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
