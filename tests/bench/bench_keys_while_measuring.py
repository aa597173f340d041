"""How long a key press takes to be on the screen while the speed view measures, and quitting; run by hand.

    python -m tests.bench.bench_keys_while_measuring [CHANNELS ...]

At 120 x 36, in a pty, by the clock: from the key to the line of the condition that it goes to. To hold: 95 of
100 within 50 ms, and half a second from q to the end of the program. The same keys while nothing is measured
stand beside it: what else the machine does is in both.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from statistics import median, quantiles

from tests.bench.terminal import Terminal, environment_in

CHANNELS = (2, 64, 256)
TURNS = ((b"\x1b[B", "‹ contiguous ›"), (b"\x1b[A", "‹ all ›"))
"""Down and up, and what stands in the line that they go to."""
PRESSES = 60
PAUSE = 0.03
"""Seconds between two presses."""
IS_DONE = "rounds on"
"""What the headline says at the end of a measurement."""


def presses(terminal: Terminal, *, measuring: bool) -> list[float]:
    """Milliseconds of each press; with `measuring` those that came while a measurement went on."""
    took: list[float] = []
    goes_on = False
    for turn in range(PRESSES):
        if measuring and not goes_on:
            terminal.press(b"\r")
            terminal.until("esc stops it")
        key, words = TURNS[turn % 2]
        pressed = terminal.press(key)
        took.append(1000 * (terminal.until(words) - pressed))
        time.sleep(PAUSE)
        terminal.until_quiet(0)
        goes_on = IS_DONE.encode() not in terminal.painted
    return took


def measure(channels: int) -> None:
    """Print what a press takes with and without a measurement, and quitting in the middle of one."""
    block = ("--in-channels", str(channels), "--out-channels", str(channels), "--input-shape", "56x56")
    with (
        tempfile.TemporaryDirectory() as folder,
        Terminal(("-m", "tui", *block), environment_in(folder)) as terminal,
    ):
        terminal.until("max |fused")
        terminal.press(b"7")
        terminal.until(IS_DONE)
        terminal.until_quiet(1.0)
        for measuring in (False, True):
            took = presses(terminal, measuring=measuring)
            told = "measuring" if measuring else "idle"
            print(
                f"{channels:4} channels, {told:9}: median {median(took):5.0f} ms, "
                f"p95 {quantiles(took, n=20)[-1]:5.0f} ms of {len(took)}",
                flush=True,
            )
        terminal.press(b"\r")
        terminal.until("esc stops it")
        pressed = terminal.press(b"q")
        print(f"{channels:4} channels, quit     : {terminal.until_exit() - pressed:.2f} s", flush=True)


def main() -> None:
    """Measure blocks of several sizes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("channels", nargs="*", type=int, default=CHANNELS, metavar="CHANNELS")
    for channels in parser.parse_args().channels:
        measure(channels)


if __name__ == "__main__":
    main()
