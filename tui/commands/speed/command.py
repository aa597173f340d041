"""speed(asked): time what is asked for with progress, and report it as far as it came."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial

from tui.analysis.progress import Doing
from tui.analysis.speed.outcomes import Found, Item, Planned, Timed
from tui.command_line.module_options import ModuleSource
from tui.command_line.speed_options import SpeedRequest
from tui.commands.in_thread import InThread, ctrl_c_as_exception
from tui.commands.progress import progress
from tui.fusion.refusal import Refusal

TIMED = 0
INTERRUPTED = 130


class NothingTimedError(Refusal, RuntimeError):
    """Nothing could be timed; the message says why."""


def speed(asked: SpeedRequest) -> int:
    """Run it and print the report, after Ctrl+C too: then of what is there; returns the exit status.

    Raises:
        Refusal: it cannot be timed at all.
        OSError: the report could not be written.
    """
    found = Found()
    status = TIMED
    running = InThread(partial(_items, asked))
    try:
        with ctrl_c_as_exception(), _code_of_the_user(asked), progress("speed") as tell:
            for item in running:
                found.take(item)
                tell(found.share, _words(item))
    except KeyboardInterrupt:
        for item in running.not_yet_read():
            found.take(item)
        status = INTERRUPTED
    if status == TIMED and not found.timed:
        raise NothingTimedError("; ".join(each.words for each in found.left_out))
    if status == INTERRUPTED:
        _report_partly(asked, found)
    else:
        _report(asked, found)
    return status


def _report_partly(asked: SpeedRequest, found: Found) -> None:
    """What is there, and only then that it is: a second Ctrl+C ends the program without it."""
    if not (asked.as_json or found.has_rounds):
        _say("stopped by Ctrl+C before the first round: there is nothing to report")
        return
    _report(asked, found)
    sys.stdout.flush()
    _say(f"stopped by Ctrl+C: this report is partial, {_there(found)} timed to the end")


def _there(found: Found) -> str:
    """What of it is complete: "1 of 4 blocks", "1 of 2 blocks and not the whole model"."""
    planned = found.planned
    if found.count < 2:
        return "not every round"
    done = [each for each in found.timed.values() if each.report.is_done]
    blocks = f"{sum(not each.is_whole for each in done)} of {planned.blocks} blocks"
    if not planned.whole:
        return blocks
    return f"{blocks} and {'' if any(each.is_whole for each in done) else 'not '}the whole model"


def _items(asked: SpeedRequest) -> Iterator[Item]:
    """What is done, and what comes of each block."""
    yield Doing("loading torch")
    from tui.analysis.deferred import load_torch

    load_torch()
    from tui.analysis.speed.several import time_all
    from tui.commands.speed.candidates import candidates_of

    yield Doing("looking for blocks")
    with candidates_of(asked) as candidates:
        yield from time_all(candidates, asked.conditions)


def _words(item: Item) -> str:
    """What is being done."""
    if isinstance(item, Planned):
        return "looking for blocks"
    if isinstance(item, Timed):
        rounds = f"round {item.report.rounds}"
        return f"{item.title}: {rounds}" if item.title else rounds
    return item.words if isinstance(item, Doing) else f"{item.title} left out"


def _report(asked: SpeedRequest, found: Found) -> None:
    if asked.as_json:
        from tui.export.speed_data import speed_json

        print(
            speed_json(
                list(found.timed.values()),
                found.left_out,
                asked.conditions,
                is_complete=found.is_complete,
                repetitions=asked.repetitions,
            )
        )
        return
    from tui.commands.speed.table import print_table

    print_table(list(found.timed.values()), found.left_out)


@contextmanager
def _code_of_the_user(asked: SpeedRequest) -> Iterator[None]:
    """What a module prints is no part of the report; here, since it is the report that is printed next."""
    if not isinstance(asked.source, ModuleSource):
        yield
        return
    from tui.commands.module.loading import users_code

    with users_code():
        yield


def _say(words: str) -> None:
    """Tell it on stderr."""
    if sys.stderr is not None:
        with suppress(OSError, ValueError):  # nobody reads it, and the report goes on
            print(f"repfuse-tui: {words}", file=sys.stderr, flush=True)
