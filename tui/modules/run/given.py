"""What stands in the place of a module: a class, a module without sizes."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from tui.fusion.kernel import FusionError

_HOLDERS = (nn.ModuleList, nn.ModuleDict, nn.ParameterList, nn.ParameterDict)


def refuse_no_module(given: Any) -> None:
    """What is no nn.Module, one without sizes or numbers, or one of TorchScript cannot be seen to run.

    Raises:
        FusionError: it is; the message says what was given, and what to give.
    """
    if isinstance(given, type):
        raise FusionError(
            f"the class {given.__name__} was given, and a module is expected: make one of it, "
            f"{given.__name__}(...), and call its eval()"
        )
    if not isinstance(given, nn.Module):
        raise FusionError(f"{type(given).__name__} was given, and a module (torch.nn.Module) is expected")
    if isinstance(given, _HOLDERS) and type(given).forward is nn.Module.forward:
        raise FusionError(
            f"a {type(given).__name__} holds modules and does nothing with an image itself: give one of "
            "them, or the model that runs them"
        )
    if isinstance(given, torch.jit.ScriptModule):
        raise FusionError(
            "it is TorchScript, whose steps cannot be seen: give the module of Python that it was made of, "
            "with its state_dict"
        )
    tensors = (*given.named_parameters(), *given.named_buffers())
    name = next((name for name, tensor in tensors if is_lazy(tensor)), None)
    if name is not None:
        raise FusionError(f"{name} has no size yet, as a lazy module's before its first run: run it once")
    name = next((name for name, tensor in tensors if tensor.is_meta), None)
    if name is not None:
        raise FusionError(
            f"{name} is on the meta device and has no numbers: call to_empty(device='cpu'), and load them"
        )
