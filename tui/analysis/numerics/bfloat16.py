"""bfloat16 convolutions on a CPU, kept from a fault of oneDNN's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from tui.analysis.numerics.misread import is_misread, sees_nothing

_CONVOLVE: Callable[..., Tensor] = torch.conv2d


class Bfloat16WithoutMisreading(TorchFunctionMode):
    """Inside `with`, a conv2d on 16-bit CPU tensors that oneDNN would misread runs by torch's own code.

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
    if input.dtype not in (torch.bfloat16, torch.float16) or input.device.type != "cpu":
        return False
    steps, apart, taps = _both(stride), _both(dilation), tuple(weight.shape[2:])
    if isinstance(padding, str):
        same = padding == "same"
        before = tuple(d * (k - 1) // 2 if same else 0 for k, d in zip(taps, apart, strict=True))
        after = tuple(d * (k - 1) - b if same else 0 for k, d, b in zip(taps, apart, before, strict=True))
    else:
        before = after = _both(padding)
    pixels = tuple(input.shape[-2:])
    padded = zip(before, after, strict=True)
    if sees_nothing(zip(pixels, taps, steps, apart, padded, strict=True)):
        return True
    if input.dtype is torch.float16:
        return False
    seen = pixels[1] + before[1] + after[1] - apart[1] * (taps[1] - 1) - 1
    return is_misread(weight.shape[1], taps[1], steps[1], seen // steps[1] + 1)


def _both(pair: int | tuple[int, ...]) -> tuple[int, int]:
    first, last = (pair, pair) if isinstance(pair, int) else (pair[0], pair[-1])
    return first, last
