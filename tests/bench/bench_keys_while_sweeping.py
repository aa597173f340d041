"""How long a key press takes to be on the screen while a sweep is timed, and quitting; run by hand.

    python -m tests.bench.bench_keys_while_sweeping [--tree TREE]

At 120 x 36, in a pty, by the clock: from an arrow key to the words on the point that it goes to, from `d` to
the heading of the table or the name of the plot's axis, from a digit to the quantity's name. To hold: 95 of
100 within 50 ms, and half a second from q to the end of the program. The same keys when the sweep is over
stand beside it: what else the machine does is in both. TREE is another checkout of this repository.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple

from tests.bench.terminal import Terminal, environment_in

VALUES = b"2,3,4,6,8,12,16,24,32,48,64,96"
KINDS = {
    "arrows": ((b"\x1b[C", "in channels 3"), (b"\x1b[D", "in channels 2")),
    "table": ((b"d", "max |d|"), (b"d", "in channels, logarithmic")),
    "quantity": ((b"2", "of one run"), (b"1", "of fused over")),
}
"""Keys in turns, and what is painted for each."""
PRESSES = 60
PAUSE = 0.15
"""Seconds between two presses."""
IS_OVER = "12 of 12 points"


class Cost(NamedTuple):
    """What one key took, in ms: by the clock to its words, and of the main thread to the next key."""

    clock: float
    processor: float


def presses(terminal: Terminal, turns: tuple[tuple[bytes, str], ...]) -> Iterator[Cost]:
    """What each press took."""
    for turn in range(PRESSES):
        key, words = turns[turn % len(turns)]
        terminal.until_quiet(0)
        before = terminal.processor_time
        pressed = terminal.press(key)
        clock = 1000 * (terminal.until(words) - pressed)
        time.sleep(PAUSE)
        yield Cost(clock, 1000 * (terminal.processor_time - before))


def told(words: str, took: list[Cost]) -> None:
    """Print what they come to."""
    figures = (
        f"median {median(each):4.0f} ms, p95 {quantiles(each, n=20)[-1]:4.0f} ms"
        for each in zip(*took, strict=True)
    )
    print(f"{words:20}: {'; of the main thread '.join(figures)}", flush=True)


def measure(tree: Path, *, goes_on: bool) -> None:
    """Press each kind of key while a sweep runs, and quit in the middle of it; or press them after it."""
    with tempfile.TemporaryDirectory() as folder:
        of_tree = {"PYTHONPATH": str(tree), "PYTHONSAFEPATH": "1"}
        program = ("-m", "tui", "--input-shape", "56x56")
        with Terminal(program, environment_in(folder) | of_tree) as terminal:
            terminal.until("max |fused")
            terminal.press(b"v")
            terminal.until("A sweep runs the block")
            terminal.press(b"\x15" + VALUES + b"\r")
            terminal.until("as fast")
            if not goes_on:
                terminal.until(IS_OVER)
            terminal.until_quiet(0)
            for name, turns in KINDS.items():
                told(f"{name}, {'sweeping' if goes_on else 'idle'}", list(presses(terminal, turns)))
            if goes_on:
                pressed = terminal.press(b"q")
                print(f"quit: {terminal.until_exit() - pressed:.2f} s", flush=True)


def main() -> None:
    """Measure presses while a sweep runs, quitting in the middle of it, and presses after it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--tree", type=Path, default=Path(__file__).parents[2], help="another checkout")
    tree = parser.parse_args().tree.resolve()
    for goes_on in (True, False):
        measure(tree, goes_on=goes_on)


if __name__ == "__main__":
    main()
