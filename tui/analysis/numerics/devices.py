"""Devices: which there are, which of them has which numbers, and what each is called."""

from __future__ import annotations

import platform
from pathlib import Path

import torch

from tui.analysis.numerics.ran_on import CPU, ON_THE_CPU, RanOn
from tui.fusion.quoting import quoted
from tui.fusion.refusal import Refusal

CUDA, MPS = "cuda", "mps"


class DeviceError(Refusal, RuntimeError):
    """Something that a device cannot do; the message says why, and what to do."""


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
        DeviceError: it is not here; the message says which are.
    """
    if name == CPU:  # without a look at the others, which takes a while
        return torch.device(CPU)
    there = devices_here()
    if name.strip().lower() not in there:
        raise DeviceError(f"device {quoted(name)} is not here: there is {', '.join(there)}")
    return torch.device(name.strip().lower())


def refuse_dtype(dtype: torch.dtype, device: torch.device) -> None:
    """Stop where the device has no such numbers.

    Raises:
        DeviceError: it has not.
    """
    if device.type == MPS and dtype is torch.float64:
        raise DeviceError("device 'mps' has no float64: take float32, or the cpu")


def name_of(device: torch.device) -> str:
    """What the processor is called."""
    if device.type == CUDA:
        return torch.cuda.get_device_name(device)
    return _processor()


def has_tf32_on(device: torch.device, dtype: torch.dtype) -> bool:
    """Whether convolutions of these numbers there take 10 bits of each factor."""
    return device.type == CUDA and dtype is torch.float32 and bool(torch.backends.cudnn.allow_tf32)


def ran_on(device: torch.device, dtype: torch.dtype) -> RanOn:
    """What is told of a study of these numbers there."""
    if device.type == CPU:
        return ON_THE_CPU
    return RanOn(str(device), name_of(device), has_tf32_on(device, dtype))


def _processor() -> str:
    """The CPU's name, as far as the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next((name for name in names if name), "") or platform.processor() or platform.machine()
