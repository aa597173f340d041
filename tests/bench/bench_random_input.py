"""Whether random keys, bursts, clicks and resizes ever end the program or hold it up; run by hand.

    python -m tests.bench.bench_random_input [ACTS [FIRST_SEED]]

Without numbers 10,000 acts, 200 for each start of the program. To hold: no exception, and no stall above a
second. Fewer of the same acts are in the ordinary tests.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

from tests.driver import opener
from tests.random_input import RandomInput, leave_dialogs
from tests.specs import EXACT

ACTS = 10_000
ACTS_A_START = 200
TICK = 0.005


class StallWatch:
    """Notices for how long the loop of the program did not come round.

    Attributes:
        longest: by the clock, in seconds: on a busy machine others' work is in it.
        busiest: of the loop's own work, in seconds of processor time.
    """

    def __init__(self) -> None:
        self.longest = self.busiest = 0.0
        self._task = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while True:
            before, worked = time.perf_counter(), time.thread_time()
            await asyncio.sleep(TICK)
            self.longest = max(self.longest, time.perf_counter() - before - TICK)
            self.busiest = max(self.busiest, time.thread_time() - worked)

    def end(self) -> None:
        """Watch no longer."""
        self._task.cancel()


async def stalls(seed: int, acts: int, folder: Path) -> tuple[float, float]:
    """Act on one start of the program; what a StallWatch saw, `longest` and `busiest`.

    Raises:
        Exception: whatever ended the program; what was done last has been printed by then.
    """
    async with opener(folder / "settings.toml")(EXACT) as bench:
        chance, watch = RandomInput(bench, seed), StallWatch()
        try:
            await chance.act(acts)
            await leave_dialogs(bench)
        except BaseException:
            print(f"seed {seed} ended after: {'; '.join(chance.acts[-12:])}", flush=True)
            raise
        finally:
            watch.end()
        return watch.longest, watch.busiest


def main(acts: int = ACTS, first_seed: int = 1000) -> None:
    """Print how many starts ended by an exception, and the longest stalls."""
    ended, longest, busiest, starts = 0, 0.0, 0.0, -(-acts // ACTS_A_START)
    for seed in range(first_seed, first_seed + starts):
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)  # files are saved too
            try:
                seen = asyncio.run(stalls(seed, ACTS_A_START, Path(folder)))
                longest, busiest = max(longest, seen[0]), max(busiest, seen[1])
            except Exception as error:
                ended += 1
                print(f"seed {seed}: {error!r}", flush=True)
            os.chdir("/")
        done = seed - first_seed + 1
        print(
            f"{done * ACTS_A_START} acts in {done} starts: {ended} exceptions, longest stall {longest:.2f} s "
            f"by the clock, {busiest:.2f} s of the program's own work",
            flush=True,
        )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
