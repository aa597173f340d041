"""Meaning: which linear step a call of a run is, or why it is none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from tui.fusion.pair_text import Pair
from tui.modules.linear.collage import frame_of
from tui.modules.linear.refusing import unknown_of
from tui.modules.linear.steps import (
    Add,
    Average,
    Convolve,
    Frame,
    Normalise,
    Same,
    Scale,
    Shift,
    Step,
    Unknown,
)
from tui.modules.run.exact import Exact
from tui.modules.run.graph import Call, Node
from tui.modules.run.recording import sliced

Meaning = Step | Unknown


class Meanings:
    """The meaning of each image of a run, found out when it is asked for."""

    def __init__(self, exact: Exact) -> None:
        self._exact = exact
        self._known: dict[Node, Meaning] = {}

    def of(self, node: Node) -> Meaning:
        """The step that made that image."""
        if node not in self._known:
            self._known[node] = self._found(node)
        return self._known[node]

    def _found(self, node: Node) -> Meaning:
        call = node.call
        if call is None:
            return Unknown("it is what the module is given")
        if not node.is_image or node.output:
            return unknown_of(call)
        if call.module is not None:
            return _of_module(call)
        if call.pieces is not None:
            framed = frame_of(node, self._exact, self.of) if call.pieces else None
            return framed or unknown_of(call)
        reader = _READERS.get(call.operator)
        step = reader(call, self._exact) if reader is not None else None
        return unknown_of(call) if step is None else step


def _of_module(call: Call) -> Meaning:
    """That of a convolution or a batch norm that ran as a whole."""
    module, image = call.module, call.args[0] if call.args else next(iter(call.kwargs.values()))
    if not isinstance(image, Node) or image.constant or not image.is_image:
        return unknown_of(call)
    if isinstance(module, nn.BatchNorm2d):
        if module.training or module.running_mean is None or module.running_var is None:
            return unknown_of(call)
        tensors = (
            None if each is None else Node(each, constant=True)
            for each in (module.weight, module.bias, module.running_mean, module.running_var)
        )
        weight, bias, mean, var = tensors
        assert mean is not None
        assert var is not None
        return Normalise((image,), (call,), weight, bias, mean, var, module.eps, module)
    assert isinstance(module, nn.Conv2d)
    left, right, top, bottom = module._reversed_padding_repeated_twice
    return Convolve(
        (image,),
        (call,),
        Node(module.weight, constant=True),
        None if module.bias is None else Node(module.bias, constant=True),
        _pair(module.stride),
        (left, right, top, bottom),
        module.padding_mode,
        _pair(module.dilation),
        module.groups,
        module,
    )


def _arguments(call: Call) -> dict[str, Any]:
    names = [each.name for each in call.function._schema.arguments]
    defaults = {each.name: each.default_value for each in call.function._schema.arguments}
    return defaults | dict(zip(names, call.args, strict=False)) | call.kwargs


def _pair(values: Any) -> Pair:
    numbers = list(values) if isinstance(values, (list, tuple)) else [values]
    return int(numbers[0]), int(numbers[-1])


def _is_moving(node: Any) -> bool:
    return isinstance(node, Node) and not node.constant


def _convolution(call: Call, exact: Exact) -> Step | None:
    given = _arguments(call)
    if _is_moving(given["weight"]) or _is_moving(given["bias"]) or not given["input"].is_image:
        return None
    if given.get("transposed"):
        return _transposed(call, given)
    rows, columns = _pair(given["padding"])
    return Convolve(
        (given["input"],),
        (call,),
        given["weight"],
        given["bias"],
        _pair(given["stride"]),
        (columns, columns, rows, rows),
        "zeros",
        _pair(given["dilation"]),
        int(given["groups"]),
    )


def _transposed(call: Call, given: dict[str, Any]) -> Step | None:
    """One of stride 1 is the convolution with its kernel turned by half a turn, padded by what is left."""
    weight, groups, dilation = given["weight"], int(given["groups"]), _pair(given["dilation"])
    if _pair(given["stride"]) != (1, 1) or weight.call is not None or weight.kept is not None:
        return None
    own = weight.tensor.detach()
    channels, per_group, *size = own.shape
    turned = own.view(groups, channels // groups, per_group, *size).transpose(1, 2).flip(3, 4)
    turned = turned.reshape(groups * per_group, channels // groups, *size)
    top, left = (
        step * (taps - 1) - less
        for step, taps, less in zip(dilation, size, _pair(given["padding"]), strict=True)
    )
    below, right = _pair(given["output_padding"])
    border = (left, left + right, top, top + below)
    if min(border) < 0:
        return None
    node = Node(turned, constant=True)
    return Convolve(
        (given["input"],), (call,), node, given["bias"], (1, 1), border, "zeros", dilation, groups
    )


def _batch_norm(call: Call, exact: Exact) -> Step | None:
    given = _arguments(call)
    mean, var = given.get("running_mean"), given.get("running_var")
    if given.get("training") or not given["input"].is_image:
        return None
    if mean is None or var is None or any(map(_is_moving, (given["weight"], given["bias"], mean, var))):
        return None
    return Normalise(
        (given["input"],), (call,), given["weight"], given["bias"], mean, var, float(given["eps"])
    )


def _average(call: Call, exact: Exact) -> Step | None:
    given = _arguments(call)
    size = _pair(given["kernel_size"])
    rows, columns = _pair(given["padding"])
    uncounted = not given["count_include_pad"] and (rows or columns)
    if uncounted or given["ceil_mode"] or given["divisor_override"] or not given["self"].is_image:
        return None
    stride = _pair(given["stride"]) if given["stride"] else size
    return Average((given["self"],), (call,), size, stride, (columns, columns, rows, rows))


def _multiplied(call: Call, exact: Exact) -> Step | None:
    one, other = call.args[:2]
    image, factor = (one, other) if _is_moving(one) else (other, one)
    if _is_moving(factor):
        return None
    return _scaled(call, image, factor, exact, reciprocal=False)


def _divided(call: Call, exact: Exact) -> Step | None:
    image, factor = call.args[:2]
    if _is_moving(factor) or not _is_moving(image) or call.kwargs.get("rounding_mode"):
        return None
    return _scaled(call, image, factor, exact, reciprocal=True)


def _scaled(call: Call, image: Node, factor: Any, exact: Exact, *, reciprocal: bool) -> Step | None:
    numbers = _by_channel(factor, image, call, exact)
    if numbers is None:
        return None
    node = factor if isinstance(factor, Node) else None
    return Scale((image,), (call,), 1 / numbers if reciprocal else numbers, node, not reciprocal)


def _by_channel(factor: Any, image: Node, call: Call, exact: Exact) -> Tensor | None:
    """A constant as one number, or one a channel of the image; None where it is neither."""
    shape = image.tensor.shape
    if not image.is_image or call.outputs[0].tensor.shape != shape:
        return None
    numbers = (
        exact.constant(factor)
        if isinstance(factor, Node)
        else torch.tensor(float(factor), dtype=torch.float64)
    )
    numbers = numbers.double()
    if numbers.numel() == 1:
        return numbers.reshape(())
    numbers = numbers.expand(shape)[0]
    first = numbers[:, :1, :1]
    return first.flatten() if bool((numbers == first).all()) else None


def _negated(call: Call, exact: Exact) -> Step | None:
    image = call.args[0]
    if not image.is_image:
        return None
    return Scale((image,), (call,), torch.tensor(-1.0, dtype=torch.float64))


def _added(call: Call, exact: Exact) -> Step | None:
    one, other = call.args[:2]
    alpha = float(call.kwargs.get("alpha", 1))
    return _sum(call, (one, other), (1.0, alpha), exact)


def _subtracted(call: Call, exact: Exact) -> Step | None:
    one, other = call.args[:2]
    alpha = float(call.kwargs.get("alpha", 1))
    return _sum(call, (one, other), (1.0, -alpha), exact)


def _subtracted_from(call: Call, exact: Exact) -> Step | None:
    given = _arguments(call)
    return _sum(call, (given["other"], given["self"]), (1.0, -float(given.get("alpha", 1))), exact)


def _sum(call: Call, parts: tuple[Any, Any], factors: tuple[float, float], exact: Exact) -> Step | None:
    moving = [place for place, part in enumerate(parts) if _is_moving(part)]
    shape = call.outputs[0].tensor.shape
    if any(parts[place].tensor.shape != shape or not parts[place].is_image for place in moving):
        return None
    if len(moving) == 2:
        return Add(parts, (call,), factors)
    image, constant = parts[moving[0]], parts[1 - moving[0]]
    if factors[moving[0]] != 1:
        return None
    numbers = _by_channel(constant, image, call, exact)
    if numbers is None:
        return None
    offset = (numbers * factors[1 - moving[0]]).expand(shape[1])
    if not bool(offset.any()):
        return Same((image,), (call,))
    return Shift((image,), (call,), offset, constant if isinstance(constant, Node) else None)


def _summed(call: Call, exact: Exact) -> Step | None:
    """torch.stack(images).sum(0)."""
    stacked: Node = call.args[0]
    dims = call.args[1] if len(call.args) > 1 else None
    if stacked.call is None or stacked.call.operator != "stack" or list(dims or ()) != [0]:
        return None
    images = tuple(stacked.call.args[0])
    along = stacked.call.args[1] if len(stacked.call.args) > 1 else 0
    if along or stacked.users != [call] or not all(_is_moving(each) and each.is_image for each in images):
        return None
    return Add(images, (call, stacked.call), (1.0,) * len(images)) if not call.kwargs.get("dtype") else None


_MODES = {"reflection_pad2d": "reflect", "replication_pad2d": "replicate"}


def _padded(call: Call, exact: Exact) -> Step | None:
    given = _arguments(call)
    image, value = given["self"], given.get("value")
    pads = list(given.get("pad") or given.get("padding") or ())
    if not image.is_image or len(pads) not in (2, 4):
        return None
    left, right, top, bottom = (*pads, 0, 0)[:4]
    mode = _MODES.get(call.operator, "zeros")
    values = None
    if value:
        values = torch.full((image.tensor.shape[1],), float(value), dtype=torch.float64)
    return Frame((image,), (call,), (left, right, top, bottom), mode, values)


def _cropped(call: Call, exact: Exact) -> Step | None:
    image, dim, start, stop = sliced(call)
    if not image.is_image or call.operator == "select" or (len(call.args) > 4 and call.args[4] != 1):
        return None
    size = image.tensor.shape[dim]
    if (start, stop) == (0, size):
        return Same((image,), (call,))
    if dim == 3:
        return Frame((image,), (call,), (-start, stop - size, 0, 0))
    return Frame((image,), (call,), (0, 0, -start, stop - size)) if dim == 2 else None


def _same(call: Call, exact: Exact) -> Step | None:
    image = call.args[0]
    alike = _is_moving(image) and image.is_image and image.tensor.shape == call.outputs[0].tensor.shape
    return Same((image,), (call,)) if alike else None


def _copied(call: Call, exact: Exact) -> Step | None:
    """All of an image written over by another."""
    into, image = call.args[:2]
    if not _is_moving(image) or image.tensor.shape != into.tensor.shape:
        return None
    return Same((image,), (call,))


_READERS: Mapping[str, Callable[[Call, Exact], Step | None]] = {
    "convolution": _convolution,
    "conv2d": _convolution,
    "native_batch_norm": _batch_norm,
    "_native_batch_norm_legit_no_training": _batch_norm,
    "cudnn_batch_norm": _batch_norm,
    "miopen_batch_norm": _batch_norm,
    "avg_pool2d": _average,
    "mul": _multiplied,
    "div": _divided,
    "neg": _negated,
    "add": _added,
    "sub": _subtracted,
    "rsub": _subtracted_from,
    "sum": _summed,
    "constant_pad_nd": _padded,
    "reflection_pad2d": _padded,
    "replication_pad2d": _padded,
    "slice": _cropped,
    "copy": _copied,
    **dict.fromkeys(("clone", "detach", "alias", "view", "_to_copy", "expand", "_unsafe_view"), _same),
}
