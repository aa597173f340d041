"""What stands in the place of a module: a class, a module without sizes, one that cannot be copied."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from tui.fusion.kernel import FusionError
from tui.modules.run.running import failure


def refuse_no_module(given: Any) -> None:
    """What is no nn.Module, or one whose parameters have no sizes yet, cannot be run.

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
    tensors = (*given.named_parameters(), *given.named_buffers())
    name = next((name for name, tensor in tensors if is_lazy(tensor)), None)
    if name is not None:
        raise FusionError(f"{name} has no size yet, as a lazy module's before its first run: run it once")


def copied(model: nn.Module) -> nn.Module:
    """A copy that shares no tensor with the model.

    Raises:
        FusionError: Python cannot copy it.
    """
    try:
        return copy.deepcopy(model)
    except Exception as error:  # whatever their __deepcopy__ and __reduce__ raise
        computed = next((name for name, value in _plain_tensors(model) if not value.is_leaf), None)
        way = "fuse its parts, each by tui.fuse"
        if computed is not None:
            way = (
                f"{computed} is a tensor that was computed with gradients, as torch.nn.utils.weight_norm "
                "leaves one: run the model once under torch.no_grad(), or make the norms permanent with "
                "torch.nn.utils.remove_weight_norm"
            )
        raise FusionError(f"the model cannot be copied ({failure(error)}); {way}") from error


def _plain_tensors(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Attributes that are tensors, and neither parameters nor buffers."""
    for path, module in model.named_modules():
        for name, value in vars(module).items():
            if isinstance(value, Tensor):
                yield f"{path}.{name}".lstrip("."), value
