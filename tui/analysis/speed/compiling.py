"""torch.compile of a side, and why it does not work here."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from tui.fusion.quoting import printable

_LONGEST = 200


def compiled(module: nn.Module, x: Tensor) -> nn.Module:
    """The module through torch.compile, which has compiled it for this input: whole, or not at all.

    Raises:
        Exception: whatever the compiler ends in: there is none, or it does not know what to do.
    """
    # More, and torch keeps processes of its own to the end of this one.
    made = torch.compile(module, fullgraph=True, dynamic=False, options={"compile_threads": 1})
    with torch.inference_mode():
        made(x)
    return cast("nn.Module", made)


def why_not_compiled(error: Exception) -> str:
    """Why, in one line: the last cause tells most."""
    while error.__cause__ is not None and isinstance(error.__cause__, Exception):
        error = error.__cause__
    lines = (printable(line.strip()) for line in str(error).splitlines())
    words = next((line for line in lines if line), type(error).__name__)
    return words if len(words) <= _LONGEST else f"{words[: _LONGEST - 1]}…"
