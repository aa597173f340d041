"""What fusing a whole checkpoint costs, against loading and saving it with safetensors; run by hand.

    python -m tests.bench.bench_checkpoints [MEGABYTES ...] [--blocks CHANNELS] [--jobs N] [--timm NAME]
    python -m tests.bench.bench_checkpoints --names N

For each size a file of RepVGG blocks in float32 is opened, recognised, fused, verified by its weights and
written; without the run on a random image, which is printed apart. Beside it, in turns in the same run:
load_file and serialize_file (save_file without its way through NumPy) of the same file, without and with the
sync to disk that the library leaves out. Medians of 5. Peak memory is what a process of its own takes beyond
what it had with torch imported. With --timm NAME: timm's reparameterize_model of that model in memory against
our fold and check of its file, reading it included.
To hold: at most 1.5 x loading and saving; memory: the output and two blocks.
With --names N: a file of so many names, 300 blocks of RepVGG among them, on the screen, in a pty; and beside
it one of 100 names. To hold: the names in sight within a second of the first paint, a key within 50 ms.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path
from statistics import median, quantiles
from unittest.mock import patch

from tests.bench.bench_checkpoint_files import megabytes_in

ROUNDS = 5
SIZES = (60, 500)
CHANNELS = 512


def make(path: Path, megabytes: int, channels: int) -> None:
    """RepVGG blocks with batch norms as training leaves them, to that size."""
    import torch

    from tests.checkpoints.families.held_against import state_of
    from tests.checkpoints.families.repvgg_modules import repvgg
    from tests.checkpoints.samples import library_save
    from tests.fusion.strategies import with_wild_norms

    tensors: dict[str, torch.Tensor] = {}
    with torch.no_grad():
        for place in range(max(round(megabytes * 1e6 / (channels**2 * 10 * 4)), 1)):
            tensors |= state_of(
                with_wild_norms(repvgg("RepVGG", channels, channels), place), f"stages.{place}"
            )
    library_save(path, tensors, {"format": "pt"})


def library(path: Path, output: Path) -> None:
    """Loading and saving it by the library."""
    from safetensors.torch import load_file

    from tests.checkpoints.samples import library_save

    library_save(output, load_file(path), {"format": "pt"})


def synced(path: Path, output: Path) -> None:
    """The same, and on the disk."""
    library(path, output)
    descriptor = os.open(output, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def fused(path: Path, output: Path, jobs: int, *, on_image: bool = False, write: bool = True) -> None:
    """Our way, from the file to the file."""
    from tui.checkpoints.conversion.fused import FusedCheckpoint
    from tui.checkpoints.conversion.fused_file import FusedFile
    from tui.checkpoints.conversion.fused_writing import write_fused
    from tui.checkpoints.conversion.fusing import Wishes, fuse
    from tui.checkpoints.opening import open_checkpoint
    from tui.checkpoints.recognising import recognise

    wishes = Wishes(jobs=jobs, on_image=on_image)
    with open_checkpoint(path) as source:
        found = recognise(source.entries)
        with FusedFile(source, found, output, replace=True) if write else nullcontext() as file:
            *_, last = fuse(source, found, wishes, file)
            assert isinstance(last, FusedCheckpoint)
            assert last.blocks
            if write:
                write_fused(source, last, output, replace=True, output=file)


def unsynced(path: Path, output: Path, jobs: int) -> None:
    """The same without the sync to disk, which the library leaves out."""
    with patch("os.fsync"):
        fused(path, output, jobs)


def seconds(work: Callable[[Path, Path], None], path: Path, output: Path) -> tuple[float, float]:
    """How long it takes, onto a disk at rest: by the clock and of the processor."""
    output.unlink(missing_ok=True)
    os.sync()
    start, used = time.perf_counter(), time.process_time()
    work(path, output)
    return time.perf_counter() - start, time.process_time() - used


def peak(path: Path, output: Path, jobs: int) -> float:
    """Bytes by which the resident set of a process of its own grows at most for `fused` (Linux)."""
    command = [sys.executable, "-W", "ignore", "-m", "tests.bench.bench_checkpoints", "--peak"]
    arguments = [str(path), str(output), str(jobs)]
    done = subprocess.run([*command, *arguments], stdout=subprocess.PIPE, check=True)
    return float(done.stdout) * 1e6


def own_peak(path: str, output: str, jobs: str) -> None:
    """Print it, in megabytes."""
    import torch

    import tui.checkpoints.conversion.fused_writing
    import tui.checkpoints.conversion.fusing
    import tui.checkpoints.recognising  # noqa: F401  # what is imported is no memory of the work

    torch.mv(torch.ones(9, 9), torch.ones(9))
    status = Path("/proc/self/status")
    before = megabytes_in(status, "VmRSS")
    Path("/proc/self/clear_refs").write_text("5")
    fused(Path(path), Path(output), int(jobs))
    print(megabytes_in(status, "VmHWM") - before)


def measure(megabytes: int, channels: int, jobs: int, folder: Path) -> None:
    path, output = folder / "in.safetensors", folder / "out.safetensors"
    make(path, megabytes, channels)
    works: dict[str, Callable[[Path, Path], None]] = {
        "library": library,
        "library, synced": synced,
        "fused": lambda one, other: unsynced(one, other, jobs),
        "fused, synced": lambda one, other: fused(one, other, jobs),
    }
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in works}
    for _ in range(ROUNDS + 1):
        for name, work in works.items():
            times[name].append(seconds(work, path, output))
    clock, used = (
        {name: median(one[kind] for one in each[1:]) for name, each in times.items()} for kind in (0, 1)
    )  # the first warms up
    image = seconds(lambda one, other: fused(one, other, jobs, on_image=True), path, output)
    block = channels**2 * 10 * 4
    held = peak(path, output, jobs)
    print(f"{megabytes} MB of blocks of {channels} channels, {jobs} jobs; load: {os.getloadavg()[0]:.1f}")
    for name in works:
        plain, on_disk = (clock[name] / clock[other] for other in ("library", "library, synced"))
        ratios = f"{plain:.2f} x library, {on_disk:.2f} x synced"
        print(
            f"  {name:16} {clock[name] * 1e3:6.0f} ms, {used[name] * 1e3:6.0f} ms of the processor; {ratios}"
        )
    print(f"  with the run on an image {image[0] * 1e3:.0f} ms, {image[1] * 1e3:.0f} of the processor")
    print(f"  peak memory: {held / 1e6:.0f} MB: {held / block:.1f} blocks", flush=True)


def measure_timm(name: str, jobs: int, folder: Path) -> None:
    import copy

    import torch

    from tests.checkpoints.samples import library_save
    from tests.fusion.strategies import with_wild_norms
    from tests.oracles.test_timm import declare_missing_operators

    declare_missing_operators()
    timm = import_module("timm")
    reparameterize_model = import_module("timm.utils").reparameterize_model
    path, output = folder / "in.safetensors", folder / "out.safetensors"
    with torch.no_grad():
        model = with_wild_norms(timm.create_model(name).eval())
    library_save(path, {key: each.detach().contiguous() for key, each in model.state_dict().items()})
    times: list[tuple[float, ...]] = []
    for _ in range(ROUNDS + 1):
        other = copy.deepcopy(model)
        start, used = time.perf_counter(), time.process_time()
        reparameterize_model(other, inplace=True)
        theirs = time.perf_counter() - start, time.process_time() - used
        times.append((*theirs, *seconds(lambda one, two: fused(one, two, jobs, write=False), path, output)))
    theirs_clock, theirs_used, ours_clock, ours_used = (median(each) for each in zip(*times[1:], strict=True))
    print(
        f"{name}: timm {theirs_clock * 1e3:.0f} ms, {theirs_used * 1e3:.0f} of the processor; "
        f"read, fused and verified {ours_clock * 1e3:.0f} ms, {ours_used * 1e3:.0f} of the processor"
    )


def make_names(path: Path, names: int) -> None:
    """Tiny tensors: blocks, a deep tree, and half of all others in a single group."""
    import torch

    from tests.checkpoints.families.held_against import state_of
    from tests.checkpoints.families.repvgg_modules import repvgg
    from tests.checkpoints.samples import library_save

    block = state_of(repvgg("RepVGG", 4, 4).float(), "")
    tensors: dict[str, torch.Tensor] = {}
    for place in range(min(300, names // (2 * len(block)))):
        stage = f"backbone.stage{place % 5}.{place}"
        tensors |= {f"{stage}.{name.lstrip('.')}": each.clone() for name, each in block.items()}
    for place in range(names - len(tensors)):
        deep = f"decoder.layers.{place // 64}.experts.{place // 8}.part{place % 8}.weight"
        tensors[f"table.{place}" if place % 2 else deep] = torch.ones(2)
    library_save(path, tensors)


SHOWN = " parameters"
"""What is told of a file when its names are in sight."""
REST, SILENCE = 0.3, 0.04
"""Seconds without output: when what is under the cursor is read and told; and after a key's own paint."""
DOWN, RIGHT, LEFT, PAGE_DOWN, END, HOME = (
    f"\x1b[{sign}".encode() for sign in ("B", "C", "D", "6~", "F", "H")
)
TREE_KEYS: dict[str, list[bytes]] = {
    "down": [DOWN] * 20,
    "end, home": [END, HOME] * 10,
    "unfold and fold the last": [END, *[RIGHT, LEFT] * 10],
    "page down in it": [END, RIGHT, *[PAGE_DOWN] * 20],
    "blocks only, and all": [b"b"] * 20,
    "search": [b"/", *(bytes([letter]) for letter in b"experts.1000"), *[b"\x7f"] * 11],
}


