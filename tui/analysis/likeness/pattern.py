"""Where a difference is not zero, in words: in which output channels, at the border only, everywhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

_MOST_RUNS = 4


@dataclass(frozen=True, slots=True)
class Pattern:
    """Where a difference of shape (batch, out_channels, H, W) is not zero.

    Attributes:
        channels: the output channels in which it is not.
        out_channels: how many there are.
        border: how many pixels from the border it reaches; None where it fills the middle too.
        constant: whether it is the same at every pixel of a channel.
        share: of the values, those that are not zero.
    """

    channels: tuple[int, ...]
    out_channels: int
    border: int | None
    constant: bool
    share: float

    def __str__(self) -> str:
        """As it is said: "only in out 1, within 1 pixel of the border"."""
        return ", ".join(self._words())

    def _words(self) -> Iterator[str]:
        if not self.channels:
            yield "nowhere"
            return
        some = len(self.channels) < self.out_channels
        if some:
            yield f"only in {_show_channels(self.channels, self.out_channels)}"
        if self.border is not None:
            only = "" if some else "only "
            yield f"{only}within {self.border} pixel{'s' if self.border > 1 else ''} of the border"
        elif self.constant:
            yield "the same at every pixel"
        elif not some:
            yield "everywhere" if self.share > 0.5 else f"in {self.share:.1%} of the values"


def pattern_of(difference: Tensor, noise: float = 0.0) -> Pattern:
    """Where the difference, (batch, out_channels, H, W), is not zero; NaN and infinity count as not zero.

    What is at most `noise`, or 1e-9 of the largest, counts as zero.
    """
    magnitude = difference.detach().abs().nan_to_num(torch.inf)
    finite = magnitude.masked_fill(magnitude.isinf(), 0)
    floor = max(noise, 1e-9 * float(finite.max()))
    filled = magnitude > floor
    channels = filled.transpose(0, 1).flatten(1).any(dim=1)
    spread = difference.amax(dim=(0, 2, 3)) - difference.amin(dim=(0, 2, 3))
    return Pattern(
        channels=tuple(channel for channel, some in enumerate(channels.tolist()) if some),
        out_channels=difference.shape[1],
        border=_border(filled.flatten(0, 1).any(dim=0)),
        constant=bool((spread <= floor).all()),
        share=float(filled.double().mean()),
    )


def _border(filled: Tensor) -> int | None:
    """How far from the border the (H, W) map is filled; None where that leaves no middle."""
    height, width = filled.shape
    rows, columns = (torch.arange(size, device=filled.device) for size in (height, width))
    depth = torch.minimum(
        torch.minimum(rows, height - 1 - rows)[:, None], torch.minimum(columns, width - 1 - columns)
    )
    deepest = int(torch.where(filled, depth + 1, 0).max())
    return deepest if deepest > 0 and 2 * deepest < min(height, width) else None


def _show_channels(channels: Sequence[int], out_channels: int) -> str:
    """ "out 1", "out 0, 2 to 5", or how many where they are too scattered to list."""
    runs: list[list[int]] = []
    for channel in channels:
        if runs and channel == runs[-1][1] + 1:
            runs[-1][1] = channel
        else:
            runs.append([channel, channel])
    if len(runs) > _MOST_RUNS:
        return f"{len(channels)} of {out_channels} output channels"
    shown = (str(first) if first == last else f"{first} to {last}" for first, last in runs)
    return f"out {', '.join(shown)}"
