"""Whether any damage to a checkpoint makes more than a clear message; run by hand.

    python -m tests.bench.bench_fuzz_checkpoints [COUNT] [SEED]

Cuts valid files of every format short and flips bits in them, COUNT times each, opens them, reads all and
writes what could be read. Prints what came of it, the rarer the later. Ends with status 1 at the first error
that is not a message, and leaves the file that made it.
"""

from __future__ import annotations

import re
import sys
import tempfile
import warnings
from collections import Counter
from pathlib import Path

from tests.checkpoints.damage import damaged, damaged_pickles, outcome, valid_files

COUNT = 10_000
_NUMBERS = re.compile(r"'(?:[^'\\]|\\.)*'|\d[\d,]*")


def main(count: int = COUNT, seed: int = 0) -> None:
    """Print how often each message came, without the names and numbers in it."""
    warnings.filterwarnings("ignore", message="Failed to initialize NumPy")
    with tempfile.TemporaryDirectory() as folder:
        files = valid_files(Path(folder))
    kinds = [(kind, data, damaged) for kind, data in files.items()]
    for kind, data, damage in (*kinds, ("pickle of pt", files["pt"], damaged_pickles)):
        with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
            found: Counter[str] = Counter()
            for number, bad in enumerate(damage(data, count, seed)):
                try:
                    found[_NUMBERS.sub("…", outcome(bad, Path(folder)))] += 1
                except BaseException:
                    kept = Path(tempfile.gettempdir()) / f"fuzz-{kind}-{seed}-{number}"
                    kept.write_bytes(bad)
                    print(f"{kind}: number {number} is kept as {kept}", file=sys.stderr)
                    raise
        print(f"{kind}: {count:,} damaged files of {len(data):,} bytes")
        for message, times in found.most_common():
            print(f"  {times:6,}  {message[:150]}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
