"""Our timing against torch's own, and the gains against those to expect; run by hand.

    python -m tests.bench.bench_speed [--threads N] [--memory usual|kept|new]

`torch.utils.benchmark` times both sides of three blocks in turns with us, on one thread; to
hold: the medians agree within the quartiles that both report. Then blocks of several kinds are timed, with
the gain to expect of each on two cores. A measurement from which other programs took the processor for more
than a tenth of the time is taken again, a few times; how much they had stands beside it.

The gain of norms in a batch of 8 is 1.4 to 1.7 where the process keeps its memory, and 1.9 to 2.8 where each
buffer is new from the system: the C library gives large ones back as soon as they are free, and then every
page of the next run is a fault, three times as many of them in the block as in the convolution. By itself it
does so now and then, so the usual gain lies between. Threads that other programs hold up take it to 3. The
topic speed of the help tells it with its figures.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from statistics import median

import torch
from torch import Tensor, nn
from torch.utils import benchmark

from tui.analysis.speed.conditions import Conditions
from tui.analysis.speed.devices import WaitingClock, stopwatch_for
from tui.analysis.speed.measuring import measure, threads
from tui.analysis.speed.report import Side, SpeedReport
from tui.analysis.speed.sides import sides_of
from tui.analysis.speed.timing import Spread, spread_of
from tui.fusion.block import ReparamBlock, build_block
from tui.fusion.fill import fill_block, make_input
from tui.fusion.grammar.branch_text import parse_branches
from tui.fusion.presets import PRESETS
from tui.fusion.specs.block_spec import BlockSpec

TURNS = 5
"""How often we and torch time a block, one after the other."""
MEMORY: dict[str, dict[str, str]] = {
    "usual": {},
    "kept": {"MALLOC_MMAP_THRESHOLD_": "4000000000", "MALLOC_TRIM_THRESHOLD_": "8000000000"},
    "new": {"MALLOC_MMAP_THRESHOLD_": "65536"},
}
"""How the C library of Linux is told to do with large buffers."""
NORMED_GAIN = {"usual": (1.4, 2.8), "kept": (1.4, 1.7), "new": (1.9, 2.8)}
ATTEMPTS = 3
QUIET = 0.9

_PLAIN = parse_branches("kxk,1x1,identity")
_NORMED = parse_branches("kxk+norm-bias,1x1+norm-bias,identity+norm")


def dense(channels: int, size: int, pixels: int, **more: object) -> BlockSpec:
    """k x k, 1 x 1 and the identity, without norms."""
    spec = BlockSpec(channels, channels, (size, size), branches=_PLAIN, input_shape=(pixels, pixels))
    return replace(spec, **more)  # type: ignore[arg-type]  # fields of a spec


AGREEING = {
    "residual, 2 channels 9x9": PRESETS["residual"].spec,
    "repvgg, 64 channels 56x56": PRESETS["repvgg"].spec,
    "repvgg-depthwise, batch 8": replace(PRESETS["repvgg-depthwise"].spec, batch_size=8),
}

EXPECTED: dict[str, tuple[BlockSpec, tuple[float, float] | None]] = {
    "dense 32, k 3": (dense(32, 3, 56), (1.2, 1.4)),
    "dense 64, k 3": (dense(64, 3, 56), (1.2, 1.4)),
    "dense 128, k 3": (dense(128, 3, 28), (1.2, 1.4)),
    "dense 32, k 7": (dense(32, 7, 56), (1.06, 1.13)),
    "dense 64, k 7": (dense(64, 7, 56), (1.06, 1.13)),
    "depthwise 64, k 3": (dense(64, 3, 56, groups=64), (1.3, 5)),
    "tiny: 2, k 3, 9x9": (dense(2, 3, 9), (1.3, 5)),
    "tiny: 8, k 3, 14x14": (dense(8, 3, 14), (1.3, 5)),
    "norms, 32, batch 8, 56x56": (dense(32, 3, 56, branches=_NORMED, batch_size=8), None),
    "norms, 64, batch 8, 56x56": (dense(64, 3, 56, branches=_NORMED, batch_size=8), None),
    "norms, 64, batch 8, 28x28": (dense(64, 3, 28, branches=_NORMED, batch_size=8), None),
}
"""Of each block the gain; None: that of norms, which depends on the memory."""


def made(spec: BlockSpec) -> tuple[ReparamBlock, nn.Conv2d, Tensor]:
    """The block with its values, the convolution, the input."""
    block = fill_block(build_block(spec), spec)
    return block, block.fuse(), make_input(spec)


def report_of(spec: BlockSpec, conditions: Conditions) -> SpeedReport:
    """A finished measurement, the quietest of a few."""
    block, fused, x = made(spec)
    best: SpeedReport | None = None
    for _ in range(ATTEMPTS):
        *_, last = measure(block, fused, x, conditions, with_peaks=False)
        assert isinstance(last, SpeedReport)
        if best is None or len(last.remarks) < len(best.remarks):
            best = last
        if not any("other programs" in remark for remark in last.remarks):
            break
    assert best is not None
    return best


def by_torch(module: nn.Module, x: Tensor) -> tuple[float, ...]:
    """Seconds of one run, by torch's own."""
    with torch.inference_mode():
        timer = benchmark.Timer("module(x)", globals={"module": module, "x": x}, num_threads=1)
        found = timer.blocked_autorange(min_run_time=0.2)
    return tuple(found.times)


