"""The command `repfuse-tui`: reads its options, runs the bench or `check`, and ends without a traceback."""

from __future__ import annotations

import os
import signal
import sys
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import NoReturn

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
from tui.command_line.option_parser import PROGRAM, OptionsError
from tui.command_line.options import Request, parse
from tui.command_line.serve_options import ServeRequest
from tui.command_line.speed_options import SpeedRequest
from tui.command_line.sweep_options import SweepRequest
from tui.fusion.refusal import Refusal
from tui.on_terminal import (
    in_a_browser,
    keep_streams_for_the_page,
    refuse_no_terminal,
    run_on_terminal,
    say_in_browser,
)
from tui.plain_text import print_readably
from tui.what_is_shown import what_is_shown

BAD_INPUT = 2
INTERNAL_ERROR = 70  # EX_SOFTWARE: a mistake of ours, which must not read as "they differ"
INTERRUPTED = 130  # 128 + SIGINT, as shells report it
OUTPUT_CLOSED = 141  # 128 + SIGPIPE

_MEANINGLESS_WARNING = "Using padding='same' with even kernel lengths"
"""It costs a copy of the input, and the result is right."""

_CANNOT_BE_DONE = tuple(kind for kind in CANNOT if kind is not OSError)  # which is about stdout


def run() -> NoReturn:
    """The process: `main`, then gone at once.

    The interpreter's own way out would wait for torch to be taken down, 0.5 s and more, and can crash in it
    while a convolution still runs in its thread.
    """
    try:
        status = main()
    except Exception:
        traceback.print_exc()
        status = INTERNAL_ERROR
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()
    os._exit(status)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with these arguments (None: the process's own); returns the exit status."""
    warnings.filterwarnings("ignore", _MEANINGLESS_WARNING, UserWarning)
    for stream in (sys.stdout, sys.stderr):
        print_readably(stream)
    if in_a_browser():
        keep_streams_for_the_page()
    try:
        request = parse(sys.argv[1:] if arguments is None else arguments)
        if request.serve is not None or not request.on_screen:
            return _print(request)
        return _open_screen(request)
    except OptionsError as error:
        return _refuse(str(error))
    except KeyboardInterrupt:
        return INTERRUPTED


def _print(request: Request) -> int:
    """Do what needs no screen; a reader that has gone away is no mistake and gets no words."""
    collect_again()
    try:
        status = _worked(request)
        if sys.stdout is not None:
            sys.stdout.flush()  # here, where a failure can still be told
    except BrokenPipeError:
        _discard_output()
        return OUTPUT_CLOSED
    except OSError as error:
        _discard_output()
        return _refuse(f"cannot write: {error.strerror or error}")
    return status


def _worked(request: Request) -> int:
    if request.text is not None:
        return _write(request.text)
    if request.keys:
        from tui.screens.binding_ids import keys_in_words

        return _write(keys_in_words())
    if request.serve is not None:
        return _serve(request.serve)
    if request.module is not None:
        return _on_module(request.module)
    if request.sweep is not None:
        return _sweep(request.sweep)
    if request.speed is not None:
        return _speed(request.speed)
    return _check(request) if request.checkpoint is None else _on_file(request.checkpoint)


def _on_module(asked: ModuleRequest) -> int:
    """Do what is asked with somebody's module, whose code runs until Ctrl+C ends it."""
    try:
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
    except _CANNOT_BE_DONE as error:
        return _refuse(in_words(error))
    raise AssertionError(f"{asked} is for the screen")


def _on_file(asked: CheckpointRequest) -> int:
    """Do what is asked with a checkpoint; Ctrl+C is an exception there, so that no half file is left."""
    try:
        match asked:
            case InspectRequest():
                from tui.commands.inspect.command import inspect

                return inspect(asked)
            case FuseRequest():
                from tui.commands.fuse.command import fuse

                return fuse(asked)
            case CompareRequest():
                return _compare(asked)
    except _CANNOT_BE_DONE as error:
        return _refuse(in_words(error))
    raise AssertionError(f"{asked} is for the screen")


def _compare(asked: CompareRequest) -> int:
    if isinstance(asked.given, ModuleSource):
        from tui.commands.module.comparing import compare_with_module

        return compare_with_module(asked)
    from tui.checkpoints.opening import open_checkpoint
    from tui.commands.compare.command import compare

    return compare(asked, partial(open_checkpoint, asked.given))


def _sweep(asked: SweepRequest) -> int:
    from tui.commands.sweep.command import sweep

    try:
        return INTERRUPTED if sweep(asked).interrupted else 0
    except _CANNOT_BE_DONE as error:
        return _refuse(in_words(error))


def _speed(asked: SpeedRequest) -> int:
    from tui.commands.speed.command import speed

    try:
        return speed(asked)
    except _CANNOT_BE_DONE as error:
        return _refuse(in_words(error))


def _serve(asked: ServeRequest) -> int:
    from tui.commands.serve.command import ServingError, serve

    try:
        return serve(asked)
    except ServingError as error:
        return _refuse(str(error))


def _write(text: str) -> int:
    print(text, end="")
    return 0


def _check(request: Request) -> int:
    from tui.commands.check.command import CheckError, check

    try:
        with _ended_at_once_by_ctrl_c():
            return check(
                request.spec,
                request.alterations,
                as_json=request.as_json,
                device=request.device,
                fused=request.fused,
                fused_bias=request.fused_bias,
            )
    except CheckError as error:
        return _refuse(str(error))


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


def _open_screen(request: Request) -> int:
    command = f"{PROGRAM} {'inspect' if request.checkpoint or request.module else 'check'}"
    try:
        refuse_no_terminal(command)
        shown = what_is_shown(request)
    except CANNOT as error:
        return _refuse(in_words(error))
    try:
        return run_on_terminal(**shown)
    except Refusal as error:
        return _refuse(in_words(error))


def _refuse(message: str) -> int:
    """Say in one line what is wrong."""
    if sys.stderr is not None:
        with suppress(OSError):  # nobody reads it, and the exit status still tells
            print(f"{PROGRAM}: {message}", file=sys.stderr)
            if in_a_browser():
                say_in_browser(f"{PROGRAM}: {message}")
    return BAD_INPUT


def _discard_output() -> None:
    """Point stdout at nothing: the interpreter flushes it once more at exit, and would complain."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)
