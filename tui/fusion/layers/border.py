"""An image with a border around it: more pixels, or fewer."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from tui.fusion.specs.block_spec import PaddingMode
from tui.fusion.specs.padding import Border, grown_and_cropped


def pad_function_mode(mode: PaddingMode) -> str:
    """functional.pad's name for a mode of nn.Conv2d."""
    return "constant" if mode is PaddingMode.ZEROS else mode.value


def bordered(x: Tensor, border: Border, mode: str = "constant") -> Tensor:
    """(..., H, W) with zeros or copies around it, by a mode of functional.pad, and then cropped."""
    grown, cropped = grown_and_cropped(border)
    if any(grown):
        x = functional.pad(x, grown, mode)
    return functional.pad(x, cropped) if any(cropped) else x


def framed(x: Tensor, border: Border, values: Tensor) -> Tensor:
    """(batch, channels, H, W) with one number a channel around it, and then cropped."""
    grown, cropped = grown_and_cropped(border)
    left, right, top, bottom = grown
    height, width = x.shape[2:]
    shape = (*x.shape[:2], top + height + bottom, left + width + right)
    whole = values.view(-1, 1, 1).expand(shape).clone()
    whole[:, :, top : top + height, left : left + width] = x
    return functional.pad(whole, cropped) if any(cropped) else whole
