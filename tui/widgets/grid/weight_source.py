"""A 4-D weight as a grid reads it: piece by piece, centred in a frame of zeros that is never stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from tui.fusion.specs.padding import offset_in


class Array4D(Protocol):
    """What a grid asks of a weight: a torch.Tensor and a numpy.ndarray both give it."""

    @property
    def shape(self) -> Any:
        """(out_channels, in_channels/groups, kH, kW)."""

    def __getitem__(self, index: Any) -> Any:
        """Slices, as views of the same memory."""


class Starred(Protocol):
    """Which numbers of a kernel are marked with a star. Like the weight it is asked for what is visible."""

    def row(self, out: int, ky: int, in_start: int, in_stop: int) -> list[list[bool]]:
        """For one row of taps in the frame, as `WeightSource.row` has them."""

    def bias(self, out: int) -> bool:
        """For the bias of an output channel."""


@dataclass(frozen=True, eq=False)
class WeightSource:
    """A weight of shape (out_channels, in_channels/groups, kH, kW), shown with the taps of `frame`.

    The frame is a kernel size (kH', kW') at least as large as the weight's own; the weight stands in it
    with centres aligned, and every tap outside the weight reads as 0. So a 1 x 1 kernel "padded to 7 x 7"
    costs no memory. `starred` says which of the numbers are marked; None for none.
    """

    weight: Array4D
    frame: tuple[int, int]
    starred: Starred | None = None

    @classmethod
    def of(cls, weight: Array4D) -> WeightSource:
        """The weight in its own kernel size."""
        return cls(weight, (int(weight.shape[2]), int(weight.shape[3])))

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(out_channels, in_channels/groups, kH', kW') with the taps of the frame."""
        return (int(self.weight.shape[0]), int(self.weight.shape[1]), *self.frame)

    @property
    def _offset(self) -> tuple[int, int]:
        height, width = self.weight.shape[2:]
        return offset_in((int(height), int(width)), self.frame)

    def row(self, out: int, ky: int, in_start: int, in_stop: int) -> list[list[float]]:
        """One row of taps, `ky`, of the kernels out x [in_start, in_stop): kW' numbers a kernel."""
        width = self.frame[1]
        top, left = self._offset
        y = ky - top
        if not 0 <= y < self.weight.shape[2]:
            return [[0.0] * width for _ in range(in_start, in_stop)]
        right = width - left - int(self.weight.shape[3])
        taps: list[list[float]] = self.weight[out, in_start:in_stop, y, :].tolist()
        if not left and not right:
            return taps
        return [[0.0] * left + kernel + [0.0] * right for kernel in taps]

    def at(self, out: int, in_: int, ky: int, kx: int) -> float:
        """The weight at one tap of the frame."""
        return self.row(out, ky, in_, in_ + 1)[0][kx]

    def norms(self, out: int, in_start: int, in_stop: int) -> list[float]:
        """The Frobenius norm of each kernel out x [in_start, in_stop)."""
        kernels = _widened(self.weight[out, in_start:in_stop])
        squares: list[float] = (kernels * kernels).sum((-2, -1)).tolist()
        return [square**0.5 for square in squares]


def _widened(kernels: Any) -> Any:
    """The same numbers in float64: in float16 the squares of numbers from 256 on are infinite."""
    return kernels.double() if hasattr(kernels, "double") else kernels.astype("float64")
