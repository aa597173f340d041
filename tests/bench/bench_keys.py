"""How long a key press takes to be on the screen, for small and for large weights; run by hand.

    python -m tests.bench.bench_keys [--against TREE] [--weights N] [KIND ...]

At 120 x 36, in a pty: by the clock from the key until the program's last output before a silence, and what
the program's main thread ran for it, which other programs disturb less. To hold: 95 of 100 within 50 ms by
the clock, and the same for every weight. With another checkout of this repository each kind of key is
pressed here and in it by turns, and `old : new` is printed of the processor's time.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple

from tests.bench.terminal import Terminal, environment_in

SIZES = ((2, 3), (64, 3), (512, 7))
"""Channels and kernel size."""


class Kind(NamedTuple):
    """Keys of one kind, and the key that opens the view in which they are pressed."""

    name: str
    opening: bytes
    keys: list[bytes]


LEFT, DOWN, RIGHT, UP = b"\x1b[D", b"\x1b[B", b"\x1b[C", b"\x1b[A"
VIEWS = [b"1", b"2", b"3", b"4", b"5", b"6", b"7"]
KINDS = (
    Kind("to a view, first time", b"", VIEWS[1:]),
    Kind("from view to view", b"1", VIEWS[1:] + VIEWS * 4),
    Kind("step", b"1", [RIGHT, DOWN, LEFT, UP] * 10),
    Kind("end, home", b"1", [b"\x1b[F", b"\x1b[H"] * 15),
    Kind("zoom", b"1", [b"-", b"+"] * 15),
    Kind("scale", b"1", [b"c"] * 30),
    Kind("tab", b"1", [b"\t"] * 22),
    Kind("steps: next, back", b"2", [b"n", b"N"] * 12),
    Kind("steps: step", b"2\t", [RIGHT, LEFT] * 12),
    Kind("outputs: step", b"3", [RIGHT, LEFT] * 12),
    Kind("outputs: channel", b"3", [b"]", b"["] * 12),
    Kind("probe: step", b"4", [RIGHT, LEFT] * 12),
    Kind("probe: branch", b"4", [b"\t", b"\x1b[Z"] * 12),
    Kind("probe: bits", b"4", [b"0"] * 24),
    Kind("rounding: dtype", b"5", [DOWN, UP] * 12),
    Kind("mistakes: highlight", b"6", [DOWN, UP] * 12),
    Kind("speed: condition", b"7", [DOWN, UP] * 12),
    Kind("form and back", b"1", [b"f", b"\x1b"] * 12),
)
"""A view is opened afresh for each kind, and left alone until nothing moves."""
SILENCE = 0.12
PATIENCE = 1.5
"""Seconds without output that say that an opened view is complete."""
HERE = Path(__file__).parents[2]


class Cost(NamedTuple):
    """What one key took, in ms: by the clock to its last output, and of the main thread to the silence."""

    clock: float
    processor: float


def costs_of(terminal: Terminal, kind: Kind) -> list[Cost]:
    """The cost of each key that made the program paint."""
    for opening in b"\x1b" + kind.opening:
        terminal.press(bytes([opening]))
        terminal.until_quiet(PATIENCE)
    costs = []
    for key in kind.keys:
        before = terminal.processor_time
        pressed = terminal.press(key)
        painted = terminal.until_quiet(SILENCE)
        if terminal.painted:
            costs.append(Cost(1000 * (painted - pressed), 1000 * (terminal.processor_time - before)))
    return costs


def figures(costs: list[Cost]) -> Iterator[str]:
    """Median and 95th percentile of both."""
    for times in zip(*costs, strict=True):
        yield f"{median(times):9.0f} {quantiles(times, n=20)[-1]:5.0f}"


def told(kind: Kind, each: list[list[Cost]]) -> None:
    """Print a line: of one checkout, or of two and their ratio."""
    if min(map(len, each)) < 2:
        print(f"{kind.name:22} paints nothing", flush=True)
        return
    line = f"{kind.name:22}" + " |".join("".join(figures(costs)) for costs in each)
    if len(each) > 1:
        here, there = (median(cost.processor for cost in costs) for costs in each)
        line += f" | {there / here:.2f} : 1"
    print(line, flush=True)


def measure(trees: list[Path], channels: int, kernel: int, kinds: list[Kind]) -> None:
    """Print what each kind of key takes with a weight of that size."""
    shape = f"{channels}x{channels}x{kernel}x{kernel}"
    columns = " |".join("   clock   p95 processor p95"[:30] for _ in trees)
    print(f"{shape:22}{columns}     (ms; {', then '.join(map(str, trees))})")
    block = ("--in-channels", str(channels), "--out-channels", str(channels))
    program = ("-m", "tui", *block, "--kernel-size", str(kernel))
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        terminals = []
        for tree in trees:
            of_tree = {"PYTHONPATH": str(tree), "PYTHONSAFEPATH": "1"}
            terminals.append(stack.enter_context(Terminal(program, environment_in(folder) | of_tree)))
            terminals[-1].until("max |fused")
            terminals[-1].until_quiet(1.0)
        for kind in kinds:
            told(kind, [costs_of(terminal, kind) for terminal in terminals])


def main() -> None:
    """Print median and 95th percentile for each kind of key and each weight."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--against", type=Path, metavar="TREE", help="another checkout to compare with")
    parser.add_argument("--weights", type=int, default=len(SIZES), metavar="N", help="only the N smallest")
    parser.add_argument("kinds", nargs="*", metavar="KIND", help="only kinds whose name has this in it")
    asked = parser.parse_args()
    trees = [HERE] if asked.against is None else [HERE, asked.against.resolve()]
    kinds = [kind for kind in KINDS if any(word in kind.name for word in asked.kinds or [""])]
    for channels, kernel in SIZES[: asked.weights]:
        measure(trees, channels, kernel, kinds)


if __name__ == "__main__":
    main()
