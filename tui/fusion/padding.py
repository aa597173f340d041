"""The padding that aligns all branches of a block: centres on the pixel, ceil(size / stride) outputs."""

from __future__ import annotations

from tui.fusion.pair_text import Pair


def centre(kernel_size: int) -> int:
    """The tap of an axis that stands on the pixel: (k - 1) // 2, the one that torch's "same" aligns."""
    return (kernel_size - 1) // 2


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
    """Zeros before and after an axis so that the centre tap stands on each pixel that the stride visits.

    With k taps `dilation` apart, the centre has (k - 1) // 2 taps before it and k // 2 after it. The two
    sides differ for even k. torch's own padding="same" splits the sum of both in halves instead: the same
    thing for odd k or dilation 1, but with even k and dilation > 1 no tap, or another one, meets the pixel,
    and a 1 x 1 branch would then not line up.
    """
    return dilation * centre(kernel_size), dilation * (kernel_size // 2)


def symmetric_padding(kernel_size: Pair, dilation: Pair) -> Pair | None:
    """The padding as nn.Conv2d's `padding=(pH, pW)`; None where an axis needs more after than before."""
    (top, bottom), (left, right) = (
        same_padding(size, step) for size, step in zip(kernel_size, dilation, strict=True)
    )
    return (top, left) if (top, left) == (bottom, right) else None


def conv2d_size_and_padding(kernel_size: Pair, stride: Pair, dilation: Pair) -> tuple[Pair, Pair | str]:
    """The kernel size and the `padding` argument of the nn.Conv2d that pads a kernel like `same_padding`.

    An nn.Conv2d pads both sides alike (or, as padding="same", has no stride). An even kernel that needs more
    zeros after than before is therefore given away in the next odd frame, whose first row or column is zero.

    >>> conv2d_size_and_padding((4, 3), stride=(2, 2), dilation=(1, 1))
    ((5, 3), (2, 1))
    """
    symmetric = symmetric_padding(kernel_size, dilation)
    if symmetric is not None:
        return kernel_size, symmetric
    steps = zip(kernel_size, dilation, strict=True)
    if stride == (1, 1) and all(size % 2 or step == 1 for size, step in steps):
        return kernel_size, "same"
    odd = (kernel_size[0] | 1, kernel_size[1] | 1)
    symmetric = symmetric_padding(odd, dilation)
    assert symmetric is not None
    return odd, symmetric


def dilated_size(kernel_size: int, dilation: int) -> int:
    """Taps of an axis after zeros have been inserted, `dilation` - 1 between each two taps.

    (k - 1) r + 1 for odd k. Even k gets r - 1 zeros in front as well, k r in all, so that the centre tap
    (k - 1) // 2 of before is the centre tap of after.
    """
    if kernel_size == 1:
        return 1
    return (kernel_size - 1) * dilation + 1 if kernel_size % 2 else kernel_size * dilation
