"""What reading and writing checkpoints costs, against the safetensors library on the same file; run by hand.

    python -m tests.bench.bench_checkpoint_files [MEGABYTES ...]

For each size: every tensor read into torch and written, and carried over without torch, against load_file and
serialize_file (save_file without its way through NumPy), without and with the sync to disk that the library
leaves out. Medians of 7, in turns, each onto a disk at rest. Peak memory is what a process of its own takes
beyond what it had. To hold: read and written in at most 1.5 x the library's time; listing 5 GB in at most a
second.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import median

from tui.checkpoints.contents import Checkpoint, Entry, Format
from tui.checkpoints.opening import open_checkpoint
from tui.checkpoints.plan import Made, carried
from tui.checkpoints.writing import write_checkpoint

ROUNDS = 7
SIZES = (60, 500)
CHANNELS = 256
"""Of the convolutions, 256 x 256 x 3 x 3 in float32: 2.4 MB each."""
SPARSE = 5_000_000_000


def make(path: Path, megabytes: int) -> None:
    """Convolutions with their batch norms, to that size."""
    import torch

    from tests.checkpoints.samples import library_save

    tensors = {}
    for place in range(round(megabytes * 1e6 / (CHANNELS**2 * 9 * 4))):
        tensors[f"stages.{place}.conv.weight"] = torch.randn(CHANNELS, CHANNELS, 3, 3)
        for name in ("weight", "bias", "running_mean", "running_var"):
            tensors[f"stages.{place}.bn.{name}"] = torch.rand(CHANNELS)
        tensors[f"stages.{place}.bn.num_batches_tracked"] = torch.tensor(place)
    library_save(path.with_suffix(".safetensors"), tensors, {"format": "pt"})
    torch.save({"state_dict": tensors, "epoch": 3}, path.with_suffix(".pt"))


def library(path: Path, output: Path) -> None:
    """The library's own way."""
    from safetensors.torch import load_file

    from tests.checkpoints.samples import library_save

    library_save(output, load_file(path.with_suffix(".safetensors")), {"format": "pt"})


def library_synced(path: Path, output: Path) -> None:
    """The library's own way, and then to the disk."""
    library(path, output)
    with output.open("rb") as file:
        os.fsync(file.fileno())


def read_and_written(path: Path, output: Path) -> None:
    """Ours, each tensor through torch as a fused one goes."""

    def made(checkpoint: Checkpoint, entry: Entry) -> Made:
        return Made(entry, lambda: checkpoint.tensor(entry.name))

    with open_checkpoint(path.with_suffix(".safetensors")) as checkpoint:
        plan = [made(checkpoint, entry) for entry in checkpoint.entries.values()]
        write_checkpoint(checkpoint, plan, output, replace=True)


def carried_over(path: Path, output: Path) -> None:
    """Ours, each tensor's bytes copied."""
    with open_checkpoint(path.with_suffix(".safetensors")) as checkpoint:
        plan = [carried(entry) for entry in checkpoint.entries.values()]
        write_checkpoint(checkpoint, plan, output, replace=True)


def torch_to(path: Path, output: Path, form: Format) -> None:
    """Ours, out of a file of torch."""
    with open_checkpoint(path.with_suffix(".pt")) as checkpoint:
        plan = [carried(entry) for entry in checkpoint.entries.values()]
        write_checkpoint(checkpoint, plan, output, format=form, replace=True)


def torch_to_torch(path: Path, output: Path) -> None:
    """Ours, out of a file of torch into one."""
    torch_to(path, output, Format.TORCH)


def torch_to_safetensors(path: Path, output: Path) -> None:
    """Ours, out of a file of torch into safetensors."""
    torch_to(path, output, Format.SAFETENSORS)


def torch_itself(path: Path, output: Path) -> None:
    """torch.load and torch.save."""
    import torch

    torch.save(torch.load(path.with_suffix(".pt"), weights_only=True), output)


WAYS: tuple[Callable[[Path, Path], None], ...] = (
    library,
    library_synced,
    read_and_written,
    carried_over,
    torch_itself,
    torch_to_torch,
    torch_to_safetensors,
)


def seconds_of(way: Callable[[Path, Path], None], path: Path) -> tuple[float, float]:
    """Of one run, by the clock and of the processor."""
    output = path.with_name("output")
    output.unlink(missing_ok=True)
    os.sync()
    start, used = time.perf_counter(), time.process_time()
    way(path, output)
    return time.perf_counter() - start, time.process_time() - used


def peak_megabytes(way: str, path: Path) -> float:
    """Of a process of its own."""
    command = [sys.executable, "-W", "ignore", "-m", __spec__.name, "--peak", way, str(path)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def own_peak(way: str, path: Path) -> None:
    """Print how many megabytes the resident set grew by at most (Linux)."""
    import torch

    torch.ones(1).clone()
    status = Path("/proc/self/status")
    before = megabytes_in(status, "VmRSS")
    Path("/proc/self/clear_refs").write_text("5")
    next(each for each in WAYS if each.__name__ == way)(path, path.with_name("output"))
    print(megabytes_in(status, "VmHWM") - before)


def megabytes_in(status: Path, field: str) -> float:
    """A line of /proc/self/status."""
    found = re.search(rf"{field}:\s+(\d+) kB", status.read_text())
    assert found
    return int(found[1]) * 1024 / 1e6


def seconds_to_list(folder: Path) -> float:
    """A sparse file of 5 GB in 1000 tensors, in a process that has not imported torch."""
    import json

    size = SPARSE // 1000
    told = {
        f"stages.{place}.weight": {
            "dtype": "U8",
            "shape": [size],
            "data_offsets": [place * size, place * size + size],
        }
        for place in range(1000)
    }
    header = json.dumps(told).encode()
    path = folder / "sparse.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    os.truncate(path, 8 + len(header) + SPARSE)
    code = (
        "from pathlib import Path; from tui.checkpoints.opening import open_checkpoint\n"
        f"open_checkpoint(Path({str(path)!r}))"
    )
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        times.append(time.perf_counter() - start)
    return median(times)


def main(*sizes: int) -> None:
    """Print all figures."""
    warnings.filterwarnings("ignore", message="Failed to initialize NumPy")
    with tempfile.TemporaryDirectory() as folder:
        print(f"list 5 GB, Python's start included: {seconds_to_list(Path(folder)) * 1000:.0f} ms")
        for megabytes in sizes or SIZES:
            path = Path(folder) / str(megabytes)
            make(path, megabytes)
            rounds = [[seconds_of(way, path) for way in WAYS] for _ in range(ROUNDS + 1)][1:]
            times = [[median(kind) for kind in zip(*each, strict=True)] for each in zip(*rounds, strict=True)]
            print(f"{megabytes:4} MB{'ms':>25}{'x library':>11}{'x synced':>10}{'CPU ms':>8}{'peak MB':>9}")
            for way, (seconds, used) in zip(WAYS, times, strict=True):
                ratios = f"{seconds / times[0][0]:11.2f}{seconds / times[1][0]:10.2f}"
                peak = peak_megabytes(way.__name__, path)
                print(
                    f"  {way.__name__:22}{seconds * 1000:8.0f}{ratios}{used * 1000:8.0f}{peak:9.0f}",
                    flush=True,
                )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--peak"]:
        own_peak(sys.argv[2], Path(sys.argv[3]))
    else:
        main(*map(int, sys.argv[1:]))
