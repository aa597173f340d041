"""bfloat16 convolutions on a CPU, kept from a fault of oneDNN's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from tui.analysis.numerics.misread import is_misread

_CONVOLVE: Callable[..., Tensor] = torch.conv2d


class Bfloat16WithoutMisreading(TorchFunctionMode):
    """Inside `with`, a conv2d on bfloat16 CPU tensors that oneDNN would misread runs by torch's own code.

    That is 5 to 70 times as slow, and so no other one does. Both accumulate in float32.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Keep oneDNN out of what it misreads; leave every other function alone."""
        kwargs = kwargs or {}
        if func is _CONVOLVE and _is_to_be_kept_out(*args, **kwargs):
            with _without_onednn():
                return func(*args, **kwargs)
        return func(*args, **kwargs)


@contextmanager
def _without_onednn() -> Iterator[None]:
    # mkldnn.flags() would set more than this, and warn of TF32 on other processors.
    mkldnn: Any = torch.backends.mkldnn
    before = bool(mkldnn.enabled)
    mkldnn.enabled = False
    try:
        yield
    finally:
        mkldnn.enabled = before


def _is_to_be_kept_out(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | tuple[int, ...] = 1,
    padding: str | int | tuple[int, ...] = 0,
    dilation: int | tuple[int, ...] = 1,
    groups: int = 1,
) -> bool:
    """Of conv2d's arguments, by their names there."""
    if input.dtype is not torch.bfloat16 or input.device.type != "cpu":
        return False
    step, apart = _of_width(stride), _of_width(dilation)
    columns, width = weight.shape[1], weight.shape[3]
    if isinstance(padding, str):  # which has no stride
        return is_misread(columns, width, 1, input.shape[-1])
    seen = input.shape[-1] + 2 * _of_width(padding) - apart * (width - 1) - 1
    return is_misread(columns, width, step, seen // step + 1)


def _of_width(pair: int | tuple[int, ...]) -> int:
    return pair if isinstance(pair, int) else pair[-1]
