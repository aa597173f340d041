"""Why a call is no linear step, in words."""

from __future__ import annotations

import torch
from torch import nn

from tui.fusion.kernel import FusionError
from tui.modules.linear.steps import Unknown
from tui.modules.run.graph import Call, Node

_ACTIVATIONS = {
    "hardtanh": "a clipping activation (ReLU6, Hardtanh)",
    "clamp": "a clipping",
    "clamp_min": "a clipping",
    "clamp_max": "a clipping",
    "threshold": "a threshold",
    **{
        name: f"an activation, {name.strip('_')}"
        for name in (
            *("relu", "relu6", "silu", "gelu", "hardswish", "hardsigmoid", "leaky_relu", "elu", "celu"),
            *("_prelu_kernel", "prelu", "sigmoid", "tanh", "mish", "softplus", "_softmax", "log_sigmoid"),
            *("abs", "exp", "pow", "sqrt", "rsqrt", "maximum", "minimum"),
        )
    },
}

_NORMS = {
    "native_group_norm": "a group norm",
    "native_layer_norm": "a layer norm",
    "_fused_rms_norm": "an RMS norm",
}

_OTHERS = {
    "cat": "images put behind each other by channels",
    "max_pool2d_with_indices": "max pooling",
    "max_pool2d": "max pooling",
    "mean": "a mean over the image",
    "_adaptive_avg_pool2d": "pooling to a fixed size",
    "addmm": "a linear layer, which is no convolution of an image",
    "bernoulli": "dropout in train mode",
    "native_dropout": "dropout in train mode",
    "upsample_nearest2d": "upsampling",
    "upsample_bilinear2d": "upsampling",
    "grid_sampler_2d": "sampling at moving places",
    "written into": "an image that is written over in part",
}

_OF_MASKS = frozenset(
    ("div", "mul", "add", "sub", "floor", "lt", "gt", "ge", "le", "_to_copy", "expand", "view", "detach")
)
"""What is done with random numbers before they are a mask."""

_NOT_KNOWN = ", which is none of the linear steps that are known here"

_MAYBE = frozenset(
    (*(_OTHERS[name] for name in ("cat", "mean", "addmm", "written into")), "a convolution in 1d")
)
"""What may be a part of a linear map all the same."""


class NotUnderstoodError(FusionError):
    """What a module does is not known step by step; it may be linear all the same."""


def unknown_of(call: Call) -> Unknown:
    """The reason."""
    reason = _reason(call)
    return Unknown(reason, call, reason in _MAYBE or reason.endswith(_NOT_KNOWN))


def _reason(call: Call) -> str:
    if call.module is not None:
        return _of_norm(call.module)
    name = call.operator
    if "batch_norm" in name:
        return _of_batch_norm(call)
    if name in _ACTIVATIONS:
        return _ACTIVATIONS[name]
    if name in _NORMS:
        return f"{_NORMS[name]} is no batch norm: it follows each input's own statistics"
    if name in _OTHERS:
        return _OTHERS[name]
    if torch.Tag.nondeterministic_seeded in call.function.tags:
        return f"random numbers ({name})"
    return _of_arithmetic(call, name)


def _of_arithmetic(call: Call, name: str) -> str:
    moving = [node for node in call.inputs if not node.constant]
    if name in ("mul", "div") and any(map(_is_mask, moving)):
        return "dropout, or another factor at random: train mode, or F.dropout without training=self.training"
    if name in ("mul", "div") and len(moving) > 1:
        if any(node.tensor.dim() == 4 and tuple(node.tensor.shape[2:]) == (1, 1) for node in moving):
            return "an image multiplied by what depends on itself, as squeeze-and-excitation does"
        return "two images multiplied by each other"
    if name in ("mul", "div"):
        return "an image multiplied by a number a pixel"
    if name in ("add", "sub"):
        return "images of different sizes added, or a number a pixel"
    if name in ("convolution", "conv2d"):
        if len(moving) > 1:
            return "a convolution whose weight depends on the input"
        if name == "convolution" and call.args[6]:
            strides = max(call.args[3]) > 1
            return "a transposed convolution" if strides else f"a transposed convolution{_NOT_KNOWN}"
        return "a convolution in 1d"
    if name == "avg_pool2d":
        return "average pooling that leaves out the border, or rounds the size up"
    return f"{name}{_NOT_KNOWN}"


def _is_mask(node: Node) -> bool:
    """Whether it is made of random numbers, and of no image."""
    call = node.call
    if call is None or call.function is None:
        return False
    if torch.Tag.nondeterministic_seeded in call.function.tags:
        return True
    moving = [each for each in call.inputs if not each.constant]
    return len(moving) == 1 and call.operator in _OF_MASKS and _is_mask(moving[0])


def _of_batch_norm(call: Call) -> str:
    arguments = [each.name for each in call.function._schema.arguments]
    given = dict(zip(arguments, call.args, strict=False)) | call.kwargs
    if given.get("running_mean") is None:
        return "a norm without running statistics: it follows each input's own"
    if given.get("training"):
        return "a batch norm in train mode: it follows each input's own statistics"
    return "a batch norm of what is no image"


def _of_norm(module: nn.Module) -> str:
    if isinstance(module, nn.BatchNorm2d):
        if module.running_mean is None:
            return "a batch norm without running statistics (track_running_stats=False)"
        if module.training:
            return "a batch norm in train mode: it follows each input's own statistics"
    return f"{type(module).__name__} of what is no image"


def read_elsewhere(node: Node, inside: set[Call]) -> str:
    """Which calls outside of these read it; "" where none does."""
    if node.escapes:
        return "the module returns it"
    others = [call for call in node.users if call not in inside]
    return ", ".join(dict.fromkeys(f"{call.operator} in {call.path or 'forward'}" for call in others[:3]))