def compare(spec: BlockSpec) -> Iterator[tuple[Side, Spread, Spread]]:
    """Of both sides our times and torch's, taken in turns."""
    block, fused, x = made(spec)
    sides = sides_of(block, fused)
    ours: dict[Side, tuple[float, ...]] = {Side.UNFUSED: (), Side.FUSED: ()}
    theirs = dict(ours)
    for _ in range(TURNS):
        *_, last = measure(block, fused, x, Conditions(threads=1, rounds=7), with_peaks=False)
        assert isinstance(last, SpeedReport)
        for side in ours:
            ours[side] += last.timings[side].seconds
            theirs[side] += by_torch(sides[side], x)
    for side in ours:
        yield side, spread_of(ours[side]), spread_of(theirs[side])


def busy_now() -> float:
    """The share of a tenth of a second that this program has the processor."""
    with threads(1):
        watch = stopwatch_for(torch.device("cpu"))
        assert isinstance(watch, WaitingClock)
        a = torch.ones(256, 256)
        watch.seconds(lambda: a @ a, 200)
    return watch.busy


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, help="of the second table [as torch has it]")
    parser.add_argument("--memory", choices=MEMORY, default="usual", help="of large buffers [usual]")
    options = parser.parse_args()
    if not MEMORY[options.memory].items() <= os.environ.items():  # read before the first line of Python is
        again = [sys.executable, "-m", "tests.bench.bench_speed", *sys.argv[1:]]
        os.execve(sys.executable, again, os.environ | MEMORY[options.memory])
    print(f"torch {torch.__version__}; the processor is ours for {busy_now():.0%} of the time")
    agreed = True
    for name, spec in AGREEING.items():
        for side, ours, theirs in compare(spec):
            apart = abs(ours.median - theirs.median)
            agrees = apart <= max(ours.iqr, theirs.iqr)
            agreed = agreed and agrees
            print(
                f"{name:28}{side:10} ours {1e6 * ours.median:9.1f} us (IQR {1e6 * ours.iqr:7.1f})  torch "
                f"{1e6 * theirs.median:9.1f} us (IQR {1e6 * theirs.iqr:7.1f})  "
                f"ratio {ours.median / theirs.median:.3f} {'' if agrees else 'APART'}"
            )
    print("all agree within their quartiles" if agreed else "they do not all agree")
    gains = []
    for name, (spec, expected) in EXPECTED.items():
        low, high = expected or NORMED_GAIN[options.memory]
        report = report_of(spec, Conditions(threads=options.threads, rounds=21))
        gain, folded = report.gain(), report.gain(Side.FOLDED)
        assert gain is not None
        gains.append(gain.median)
        marks = ["OUTSIDE"] * (not low <= gain.median <= high) + ["noisy"] * report.is_noisy
        marks += [remark[:52] for remark in report.remarks if "other programs" in remark]
        folding = "" if folded is None else f", norms folded {folded.median:.2f}"
        print(
            f"{name:28}gain {gain.median:5.2f} ({gain.low:.2f} to {gain.high:.2f}{folding})  "
            f"expected {low:g} to {high:g}  {'; '.join(marks)}"
        )
    print(f"median gain {median(gains):.2f}")


if __name__ == "__main__":
    main()
