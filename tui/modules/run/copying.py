"""copied(model): a copy of somebody's module that shares no tensor with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from torch import Tensor, nn

from tui.fusion.copying import Copying
from tui.fusion.kernel import FusionError
from tui.modules.run.running import failure


def copied(model: nn.Module) -> nn.Module:
    """A copy that shares no tensor with the model, the same as copy.deepcopy gives.

    A tensor that was computed with gradients, as torch.nn.utils.weight_norm and prune leave one beside the
    parameters, is copied by its numbers: Python does not copy how it was computed.

    Raises:
        FusionError: Python cannot copy it.
    """
    computed = {id(each): each.detach().clone() for each in _plain_tensors(model) if not each.is_leaf}
    try:
        return cast("nn.Module", Copying(dict[Any, Any](computed)).of_module(model))
    except Exception as error:  # whatever their __deepcopy__ and __reduce__ raise
        way = "fuse its parts, each by tui.fuse"
        raise FusionError(f"the model cannot be copied ({failure(error)}); {way}") from error


def _plain_tensors(model: nn.Module) -> Iterator[Tensor]:
    """Attributes that are tensors, and neither parameters nor buffers."""
    for module in model.modules():
        yield from (value for value in vars(module).values() if isinstance(value, Tensor))
