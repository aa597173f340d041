"""Whether the program's memory levels off while a person changes one block again and again; run by hand.

    python -m tests.bench.bench_memory [CHANGES]

Prints the resident set after every 50 changes, with the objects that Python's collector knows, and the time
of one full collection. To hold: level after 50 changes.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import tempfile
import time
from pathlib import Path

from tests.driver import opener
from tui.fusion.specs.block_spec import BlockSpec
from tui.running.run_state import Idle

CHANGES = 300
EVERY = 50
PAGE = 4096


def resident_megabytes() -> float:
    """What /proc says of this process (Linux)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE / 1e6


async def change(changes: int, folder: Path) -> None:
    """Print a row for every 50 changes of kernel size and branches."""
    print(f"{'changes':>8}{'MB':>8}{'objects':>10}{'collection':>13}")
    async with opener(folder / "settings.toml")(BlockSpec()) as bench:
        for done in range(changes + 1):
            if done % EVERY == 0:
                start = time.perf_counter()
                gc.collect()
                spent = (time.perf_counter() - start) * 1000
                print(
                    f"{done:8}{resident_megabytes():8.1f}{len(gc.get_objects()):10,}{spent:10.0f} ms",
                    flush=True,
                )
            await bench.enter("kernel_size", "5" if done % 2 == 0 else "3")
            await bench.press("enter", "escape")
            await bench.reach(Idle)


def main(changes: int = CHANGES) -> None:
    """Print the rows."""
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(change(changes, Path(folder)))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
