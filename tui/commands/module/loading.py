"""looked_at(source): a module that the command line names, made, given its weights, and run once."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from tui.checkpoints.contents import Checkpoint
from tui.checkpoints.opening import open_checkpoint
from tui.command_line.module_options import ModuleSource
from tui.fusion.quoting import printable
from tui.fusion.refusal import Refusal
from tui.importing.files import bytes_of
from tui.importing.npy import npy_from
from tui.modules.looking import LookedAt, look_at
from tui.modules.run.given import refuse_no_module
from tui.modules.run.loading import LoadingError, load_module


class Loaded(NamedTuple):
    """A module in eval mode, and what it is to be run on: None where that is to be found out."""

    module: nn.Module
    example: Tensor | None


def loaded(source: ModuleSource) -> Loaded:
    """Import the user's code, make the module, load its weights.

    Raises:
        LoadingError: the code fails, or the weights do not fit; one message, with file and line.
        Refusal: a file cannot be read, or a parameter has no size yet.
    """
    with users_code():
        module = load_module(source.target, source.arguments, source.arguments_option)
        if source.weights is not None:
            _give_weights(module, source)
    refuse_no_module(module)
    return Loaded(module, _example(source, module))


def looked_at(source: ModuleSource) -> LookedAt:
    """A module as it is looked at.

    Raises:
        RunError: its forward fails.
        LoadingError, Refusal: as `loaded`.
    """
    module, example = loaded(source)
    with users_code():
        return look_at(module, example, source.target)


def refuse_no_block(looked: LookedAt) -> None:
    """Stop where nothing can be fused.

    Raises:
        LoadingError: so it is; the message says why of the first that is left alone.
    """
    if not looked.findings.blocks:
        left = looked.findings.left_alone
        why = f": {left[0].sentence}" if left else ""
        raise LoadingError(f"{looked.name}: nothing in it can be fused{why}")


@contextmanager
def users_code() -> Iterator[None]:
    """Where somebody's code runs: it may import what lies here, and what it prints is no part of a report."""
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        with redirect_stdout(sys.stderr):
            yield
    except SystemExit as error:
        raise LoadingError(f"the module's code left the program: exit({error.code!r})") from error
    except RecursionError as error:
        raise LoadingError("the module's code calls itself without an end") from error
    finally:
        if here in sys.path:
            sys.path.remove(here)


def _give_weights(module: nn.Module, source: ModuleSource) -> None:
    assert source.weights is not None
    with open_checkpoint(source.weights) as file:
        names = _state_dict_for(module, file, source)
        state = {own_name: file.tensor(name) for own_name, name in names.items()}
    try:
        module.load_state_dict(state)
    except RuntimeError as error:
        lines = [line.strip() for line in str(error).splitlines()[1:]]
        raise LoadingError(
            f"{source.weights_option}: {printable(source.weights.name)} does not fit "
            f"{printable(source.target)}: {printable(' '.join(lines))[:400]}"
        ) from None


def _state_dict_for(module: nn.Module, file: Checkpoint, source: ModuleSource) -> dict[str, str]:
    """Names in the file by those in a state_dict: of what fits, where a training program kept more in it.

    Raises:
        LoadingError: several fit, as a model and the average of its weights.
    """
    parts: dict[str, dict[str, str]] = {}
    for name, entry in file.entries.items():
        parts.setdefault(entry.wrapper, {})[entry.own_name] = name
    own = module.state_dict().keys()
    asked = {name for name in own if not name.endswith("num_batches_tracked")}  # torch does without
    fitting = [wrapper for wrapper, names in parts.items() if asked <= names.keys() <= own]
    if len(fitting) > 1:
        several = " and ".join(printable(wrapper.removesuffix(".")) for wrapper in fitting)
        raise LoadingError(
            f"{source.weights_option}: {printable(file.path.name)} holds several that fit, {several}: "
            "save the one meant by itself"
        )
    nearest = max(parts, key=lambda wrapper: len(own & parts[wrapper].keys()), default="")
    return parts.get(fitting[0] if fitting else nearest, {})


def _example(source: ModuleSource, module: nn.Module) -> Tensor | None:
    like = next((each for each in module.parameters() if each.is_floating_point()), torch.empty(0))
    if source.input is not None:
        generator = torch.Generator().manual_seed(0)
        return torch.randn(source.input, generator=generator, dtype=torch.float64).to(like)
    if source.example is None:
        return None
    try:
        given = npy_from(bytes_of(str(source.example), (".npy",)))
    except Refusal as error:
        raise LoadingError(f"--example: {printable(str(source.example))}: {error}") from None
    x = torch.tensor(given.values, dtype=torch.float64).reshape(given.shape)
    if x.dim() != 4:
        raise LoadingError(f"--example: it is {tuple(x.shape)}, and (batch, channels, H, W) is expected")
    return x.to(like)
