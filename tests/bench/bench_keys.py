"""How long a key press takes to be on the screen, for small and for large weights; run by hand.

    python -m tests.bench.bench_keys

Wall time at 120 x 36, in a pty: from the key until the program's last output before a silence. To hold: 95 of
100 within 50 ms, and the same for every weight.
"""

from __future__ import annotations

import tempfile
from statistics import median, quantiles

from tests.bench.terminal import Terminal, environment_in

SIZES = ((2, 3), (64, 3), (512, 7))
"""Channels and kernel size."""
KEYS = {
    "step": [b"\x1b[C", b"\x1b[B", b"\x1b[D", b"\x1b[A"] * 10,
    "end, home": [b"\x1b[F", b"\x1b[H"] * 15,
    "zoom": [b"-", b"+"] * 15,
    "scale": [b"c"] * 30,
    "tab": [b"\t"] * 22,
}
IN_VIEWS = {
    "steps": (b"2", {"next, back": [b"n", b"N"] * 12, "step": [b"\t", *[b"\x1b[C", b"\x1b[D"] * 12]}),
    "outputs": (b"3", {"step": [b"\x1b[C", b"\x1b[D"] * 12, "channel": [b"]", b"["] * 12}),
    "probe": (b"4", {"step": [b"\x1b[C", b"\x1b[D"] * 12, "branch": [b"\t"] * 3, "bits": [b"0"] * 24}),
    "rounding": (b"5", {"dtype": [b"\x1b[B", b"\x1b[A"] * 12}),
    "mistakes": (b"6", {"highlight": [b"\x1b[B", b"\x1b[A"] * 12}),
}
"""The key that opens a view, and keys in it."""
SILENCE = 0.12


def seconds_of(terminal: Terminal, keys: list[bytes]) -> list[float]:
    """From each key to the last of what it made the program paint."""
    times = []
    for key in keys:
        pressed = terminal.press(key)
        painted = terminal.until_quiet(SILENCE)
        if terminal.painted:
            times.append(painted - pressed)
    return times


def in_views(terminal: Terminal) -> None:
    """Print the same for the keys of each view, and for going from view to view."""
    for name, (opening, kinds) in IN_VIEWS.items():
        terminal.press(opening)
        terminal.until_quiet(1.5)
        for kind, keys in kinds.items():
            told(f"  {name}: {kind}", seconds_of(terminal, keys))
    told("  from view to view", seconds_of(terminal, [b"1", b"2", b"3", b"4", b"5", b"6"] * 5))


def told(name: str, seconds: list[float]) -> None:
    """Print the median and the 95th percentile in ms."""
    times = [1000 * each for each in seconds]
    print(f"{name:28}{median(times):8.0f} {quantiles(times, n=20)[-1]:6.0f}", flush=True)


def main() -> None:
    """Print median and 95th percentile for each kind of key and each weight."""
    print(
        f"{'weight':14}" + "".join(f"{name:>20}" for name in KEYS) + "     (ms, median and 95th percentile)"
    )
    with tempfile.TemporaryDirectory() as folder:
        for channels, kernel in SIZES:
            block = ("--in-channels", str(channels), "--out-channels", str(channels))
            program = ("-m", "tui", *block, "--kernel-size", str(kernel))
            with Terminal(program, environment_in(folder)) as terminal:
                terminal.until("max |fused")
                terminal.until_quiet(1.0)
                row = f"{channels}x{channels}x{kernel}x{kernel}".ljust(14)
                for keys in KEYS.values():
                    times = [seconds * 1000 for seconds in seconds_of(terminal, keys)]
                    row += f"{median(times):13.0f} {quantiles(times, n=20)[-1]:6.0f}"
                print(row, flush=True)
                in_views(terminal)


if __name__ == "__main__":
    main()
