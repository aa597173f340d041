"""A run of somebody's module: what goes wrong in it is told in one message with the place in their code."""

from __future__ import annotations

import importlib
import sysconfig
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import nn

from tui.fusion.refusal import Refusal

Result = TypeVar("Result")

_NOT_THEIRS = (
    str(Path(torch.__file__).parent),
    str(Path(__file__).parent),
    str(Path(importlib.__file__).parent),
)

_INSTALLED = tuple(sysconfig.get_path(kind) for kind in ("stdlib", "platstdlib", "purelib", "platlib"))
"""Where Python and packages are: what fails in there failed by what the user's own code asked of it."""

_OUT_OF_MEMORY = (MemoryError, getattr(torch, "OutOfMemoryError", MemoryError))  # torch 2.5 named it so


class RunError(Refusal, RuntimeError):
    """Somebody's code failed; the message says what it said, and where."""


def arguments_of(example: Any) -> tuple[Any, ...]:
    """A module's arguments: an image alone, or a tuple of them."""
    return tuple(example) if isinstance(example, (tuple, list)) else (example,)


def run_on(run: Callable[..., Result], module: nn.Module, example: Any) -> Result:
    """What `run(module, arguments)` gives.

    Raises:
        RunError: the module's forward raises.
    """
    try:
        return run(module, arguments_of(example))
    except Refusal:
        raise
    except Exception as error:
        raise RunError(f"{type(module).__name__}'s forward failed: {failure(error)}") from error


@contextmanager
def same_random_numbers() -> Iterator[None]:
    """What drops numbers at random drops the same ones each time; after it torch goes on as before."""
    state = torch.get_rng_state()
    torch.default_generator.manual_seed(0)
    try:
        yield
    finally:
        torch.set_rng_state(state)


def failure(error: BaseException) -> str:
    """What an error says, in one line, and the innermost line of the user's code that it came through."""
    said = " ".join(str(error).split()) or "no message"
    text = f"{type(error).__name__}: {said}"
    if isinstance(error, _OUT_OF_MEMORY) or "can't allocate memory" in said:
        text = f"out of memory: {said}"
    where = place_of(error)
    return f"{text} ({where})" if where else text


def place_of(error: BaseException) -> str:
    """file:line of the innermost frame that is the user's, else of a package; "" where there is none."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    frames = [
        frame
        for frame in reversed(traceback.extract_tb(error.__traceback__))
        if not frame.filename.startswith((*_NOT_THEIRS, "<"))
    ]
    own = (frame for frame in frames if not frame.filename.startswith(_INSTALLED))
    frame = next(own, frames[0] if frames else None)
    return "" if frame is None else f"{frame.filename}:{frame.lineno}"
