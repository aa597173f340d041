"""The padding that aligns all branches of a block: torch's "same", with ceil(size / stride) outputs."""

from __future__ import annotations

from typing import Final, NamedTuple

from tui.fusion.pair_text import Pair

SAME: Final = "same"
"""Padding that makes the output as large as the input, torch's own."""

Border = tuple[int, int, int, int]
"""Pixels at the left, the right, the top and the bottom of an image; negative where it is cropped."""


def centre(kernel_size: int) -> int:
    """The tap of an axis that stands on the pixel, if one does: (k - 1) // 2, that of torch's "same"."""
    return (kernel_size - 1) // 2


def extent(kernel_size: int, dilation: int) -> int:
    """Pixels from the first tap of an axis to its last, both counted: (k - 1) d + 1."""
    return (kernel_size - 1) * dilation + 1


def offset_in(inner: Pair, outer: Pair) -> Pair:
    """Rows above and columns left of a kernel of (kH, kW) `inner` in a frame `outer`, centre on centre.

    Negative where the kernel is the larger one.
    """
    top, left = (centre(large) - centre(small) for small, large in zip(inner, outer, strict=True))
    return top, left


def taps_apart(kernel_size: Pair, dilation: Pair, step: Pair) -> Pair:
    """How many taps `step` pixels apart lie from one tap of a dilated kernel to its next, on each axis.

    1 on an axis of a single tap. The dilation must be a multiple of the step.
    """
    rows, columns = (
        own // apart if size > 1 else 1 for size, own, apart in zip(kernel_size, dilation, step, strict=True)
    )
    return rows, columns


def same_padding(kernel_size: int, dilation: int) -> Pair:
    """Zeros before and after an axis, as torch's padding="same" has them.

    Of the extent e = (k - 1) d + 1, (e - 1) // 2 stand before and the rest after. With even k and d > 1 no
    tap may stand on the pixel: those of k = 2, d = 2 stand at -1 and +1.

    >>> same_padding(2, 2), same_padding(4, 1)
    ((1, 1), (1, 2))
    """
    reach = extent(kernel_size, dilation)
    return (reach - 1) // 2, reach // 2


def same_border(kernel_size: Pair, dilation: Pair = (1, 1)) -> Border:
    """What `same_padding` puts around an image, as torch.nn.functional.pad takes it."""
    (top, bottom), (left, right) = map(same_padding, kernel_size, dilation)
    return left, right, top, bottom


def even_border(padding: Pair) -> Border:
    """As much on both sides of each axis, as nn.Conv2d's `padding=(pH, pW)` has it."""
    return padding[1], padding[1], padding[0], padding[0]


def even_padding(border: Border) -> Pair | None:
    """The `padding=(pH, pW)` of an nn.Conv2d that puts that border around; None where none does."""
    left, right, top, bottom = border
    return (top, left) if left == right >= 0 and top == bottom >= 0 else None


def show_padding(border: Border) -> str:
    """A border in words: "1", "0x2" where the axes differ, each of the four where the sides do."""
    left, right, top, bottom = border
    if left == right and top == bottom:
        return str(top) if top == left else f"{top}x{left}"
    return f"{left} left, {right} right, {top} above, {bottom} below"


def negated(border: Border) -> Border:
    """What takes that border away again."""
    left, right, top, bottom = border
    return -left, -right, -top, -bottom


def grown_and_cropped(border: Border) -> tuple[Border, Border]:
    """What a border puts around the image, and what it takes away, negative."""
    left, right, top, bottom = border
    grown = max(left, 0), max(right, 0), max(top, 0), max(bottom, 0)
    return grown, (left - grown[0], right - grown[1], top - grown[2], bottom - grown[3])


def symmetric_padding(kernel_size: Pair, dilation: Pair) -> Pair | None:
    """The padding as nn.Conv2d's `padding=(pH, pW)`; None where an axis needs more after than before."""
    return even_padding(same_border(kernel_size, dilation))


class Conv2dFrame(NamedTuple):
    """How a kernel is written as an nn.Conv2d: its kernel size, its dilation and its `padding`."""

    kernel_size: Pair
    dilation: Pair
    padding: Pair | str


def conv2d_frame(kernel_size: Pair, stride: Pair, dilation: Pair, padding: Pair | None = None) -> Conv2dFrame:
    """The nn.Conv2d that pads a kernel by that much, or where that is None like `same_padding`.

    An nn.Conv2d pads both sides alike, or, as padding="same", has no stride. On an axis that needs more zeros
    after than before a strided one is therefore given away in the next odd frame, whose first row or column
    is zero; with dilation that begins between two taps, and so the frame has dilation 1.

    >>> conv2d_frame((4, 3), stride=(2, 2), dilation=(1, 1))
    Conv2dFrame(kernel_size=(5, 3), dilation=(1, 1), padding=(2, 1))
    >>> conv2d_frame((2, 3), stride=(2, 2), dilation=(3, 2))
    Conv2dFrame(kernel_size=(5, 3), dilation=(1, 2), padding=(2, 2))
    """
    symmetric = symmetric_padding(kernel_size, dilation) if padding is None else padding
    if symmetric is not None:
        return Conv2dFrame(kernel_size, dilation, symmetric)
    if stride == (1, 1):
        return Conv2dFrame(kernel_size, dilation, "same")
    rows, columns = (
        (size, step) if extent(size, step) % 2 else (extent(size, step) + 1, 1)
        for size, step in zip(kernel_size, dilation, strict=True)
    )
    size, spacing = (rows[0], columns[0]), (rows[1], columns[1])
    symmetric = symmetric_padding(size, spacing)
    assert symmetric is not None
    return Conv2dFrame(size, spacing, symmetric)
