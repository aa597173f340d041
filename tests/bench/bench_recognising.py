"""Processor time to find the blocks among many names, in units of parsing those names as JSON.

Run by hand: python -m tests.bench.bench_recognising
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable

from tui.checkpoints.contents import Entry
from tui.checkpoints.recognising import recognise

RUNS = 5
CHANNELS = 64
Shapes = dict[str, tuple[int, ...]]


def norm(key: str) -> Shapes:
    parts = ("weight", "bias", "running_mean", "running_var")
    return {f"{key}.{part}": (CHANNELS,) for part in parts} | {f"{key}.num_batches_tracked": ()}


def conv_norm(key: str, size: int) -> Shapes:
    return {f"{key}.conv.weight": (CHANNELS, CHANNELS, size, size)} | norm(f"{key}.bn")


def repvgg(prefix: str) -> Shapes:
    branches = conv_norm(f"{prefix}.rbr_dense", 3) | conv_norm(f"{prefix}.rbr_1x1", 1)
    return branches | norm(f"{prefix}.rbr_identity")


def ordinary(prefix: str) -> Shapes:
    return {f"{prefix}.conv1.weight": (CHANNELS, CHANNELS, 3, 3)} | norm(f"{prefix}.bn1")


def file_of(block: Callable[[str], Shapes], count: int) -> dict[str, Entry]:
    """So many names, of blocks of that kind."""
    entries: dict[str, Entry] = {}
    place = 0
    while len(entries) < count:
        shapes = block(f"module.backbone.stage{place % 5}.{place}")
        entries |= {name: Entry(name, shape, "float32") for name, shape in shapes.items()}
        place += 1
    return entries


def median_of(run: Callable[[], object]) -> float:
    def once() -> float:
        start = time.process_time()
        run()
        return time.process_time() - start

    return statistics.median(once() for _ in range(RUNS))


def main() -> None:
    for kind, block in (("RepVGG blocks", repvgg), ("ordinary layers", ordinary)):
        for count in (5_000, 50_000):
            entries = file_of(block, count)
            header = json.dumps({name: entry.shape for name, entry in entries.items()})
            parsing = median_of(lambda header=header: json.loads(header))  # type: ignore[misc]
            finding = median_of(lambda entries=entries: recognise(entries))  # type: ignore[misc]
            blocks = len(recognise(entries).blocks)
            print(
                f"{len(entries):>6} names, {kind:<15}: {blocks:>5} blocks in {finding * 1000:6.0f} ms, "
                f"{finding / parsing:4.1f} x json.loads of the names"
            )


if __name__ == "__main__":
    main()
