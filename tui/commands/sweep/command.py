"""sweep(asked): run a sweep with progress, and report it as far as it came."""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from tui.analysis.progress import Doing
from tui.analysis.sweep.expected import shares_done
from tui.analysis.sweep.point import Point
from tui.analysis.sweep.running import sweep as points_of
from tui.command_line.sweep_options import SweepRequest
from tui.commands.in_thread import InThread, ctrl_c_as_exception
from tui.commands.progress import progress


@dataclass(frozen=True, slots=True)
class Swept:
    """How it ended.

    Attributes:
        points: how many are there.
        interrupted: whether Ctrl+C ended it.
    """

    points: int
    interrupted: bool


def sweep(asked: SweepRequest) -> Swept:
    """Run it and print the report, after Ctrl+C too: then of the points that are there.

    Raises:
        Refusal: it cannot be run at all: there is no such device.
        OSError: the report could not be written.
    """
    points: list[Point] = []
    interrupted = False
    running = InThread(partial(points_of, asked.plan))
    try:
        with ctrl_c_as_exception():
            _collect(asked, running, points)
    except KeyboardInterrupt:
        interrupted = True
        running.stop()
    if interrupted:
        _report_partly(asked, points)
    else:
        _report(asked, points)
    return Swept(len(points), interrupted)


def _report_partly(asked: SweepRequest, points: list[Point]) -> None:
    """What is there, and only then that it is: a second Ctrl+C ends the program without it."""
    if not (points or asked.as_json or asked.as_csv):
        _say("stopped by Ctrl+C before the first point: there is nothing to report")
        return
    _report(asked, points)
    sys.stdout.flush()
    _say(f"stopped by Ctrl+C: {len(points)} of {asked.plan.count} points are there, and reported")


def _collect(asked: SweepRequest, running: InThread[Doing | Point], points: list[Point]) -> None:
    """Take each point as it comes, with progress."""
    shares = shares_done(asked.plan)
    with progress("sweep") as tell:
        for item in running:
            if isinstance(item, Point):
                points.append(item)
            words = item.words if isinstance(item, Doing) else item.state
            tell(shares[len(points)], f"{len(points)} of {asked.plan.count} · {words}")


def _report(asked: SweepRequest, points: list[Point]) -> None:
    if asked.as_json or asked.as_csv:
        from tui.export.sweep_data import sweep_csv, sweep_json

        if asked.as_csv:
            print(sweep_csv(asked.plan, points), end="")
        else:
            print(sweep_json(asked.plan, points, repetitions=asked.repetitions))
        return
    from tui.commands.sweep.table import print_table

    print_table(asked.plan, points)


def _say(words: str) -> None:
    """Tell it on stderr."""
    if sys.stderr is not None:
        with suppress(OSError, ValueError):  # nobody reads it, and the report goes on
            print(f"repfuse-tui: {words}", file=sys.stderr, flush=True)
