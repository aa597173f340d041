"""A convolution as the Python expression that makes one like it."""

from __future__ import annotations

from typing import Any

from torch import nn

from tui.fusion.specs.block_spec import Dtype, Pair

CONV2D_ARGUMENTS = (
    "in_channels",
    "out_channels",
    "kernel_size",
    "stride",
    "padding",
    "dilation",
    "groups",
    "padding_mode",
)


def conv2d_arguments(conv: nn.Conv2d) -> dict[str, Any]:
    """The arguments that make an nn.Conv2d like this one; whether it has a bias aside."""
    return {name: getattr(conv, name) for name in CONV2D_ARGUMENTS}


def conv2d_in_words(conv: nn.Conv2d, dtype: Dtype) -> str:
    """The Python expression that makes an nn.Conv2d like this one, without what is a default anyway."""
    arguments = conv2d_arguments(conv)
    positional = [str(arguments.pop(name)) for name in ("in_channels", "out_channels")]
    positional.append(shortest(arguments.pop("kernel_size")))
    defaults = {"stride": "1", "padding": "0", "dilation": "1", "groups": "1", "padding_mode": '"zeros"'}
    named = [
        f"{name}={shortest(value)}" for name, value in arguments.items() if shortest(value) != defaults[name]
    ]
    named += ["bias=False"] * (conv.bias is None)
    named += [f"dtype=torch.{dtype}"] * (dtype is not Dtype.FLOAT32)
    return f"nn.Conv2d({', '.join(positional + named)})"


def shortest(value: int | str | Pair) -> str:
    """A value as Python code: a pair of equal numbers as one number."""
    if isinstance(value, tuple) and value[0] == value[1]:
        return str(value[0])
    return f'"{value}"' if isinstance(value, str) else str(value)
