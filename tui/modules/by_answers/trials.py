"""Trials: whether a module gives what the convolution does that it answers like, of images of other sizes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tui.fusion.kernel import FusionError, Kernel
from tui.fusion.specs.geometry import Geometry
from tui.fusion.specs.padding import Border
from tui.modules.by_answers.answers import FEW_CHANNELS, answer_of, up_to_unit
from tui.modules.finished import padded_conv

SLACK = {torch.float64: 1e-9, torch.float32: 1e-5, torch.float16: 1e-2, torch.bfloat16: 5e-2}
"""How far the map and the module may lie apart, relative to sum |W| max |x| + |b|, by the kernel's dtype."""


class BorderError(FusionError):
    """It gives what the convolution does, but for pixels at the border."""


@dataclass(frozen=True, eq=False)
class Trials:
    """Images on which a module is tried.

    Attributes:
        module: it, in float64.
        example: an image that it takes.
        dtype: in which its kernel was found.
        unit: the sides of the images are a multiple of that.
    """

    module: nn.Module
    example: Tensor
    dtype: torch.dtype
    unit: int

    def refuse_other_map(self, kernel: Kernel, geometry: Geometry, border: Border) -> None:
        """That the module gives what the convolution does, of other images than it was asked about.

        Raises:
            FusionError: it does not; with the element at which it is furthest off.
            RunError: it fails.
        """
        conv = padded_conv(kernel, geometry, border)
        reached = kernel.weight.abs().sum(dim=(1, 2, 3)).view(-1, 1, 1)
        bias = torch.zeros(1, device=reached.device) if kernel.bias is None else kernel.bias
        offset = bias.abs().view(-1, 1, 1)
        reach = max(kernel.kernel_size) * max(geometry.dilation)
        for x in self._images(reach):
            right = answer_of(self.module, x)
            expected = _given(conv, x)
            words = f"an image {'x'.join(map(str, x.shape[1:]))} of numbers up to {float(x.abs().max()):.3g}"
            if right.shape != expected.shape:
                raise FusionError(
                    f"it is not linear and alike at every pixel: of {words} it makes {tuple(right.shape)}, "
                    f"and the convolution that it answers like {tuple(expected.shape)}"
                )
            bound = SLACK[self.dtype] * (reached * x.abs().max() + offset)
            share = (right - expected).abs() / bound.clamp_min(torch.finfo(x.dtype).tiny)
            _refuse_far(share.nan_to_num(math.inf), words, right, expected, geometry, reach)

    def _images(self, reach: int) -> Iterator[Tensor]:
        """Of several sizes; numbers of both signs, from very small to very large; and the example."""
        generator = torch.Generator().manual_seed(4)
        channels = self.example.shape[1]
        few = up_to_unit(reach + 4 if channels > FEW_CHANNELS else reach + 20, self.unit)
        yield self.example[:1, :, : 2 * few, : 2 * few].double()
        for rows, columns, size in ((0, 0, 1.0), (1, 3, 1e-4), (3, 1, 1e7), (2, 0, 1e3)):
            shape = (1, channels, few + rows * self.unit, few + columns * self.unit)
            x = torch.randn(shape, generator=generator, dtype=torch.float64) * size
            yield (x.abs() if size == 1e3 else x).to(self.example.device)


def _given(conv: nn.Conv2d, x: Tensor) -> Tensor:
    try:
        y: Tensor = conv(x)
    except RuntimeError as error:  # around so small an image nothing can be mirrored
        raise FusionError(f"the convolution that it answers like fails: {error}") from error
    return y


def _refuse_far(
    share: Tensor, words: str, right: Tensor, expected: Tensor, geometry: Geometry, reach: int
) -> None:
    """`share`: by how much each element is off, of what it may be.

    Raises:
        BorderError, FusionError: one is off by more.
    """
    worst = int(share.argmax())
    if float(share.flatten()[worst]) <= 1:
        return
    place = [int(each) for each in torch.unravel_index(torch.tensor(worst), share.shape)]
    told = (
        f"of {words} it gives {float(right.flatten()[worst]):.6g} at {place}, and the convolution that it "
        f"answers like {float(expected.flatten()[worst]):.6g}"
    )
    rows, columns = (-(-reach // stride) for stride in geometry.stride)
    inside = share[..., rows:-rows, columns:-columns]
    if inside.numel() and bool((inside <= 1).all()):
        raise BorderError(f"it answers like one convolution, but not at the border: {told}")
    raise FusionError(f"it is not linear and alike at every pixel: {told}")
