"""What a study was estimated to take, and what it took: `python -m tests.bench.bench_estimate`; run by hand.

Each block is studied in a process of its own, on one thread. Memory is the most that is resident (VmHWM)
above what is when torch and the study are imported, so Linux only. To hold: within a factor of 2.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

from tui.analysis.estimate import estimate_of
from tui.fusion.grammar.branch_text import parse_branches
from tui.fusion.presets import PRESETS
from tui.fusion.specs.block_spec import BlockSpec, Dtype

MEGABYTE = 1e6

_REPVGG = PRESETS["repvgg"].spec
_DENSE = {
    f"dense {channels} k {size} {pixels}x{pixels}": replace(
        _REPVGG,
        in_channels=channels,
        out_channels=channels,
        kernel_size=(size, size),
        input_shape=(pixels, pixels),
    )
    for channels, size, pixels in (
        (16, 3, 56),
        (64, 3, 56),
        (64, 3, 224),
        (64, 7, 56),
        (128, 3, 28),
        (256, 3, 56),
        (512, 3, 14),
        (512, 3, 56),
        (256, 7, 28),
    )
}
_GROUPED = {
    f"{groups} groups of {channels // groups} k {size} {pixels}x{pixels}": replace(
        _REPVGG,
        in_channels=channels,
        out_channels=channels,
        groups=groups,
        kernel_size=(size, size),
        input_shape=(pixels, pixels),
    )
    for channels, groups, size, pixels in (
        (64, 4, 3, 56),
        (256, 8, 3, 56),
        (64, 64, 3, 56),
        (64, 64, 31, 56),
        (512, 512, 3, 56),
        (256, 256, 7, 112),
    )
}
_PRESETS = {
    name: PRESETS[name].spec for name in ("residual", "dbb", "mobileone", "unireplknet", "repmixer", "repvit")
}
_OTHERS = {
    "1x1-kxk over 256 channels": replace(
        _REPVGG, branches=parse_branches("kxk+norm-bias,1x1-kxk+norm+inner-bias+x4")
    ),
    "stride 2 224x224": replace(PRESETS["repvgg-downsample"].spec, input_shape=(224, 224)),
    "256 to 16 channels": replace(PRESETS["repconv"].spec, in_channels=256, out_channels=16),
    "16 to 256 channels": replace(PRESETS["repconv"].spec, in_channels=16, out_channels=256),
    "replknet 256 128x128": replace(PRESETS["replknet"].spec.with_in_channels(256), input_shape=(128, 128)),
}
_BLOCKS = _DENSE | _GROUPED | _PRESETS | _OTHERS
_IN_8 = {
    f"{name}, batch 8": replace(_BLOCKS[name], batch_size=8)
    for name in (
        "dense 64 k 3 56x56",
        "dense 256 k 3 56x56",
        "4 groups of 16 k 3 56x56",
        "64 groups of 1 k 3 56x56",
    )
}
_IN_OTHERS = {
    f"{name}, {dtype}": replace(_BLOCKS[name], dtype=dtype)
    for name in ("dense 64 k 3 56x56", "dense 256 k 3 56x56", "512 groups of 1 k 3 56x56")
    for dtype in (Dtype.BFLOAT16, Dtype.FLOAT16, Dtype.FLOAT64)
}
BLOCKS: dict[str, BlockSpec] = _BLOCKS | _IN_8 | _IN_OTHERS


def resident_most() -> float:
    """VmHWM of this process, in bytes."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(float(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def measure(name: str) -> None:
    """Study one block here; print the bytes that it took, the seconds by the clock and of the processor."""
    import torch

    from tui.analysis.study import study_of

    torch.set_num_threads(1)
    before, clock, processor = resident_most(), time.perf_counter(), time.process_time()
    study = study_of(BLOCKS[name])
    print(resident_most() - before, time.perf_counter() - clock, time.process_time() - processor)
    del study


def measured(name: str) -> list[float]:
    """The same in a fresh process."""
    command = [sys.executable, "-W", "ignore", "-m", "tests.bench.bench_estimate", "--measure", name]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [float(word) for word in done.stdout.split()]


def main() -> None:
    """Print a row a block, and the largest factors."""
    parser = argparse.ArgumentParser(description="Estimated and measured memory and time of studies.")
    parser.add_argument("--measure", metavar="BLOCK", help="study this block and print what it took")
    parser.add_argument(
        "blocks", nargs="*", help="names of blocks, or parts of them; all where none is given"
    )
    options = parser.parse_args()
    if options.measure:
        measure(options.measure)
        return
    print(f"{'':36}{'estimated : measured':>24}{'':10}{'estimated : processor (clock)':>36}")
    factors = []
    for name, spec in BLOCKS.items():
        if options.blocks and not any(part in name for part in options.blocks):
            continue
        estimate, (memory, clock, seconds) = estimate_of(spec), measured(name)
        factor = estimate.bytes / memory
        factors.append(factor)
        print(
            f"{name:36}{estimate.bytes / MEGABYTE:10.0f} :{memory / MEGABYTE:7.0f} MB = {factor:5.2f}"
            f"{estimate.seconds:14.2f} :{seconds:7.2f} ({clock:.2f}) s = {estimate.seconds / seconds:5.2f}",
            flush=True,
        )
    print(f"memory: between {min(factors):.2f} and {max(factors):.2f} of what was measured")


if __name__ == "__main__":
    main()
