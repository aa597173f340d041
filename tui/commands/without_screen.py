"""without_screen(request): what the command line asks for that needs no screen is done here."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from tui.analysis.failure import CANNOT, in_words
from tui.collecting import collect_again
from tui.command_line.checkpoint_options import (
    CheckpointRequest,
    CompareRequest,
    FuseRequest,
    InspectRequest,
)
from tui.command_line.module_options import (
    CheckModuleRequest,
    CompareModuleRequest,
    FuseModuleRequest,
    InspectModuleRequest,
    ModuleRequest,
    ModuleSource,
)
from tui.command_line.request import Request
from tui.commands.exit_status import INTERRUPTED, OUTPUT_CLOSED
from tui.fusion.refusal import Refusal

_CANNOT_BE_DONE = tuple(kind for kind in CANNOT if kind is not OSError)  # which is about stdout


class NotDoneError(Refusal, RuntimeError):
    """It could not be done; the message says why, for the user."""


def without_screen(request: Request) -> int:
    """Do it; returns the exit status. A reader that has gone away is no mistake and gets no words.

    Raises:
        Refusal: it cannot be done, or not be written; the message says why, for the user.
    """
    collect_again()
    try:
        status = _done(request)
        if sys.stdout is not None:
            sys.stdout.flush()  # here, where a failure can still be told
    except BrokenPipeError:
        _discard_output()
        return OUTPUT_CLOSED
    except OSError as error:
        _discard_output()
        raise NotDoneError(f"cannot write: {error.strerror or error}") from error
    return status


def _done(request: Request) -> int:
    if request.text is not None:
        print(request.text, end="")
        return 0
    if request.serve is not None:
        from tui.commands.serve.command import serve

        return serve(request.serve)
    if request.check and request.checkpoint is None and request.module is None:
        return _check(request)
    try:
        return _worked(request)
    except _CANNOT_BE_DONE as error:
        raise NotDoneError(in_words(error)) from error


def _worked(request: Request) -> int:
    """What may fail in all ways in which files, torch and the code of others do."""
    if request.module is not None:
        return _on_module(request.module)
    if request.sweep is not None:
        from tui.commands.sweep.command import sweep

        return INTERRUPTED if sweep(request.sweep).interrupted else 0
    if request.speed is not None:
        from tui.commands.speed.command import speed

        return speed(request.speed)
    assert request.checkpoint is not None, f"{request} is for the screen"
    return _on_file(request.checkpoint)


def _on_module(asked: ModuleRequest) -> int:
    """Do what is asked with somebody's module, whose code runs until Ctrl+C ends it."""
    match asked:
        case InspectModuleRequest():
            from tui.commands.module.inspecting import inspect

            return inspect(asked)
        case FuseModuleRequest():
            from tui.commands.module.fusing import fuse

            return fuse(asked)
        case CompareModuleRequest():
            from tui.commands.module.comparing import compare

            return compare(asked)
        case CheckModuleRequest():
            from tui.commands.module.checking import check

            return check(asked)
    raise AssertionError(f"{asked} is for the screen")


def _on_file(asked: CheckpointRequest) -> int:
    """Do what is asked with a checkpoint; Ctrl+C is an exception there, so that no half file is left."""
    match asked:
        case InspectRequest():
            from tui.commands.inspect.command import inspect

            return inspect(asked)
        case FuseRequest():
            from tui.commands.fuse.command import fuse

            return fuse(asked)
        case CompareRequest():
            return _compare(asked)
    raise AssertionError(f"{asked} is for the screen")


def _compare(asked: CompareRequest) -> int:
    if isinstance(asked.given, ModuleSource):
        from tui.commands.module.comparing import compare_with_module

        return compare_with_module(asked)
    from tui.checkpoints.opening import open_checkpoint
    from tui.commands.compare.command import compare

    return compare(asked, partial(open_checkpoint, asked.given))


def _check(request: Request) -> int:
    from tui.commands.check.command import check

    with _ended_at_once_by_ctrl_c():
        return check(
            request.spec,
            request.alterations,
            as_json=request.as_json,
            device=request.device,
            fused=request.fused,
            fused_bias=request.fused_bias,
        )


@contextmanager
def _ended_at_once_by_ctrl_c() -> Iterator[None]:
    """Let Ctrl+C end the process itself: Python's own handler would wait until torch returns."""
    python_handles_it = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if python_handles_it:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        if python_handles_it:
            signal.signal(signal.SIGINT, signal.default_int_handler)


def _discard_output() -> None:
    """Point stdout at nothing: the interpreter flushes it once more at exit, and would complain."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)
