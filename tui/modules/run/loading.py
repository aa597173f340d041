"""load_module("package.module:name"): a module out of somebody's code, which runs as Python would run it."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from torch import nn

from tui.fusion.grammar.nearest_name import did_you_mean
from tui.fusion.quoting import with_article
from tui.fusion.refusal import Refusal
from tui.modules.run.running import failure

Result = TypeVar("Result")

_PACE = 0.05
"""Seconds between two looks at whether it is to be given up."""


class LoadingError(Refusal, RuntimeError):
    """A module that cannot be had; the message says why, and where in the user's code."""


class CancelledError(Refusal, RuntimeError):
    """The user gave up what somebody's code was doing."""


def load_module(target: str, with_: str = "", option: str = "--with") -> nn.Module:
    """The module that a target names, in eval mode.

    >>> load_module("torch.nn:Conv2d", with_="in_channels=4, out_channels=8, kernel_size=1")
    Conv2d(4, 8, kernel_size=(1, 1), stride=(1, 1))

    Args:
        target: "package.module:name" or "path/blocks.py:name", where the name is that of a class, a function
            that makes a module, or a module; "name.attribute" too. It runs the user's code.
        with_: arguments, as in a call: "64, deploy=False". Literals only; nothing in them is run.
        option: of the command line, with which they can be given.

    Raises:
        LoadingError: the code cannot be imported, has no such name, raises, or makes something else. One
            message, with file and line.
    """
    positional, named = _arguments(with_)
    found = _named(_imported(target), target)
    if not isinstance(found, nn.Module):
        found = _called(found, target, positional, named, option)
    elif with_.strip():
        raise LoadingError(
            f"{target} is a module already, and takes no arguments: leave out {with_.strip()!r}"
        )
    if not isinstance(found, nn.Module):
        raise LoadingError(f"{target} gives {with_article(type(found).__name__)}, and not an nn.Module")
    return found.eval()


def _arguments(text: str) -> tuple[list[Any], dict[str, Any]]:
    """What stands in a call's brackets.

    Raises:
        LoadingError: it is no such thing, or has something else than literals.
    """
    try:
        call = ast.parse(f"_({text})", mode="eval").body
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
            raise ValueError("one call's arguments")
        positional = [ast.literal_eval(each) for each in call.args]
        named = {str(each.arg): ast.literal_eval(each.value) for each in call.keywords if each.arg}
        if len(named) < len(call.keywords):
            raise ValueError("** is not a literal")
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError) as error:
        raise LoadingError(
            f"{text!r} are not arguments: give literals as in a call, such as channels=64, deploy=False"
        ) from error
    return positional, named


def _split(target: str) -> tuple[str, str]:
    """The module or file, and the name in it."""
    place, _, name = target.rpartition(":")
    if not place or not name or not all(part.isidentifier() for part in name.split(".")):
        raise LoadingError(f'{target!r} names no module: write "package.module:name" or "blocks.py:name"')
    return place, name


def _imported(target: str) -> ModuleType:
    place, _ = _split(target)
    is_file = place.endswith(".py") or "/" in place
    if is_file and not Path(place).is_file():
        raise LoadingError(f"there is no file {place}")
    try:
        return _of_file(Path(place)) if is_file else importlib.import_module(place)
    except (Exception, SystemExit) as error:
        raise LoadingError(f"importing {place} failed: {failure(error)}") from error


def _of_file(path: Path) -> ModuleType:
    """A file as a module, beside which it may import others, as `python FILE` would."""
    name = f"{path.stem}_of_{abs(hash(path.resolve())):x}"
    spec = importlib.util.spec_from_file_location(name, path.resolve())
    if spec is None or spec.loader is None:
        raise LoadingError(f"{path} is not Python")
    module = importlib.util.module_from_spec(spec)
    folder = str(path.resolve().parent)
    sys.path.insert(0, folder)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    finally:
        if folder in sys.path:
            sys.path.remove(folder)
    return module


def _named(module: ModuleType, target: str) -> Any:
    place, name = _split(target)
    here: Any = module
    for part in name.split("."):
        if not hasattr(here, part):
            known = (each for each in dir(here) if not each.startswith("_"))
            raise LoadingError(f"{place} has no {name}{did_you_mean(part, known)}")
        here = getattr(here, part)
    return here


def _called(maker: Any, target: str, positional: list[Any], named: dict[str, Any], option: str) -> Any:
    if not callable(maker):
        raise LoadingError(
            f"{target} is {with_article(type(maker).__name__)}: no class, no function and no nn.Module"
        )
    try:
        inspect.signature(maker).bind(*positional, **named)
    except TypeError as error:
        raise LoadingError(
            f"{target} takes {_signature(maker)}: {error}; give them, such as {option} 'channels=64'"
        ) from error
    except ValueError:  # of a builtin, which has no signature
        pass
    try:
        return maker(*positional, **named)
    except (Exception, SystemExit) as error:
        raise LoadingError(f"{target} could not be made: {failure(error)}") from error


def _signature(maker: Any) -> str:
    signature = inspect.signature(maker)
    plain = [each.replace(annotation=each.empty) for each in signature.parameters.values()]
    return str(signature.replace(parameters=plain, return_annotation=signature.empty))


def cancellable(run: Callable[[], Result], cancelled: Callable[[], bool]) -> Result:
    """What somebody's code gives, unless the user gives up on it, were it to loop for ever.

    It runs in a thread of its own, which is left behind where it does not end: it is told to stop at its next
    line of Python, and does not keep the program from ending.

    Raises:
        CancelledError: it was given up.
        BaseException: whatever it raises.
    """
    outcome: list[Result] = []
    errors: list[BaseException] = []
    given_up = threading.Event()

    def trace(*_: Any) -> Any:
        if given_up.is_set():
            raise CancelledError("cancelled")
        return trace

    def work() -> None:
        sys.settrace(trace)
        try:
            outcome.append(run())
        except BaseException as error:  # handed on to who asked
            errors.append(error)
        finally:
            sys.settrace(None)

    thread = threading.Thread(target=work, daemon=True, name="a user's module")
    thread.start()
    while thread.is_alive():
        thread.join(_PACE)
        if thread.is_alive() and cancelled():
            given_up.set()
            raise CancelledError("cancelled: the module's own code was still running")
    if errors:
        raise errors[0]
    return outcome[0]
