"""How long the program takes to be there, to show a result, and to be gone; run by hand.

    python -m tests.bench.bench_start

Each figure is a median, measured in turns with the one that it is set against. To hold: first paint at most
1.5 x an empty app with the same kinds of widgets; first result at most 1.5 x `import torch`; gone at most
0.5 s after the key, whatever is running.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from tests.bench.terminal import Terminal, environment_in

ROUNDS, QUITS = 11, 5
BENCH = ("-m", "tui")
EMPTY = (str(Path(__file__).with_name("empty_app.py")),)
LONG_RUN = (*BENCH, "--in-channels", "512", "--out-channels", "512", "--input-shape", "256")


def seconds_to(text: str, program: tuple[str, ...], environment: dict[str, str]) -> float:
    """From the start of the process until the text is on the screen."""
    with Terminal(program, environment) as terminal:
        return terminal.until(text) - terminal.started


def seconds_to_import_torch() -> float:
    """From the start of `python -c "import torch"` to its end."""
    start = time.monotonic()
    subprocess.run([sys.executable, "-W", "ignore", "-c", "import torch"], check=True)
    return time.monotonic() - start


def seconds_to_quit(environment: dict[str, str], program: tuple[str, ...], run: bytes, sign: str) -> float:
    """From the key q until the process is gone; `sign` on the screen says that the run is under way."""
    with Terminal(program, environment) as terminal:
        terminal.until("repfuse-tui")
        if run:
            terminal.until("Press r")
            terminal.press(run)
        terminal.until(sign)
        terminal.until_quiet(0.5)
        return -terminal.press(b"q") + terminal.until_exit()


def compare(name: str, ours: Callable[[], float], theirs: Callable[[], float], other: str) -> None:
    """Print both medians and their ratio."""
    pairs = [(ours(), theirs()) for _ in range(ROUNDS)]
    mine, measure = (median(times) for times in zip(*pairs, strict=True))
    print(f"{name:28}{mine * 1000:6.0f} ms   {other:26}{measure * 1000:6.0f} ms   ratio {mine / measure:.2f}")


def main() -> None:
    """Print all figures."""
    with tempfile.TemporaryDirectory() as folder:
        environment = environment_in(folder)
        compare(
            "start to first paint",
            lambda: seconds_to("BLOCK", BENCH, environment),
            lambda: seconds_to("BLOCK", EMPTY, environment),
            "an empty app",
        )
        compare(
            "start to first result",
            lambda: seconds_to("max |fused", BENCH, environment),
            seconds_to_import_torch,
            'python -c "import torch"',
        )
        for name, program, run, sign in (
            ("quit at rest", BENCH, b"", "max |fused"),
            ("quit during a long run", LONG_RUN, b"r", "running the branches"),
        ):
            times = [seconds_to_quit(environment, program, run, sign) for _ in range(QUITS)]
            print(f"{name:28}{median(times) * 1000:6.0f} ms   longest of {QUITS} {max(times) * 1000:.0f} ms")


if __name__ == "__main__":
    main()
