"""How time is taken on a device, by its kind."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter, thread_time
from typing import Protocol

import torch

from tui.analysis.numerics.devices import CUDA, MPS
from tui.fusion.refusal import Refusal

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
