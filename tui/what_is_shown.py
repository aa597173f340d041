"""what_is_shown(request): what the program is opened on, as the command line asks for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tui.checkpoints.choosing.to_open import ToOpen
from tui.checkpoints.contents import Checkpoint
from tui.collecting import collect_again
from tui.command_line.checkpoint_options import OpenRequest
from tui.command_line.module_options import ModuleSource, OpenModuleRequest
from tui.command_line.request import Request


def what_is_shown(request: Request) -> dict[str, Any]:
    """The arguments of a RepFuseApp, for a request that is for the screen.

    Somebody's code runs here, before anything is on the screen: it can print, and Ctrl+C ends it.

    Raises:
        Refusal, ImportError, OSError, RuntimeError, MemoryError: a module cannot be had.
    """
    if isinstance(request.module, OpenModuleRequest):
        return _module(request.module)
    if isinstance(request.checkpoint, OpenRequest):
        return _checkpoint(request.checkpoint)
    return {
        "spec": request.spec,
        "alterations": request.alterations,
        "compared": request.compared,
        "device": request.device,
    }


def _module(asked: OpenModuleRequest) -> dict[str, Any]:
    from tui.commands.module.loading import looked_at  # stands on torch, as their code does

    _make_ready_for_their_code(asked.device)
    looked = looked_at(asked.source)
    return {"module": looked, "given": _had(asked.given), "device": asked.device}


def _checkpoint(asked: OpenRequest) -> dict[str, Any]:
    reading = asked.reading
    if isinstance(asked.given, ModuleSource):
        _make_ready_for_their_code(asked.device)
    to_open = ToOpen(asked.source, _had(asked.given), reading.family, reading.eps, reading.conv_bn)
    return {"to_open": to_open, "device": asked.device}


def _make_ready_for_their_code(device: str) -> None:
    from tui.analysis.numerics.devices import device_named

    device_named(device)  # before their code runs, for nothing perhaps
    collect_again()


def _had(given: Path | ModuleSource | None) -> Path | Checkpoint | None:
    """What was made of something: the tensors of a module; a file is opened on the screen."""
    if not isinstance(given, ModuleSource):
        return given
    from tui.commands.module.comparing import opened

    return opened(given)
