"""How long a key press takes to be on the screen while a sweep is timed, and quitting; run by hand.

    python -m tests.bench.bench_keys_while_sweeping

At 120 x 36, in a pty, by the clock: from the arrow key to the words on the point that it goes to. To hold: 95
of 100 within 50 ms, and half a second from q to the end of the program. The same keys when the sweep is over
stand beside it: what else the machine does is in both.
"""

from __future__ import annotations

import tempfile
import time
from statistics import median, quantiles

from tests.bench.terminal import Terminal, environment_in

VALUES = b"2,3,4,6,8,12,16,24,32,48,64,96"
TURNS = ((b"\x1b[C", "in channels 3"), (b"\x1b[D", "in channels 2"))
"""Right and left, and what stands below the plot then."""
PRESSES = 60
PAUSE = 0.1
"""Seconds between two presses."""
IS_OVER = "12 of 12 points"


def presses(terminal: Terminal) -> list[float]:
    """Milliseconds of each press."""
    took: list[float] = []
    for turn in range(PRESSES):
        key, words = TURNS[turn % 2]
        terminal.until_quiet(0)
        pressed = terminal.press(key)
        took.append(1000 * (terminal.until(words) - pressed))
        time.sleep(PAUSE)
    return took


def told(words: str, took: list[float]) -> None:
    """Print what they come to."""
    p95 = quantiles(took, n=20)[-1]
    print(f"{words:8}: median {median(took):5.0f} ms, p95 {p95:5.0f} ms of {len(took)}", flush=True)


def main() -> None:
    """Measure a press while a sweep runs, quitting in the middle of it, and a press after it."""
    for goes_on in (True, False):
        with (
            tempfile.TemporaryDirectory() as folder,
            Terminal(("-m", "tui", "--input-shape", "56x56"), environment_in(folder)) as terminal,
        ):
            terminal.until("max |fused")
            terminal.press(b"v")
            terminal.until("A sweep runs the block")
            terminal.press(b"\x15" + VALUES + b"\r")
            terminal.until("as fast")
            if not goes_on:
                terminal.until(IS_OVER)
            terminal.until_quiet(0)
            told("sweeping" if goes_on else "idle", presses(terminal))
            if goes_on:
                pressed = terminal.press(b"q")
                print(f"quit    : {terminal.until_exit() - pressed:.2f} s", flush=True)


if __name__ == "__main__":
    main()
