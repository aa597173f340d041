"""Modules in train mode, which are no fixed map."""

from __future__ import annotations

from collections.abc import Iterator

from torch import nn

from tui.fusion.kernel import FusionError


def refuse_train_mode(module: nn.Module) -> None:
    """What follows each input, or drops numbers at random, is no fixed map.

    Raises:
        FusionError: a batch norm or a dropout is in train mode.
    """
    names = list(_in_train_mode(module))
    if names:
        listed = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
        raise FusionError(f"in train mode: {listed}; call eval() first")


def _in_train_mode(module: nn.Module) -> Iterator[str]:
    kinds = (nn.modules.batchnorm._NormBase, nn.modules.dropout._DropoutNd)
    for name, each in module.named_modules():
        if each.training and isinstance(each, kinds):
            yield name or type(each).__name__
