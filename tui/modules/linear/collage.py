"""An image with numbers of its own around it, however it was put together: padded, or written into."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from tui.fusion.specs.padding import Border
from tui.modules.linear.steps import Frame, Step, Unknown
from tui.modules.run.exact import Exact
from tui.modules.run.graph import Call, Node

_ALIKE = 1e-9
"""Relative: numbers around an image that are as near as that are one number."""


@dataclass(eq=False)
class _Canvas:
    """What stands at each pixel.

    Attributes:
        values: (channels, H, W) in float64, where `inner` is not.
        mask: (H, W), where the image is.
        inner: the image, and where its first pixel stands.
    """

    values: Tensor
    mask: Tensor
    inner: Node | None = None

    def write(self, rows: slice, columns: slice, part: Node | Tensor) -> bool:
        """Put numbers, or the image, into a rectangle; False where there would be two images."""
        if isinstance(part, Tensor):
            window = self.values[:, rows, columns]
            alike = part.numel() == window.numel()
            window.copy_(part.reshape(window.shape) if alike else part.expand(window.shape))
            self.mask[rows, columns] = False
            return True
        if self.inner is not None:
            return False
        self.inner = part
        self.mask[rows, columns] = True
        return True


def frame_of(node: Node, exact: Exact, meaning: Callable[[Node], Step | Unknown]) -> Frame | None:
    """An image that was written into, or around which numbers were written, as the framed one that it is."""
    calls: list[Call] = []
    writes: list[Call] = []
    while node.call is not None and node.call.pieces:
        writes.append(node.call)
        node = node.call.args[0]
    canvas = _begun(node, exact, meaning, calls)
    if canvas is None:
        return None
    for call in reversed(writes):
        calls += _calls_of(call)
        place = _rectangle(call, canvas)
        part = _part(call.args[1], exact)
        if place is None or part is None:
            return None
        if not canvas.write(*place, part):
            return None
    return _framed(canvas, tuple(calls))


def _begun(
    node: Node, exact: Exact, meaning: Callable[[Node], Step | Unknown], calls: list[Call]
) -> _Canvas | None:
    """What was written into: numbers, or a padded image."""
    if not node.is_image:
        return None
    height, width = node.tensor.shape[2:]
    nowhere = torch.zeros(height, width, dtype=torch.bool)
    if node.constant:
        return _Canvas(exact.constant(node)[0].clone(), nowhere)
    step = meaning(node)
    if not isinstance(step, Frame) or step.mode != "zeros" or min(step.border) < 0:
        return None
    calls += step.calls
    left, right, top, bottom = step.border
    values = torch.zeros(node.tensor.shape[1:], dtype=torch.float64)
    if step.values is not None:
        values += step.values.view(-1, 1, 1)
    canvas = _Canvas(values, nowhere)
    canvas.write(slice(top, height - bottom), slice(left, width - right), step.images[0])
    return canvas


def _calls_of(call: Call) -> Iterator[Call]:
    """That, what wrote, and the slices through which it wrote."""
    yield call
    made = call.args[1].call
    if made is None:
        return
    yield made
    view = made.writes
    while view is not None and view.call is not None and view.call.operator in ("slice", "select"):
        yield view.call
        view = view.call.args[0]


def _rectangle(call: Call, canvas: _Canvas) -> tuple[slice, slice] | None:
    """The rows and columns that were written; None where not in every channel of every image."""
    shape = list(call.args[0].tensor.shape)
    begin = [0, 0, 0, 0]
    assert call.pieces is not None
    for dim, start, stop in call.pieces:
        begin[dim] += start
        shape[dim] = stop - start
    if shape[:2] != list(call.args[0].tensor.shape[:2]):
        return None
    return slice(begin[2], begin[2] + shape[2]), slice(begin[3], begin[3] + shape[3])


def _part(made: Node, exact: Exact) -> Node | Tensor | None:
    """What was written: an image, or numbers."""
    if made.constant:
        return _of_one(exact.constant(made))
    call = made.call
    if call is None or call.writes is None:
        return None
    if call.operator in ("fill", "zero"):
        value = call.args[1] if call.operator == "fill" else 0.0
        written = exact.constant(value) if isinstance(value, Node) else float(value)
        return torch.as_tensor(written, dtype=torch.float64)
    if call.operator != "copy":
        return None
    image = call.args[1]
    if image.constant:
        return _of_one(exact.constant(image).expand(made.tensor.shape))
    return image if image.is_image and image.tensor.shape == made.tensor.shape else None


def _of_one(numbers: Tensor) -> Tensor:
    """Those of the first image."""
    return numbers[0] if numbers.dim() >= 3 else numbers


def _framed(canvas: _Canvas, calls: tuple[Call, ...]) -> Frame | None:
    inner = canvas.inner
    if inner is None:
        return None
    rows, columns = (canvas.mask.any(dim=axis).nonzero().flatten() for axis in (1, 0))
    height, width = inner.tensor.shape[2:]
    if int(canvas.mask.sum()) != height * width or (len(rows), len(columns)) != (height, width):
        return None
    top, left = int(rows[0]), int(columns[0])
    border: Border = (
        left,
        canvas.mask.shape[1] - left - width,
        top,
        canvas.mask.shape[0] - top - height,
    )
    outside = canvas.values[:, ~canvas.mask]
    if not outside.numel():
        return Frame((inner,), calls, border)
    values = outside[:, 0]
    apart = (outside - outside[:, :1]).abs().amax(dim=1)
    if bool((apart > _ALIKE * values.abs()).any()):
        return None
    return Frame((inner,), calls, border, values=values if bool(values.any()) else None)