def measure_names(names: int, folder: Path) -> None:
    """Print when the names are in sight, and what the keys take to their paint."""
    from tests.bench.terminal import Terminal, environment_in

    path = folder / "names.safetensors"
    make_names(path, names)
    with Terminal(("-m", "tui", str(path)), environment_in(str(folder))) as terminal:
        painted = terminal.until(path.name)
        shown, found = terminal.until(SHOWN) - painted, terminal.until("RepVGG") - painted
        print(
            f"{names} names: {shown * 1e3:.0f} ms after the first paint; blocks {found * 1e3:.0f} ms after it"
        )
        for kind, keys in TREE_KEYS.items():
            times = []
            for key in keys:
                terminal.until_quiet(REST)
                used, pressed = terminal.processor_time, terminal.press(key)
                painted = terminal.until_painted(SILENCE)
                if terminal.painted:
                    times.append((painted - pressed, terminal.processor_time - used))
            if len(times) < 2:
                continue
            figures = "; of the processor ".join(
                f"median {median(each) * 1e3:4.0f} ms, p95 {quantiles(each, n=20)[-1] * 1e3:4.0f}"
                for each in zip(*times, strict=True)
            )
            print(f"  {kind:26} {figures}", flush=True)


def main() -> None:
    warnings.simplefilter("ignore")
    if sys.argv[1:2] == ["--peak"]:
        own_peak(*sys.argv[2:])
        return
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("megabytes", nargs="*", type=int, default=SIZES)
    parser.add_argument("--blocks", type=int, default=CHANNELS, metavar="CHANNELS")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--timm", metavar="NAME")
    parser.add_argument("--names", type=int, metavar="N")
    options = parser.parse_args()
    for names in (100, options.names) if options.names else ():
        with tempfile.TemporaryDirectory() as folder:
            measure_names(names, Path(folder))
    if options.names:
        return
    if options.timm:
        with tempfile.TemporaryDirectory() as folder:
            measure_timm(options.timm, options.jobs, Path(folder))
        return
    for megabytes in options.megabytes:
        with tempfile.TemporaryDirectory() as folder:
            measure(megabytes, options.blocks, options.jobs, Path(folder))


if __name__ == "__main__":
    main()
