"""The command `repfuse-tui`: opens the screen, or does without it what is asked; no traceback at its end."""

from __future__ import annotations

import os
import sys
import traceback
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, NoReturn

from tui.analysis.failure import CANNOT, in_words
from tui.command_line.program import PROGRAM
from tui.commands.exit_status import BAD_INPUT, INTERNAL_ERROR, INTERRUPTED
from tui.fusion.refusal import Refusal
from tui.on_terminal import (
    in_a_browser,
    keep_streams_for_the_page,
    refuse_no_terminal,
    run_on_terminal,
    say_in_browser,
)
from tui.plain_text import print_readably

_MEANINGLESS_WARNING = "Using padding='same' with even kernel lengths"
"""It costs a copy of the input, and the result is right."""


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
    words = sys.argv[1:] if arguments is None else arguments
    try:
        # Most start it so, and need not wait until all is known of what else could be asked.
        return _done(words) if words else _opened(dict, "check")
    except Refusal as error:
        return _refuse(str(error))
    except KeyboardInterrupt:
        return INTERRUPTED


def _done(words: Sequence[str]) -> int:
    from tui.command_line.options import parse

    request = parse(words)
    if request.keys:
        from tui.screens.binding_ids import keys_in_words

        request = replace(request, text=keys_in_words())
    if request.serve is not None or not request.on_screen:
        from tui.commands.without_screen import without_screen

        return without_screen(request)
    from tui.what_is_shown import what_is_shown

    instead = "inspect" if request.checkpoint or request.module else "check"
    return _opened(partial(what_is_shown, request), instead)


def _opened(what: Callable[[], dict[str, Any]], instead: str) -> int:
    """Open the program on that; `instead`: the command that does something of the kind without a screen."""
    try:
        refuse_no_terminal(f"{PROGRAM} {instead}")
        shown = what()
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
