"""explore(module): the program, opened from a script or a prompt on a module that lives there."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from torch import nn

from tui.fusion.refusal import Refusal
from tui.modules.looking import look_at
from tui.on_terminal import refuse_no_terminal, run_on_terminal


class ExploreError(Refusal, RuntimeError):
    """The program cannot be opened from here; the message says from where it can."""


def explore(module: nn.Module, x: Any = None) -> None:
    """Open the program on a module, and return when it is left.

    A module that is one convolution in disguise opens on the bench, with its own numbers; any other as a tree
    of its modules, in which enter opens each block that can be fused, and what cannot is told and why.
    The module is run once, before anything is on the screen, and stays as it is.

    >>> from tui import explore
    >>> explore(model.eval(), x)  # doctest: +SKIP

    Args:
        module: in eval mode: in train mode a batch norm follows each input, and cannot be folded.
        x: an image (batch, channels, H, W) that it takes, or a tuple of its arguments: each block then runs
            on what reached it. Where None, an image is made from the parameters, and blocks run on others.

    Raises:
        FusionError: it is no module.
        RunError: the module's forward fails; the message says at which line.
        ExploreError: an event loop is running, as in Jupyter, or this is not the main thread.
        NoTerminalError: there is no terminal.
    """
    _refuse_here()
    refuse_no_terminal("tui.fuse(module), and tui.fuse_model(model, x) with its report")
    run_on_terminal(module=look_at(module, x))


def _refuse_here() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        pass
    else:
        raise ExploreError(
            "an event loop is running here, as in Jupyter, and the program needs one of its own: call "
            "explore from a script or from Python's prompt in a terminal"
        )
    if threading.current_thread() is not threading.main_thread():
        raise ExploreError("the program reads keys and signals in the main thread: call explore there")
