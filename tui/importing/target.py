"""Where a kernel goes that is brought in: a weight of the block, and the slice of it under the cursor."""

from __future__ import annotations

from dataclasses import dataclass

from tui.analysis.alterations.alterations import FUSED, shapes_of
from tui.analysis.alterations.editable import Shape
from tui.analysis.alterations.places import InFrame, NotEditableError, in_frame, weight_place
from tui.fusion.specs.block_spec import BlockSpec, Pair
from tui.fusion.tap import Tap

_FIRST = (0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Target:
    """A weight that can be edited.

    Attributes:
        summand: the study's name of the kernel: a branch's, or "fused".
        name: of the weight, as `shapes_of` has it: "kxk.weight", or with its layer's name "kxk.conv1.weight".
        shape: of it, (out_channels, in_channels / groups, kH, kW).
        frame: of the same kernel as the screen shows it and the export writes it.
        standing: where the weight stands in that frame.
        pair: the (out, column) of the weight under the cursor; None where the cursor is between groups.
        remark: what is done with it before the screen shows it: "before its batch norm", or "".
    """

    summand: str
    name: str
    shape: tuple[int, int, int, int]
    frame: tuple[int, int, int, int]
    standing: InFrame
    pair: Pair | None
    remark: str

    @property
    def is_fused(self) -> bool:
        """Whether it is the fused convolution's."""
        return self.summand == FUSED

    @property
    def expected(self) -> str:
        """The shapes that fit, in words: "2×2×3×3, or 3×3 for [1,0] under the cursor"."""
        shapes = [show_shape(self.shape)]
        if self.frame != self.shape:
            shapes.append(f"{show_shape(self.frame)} as the grid shows it")
        if self.pair is not None:
            shapes.append(
                f"{show_shape(self.shape[2:])} for [{self.pair[0]},{self.pair[1]}] under the cursor"
            )
        return ", or ".join(shapes)


def show_shape(shape: Shape) -> str:
    """ "2×2×3×3"; of a single number "1"."""
    return "×".join(map(str, shape)) or "1"


def target_of(spec: BlockSpec, summand: str, cursor: Tap) -> Target:
    """The weight of that summand's grid, with the slice at the cursor, which is a tap in the fused frame.

    Raises:
        NotEditableError: the summand has no weight of its own that the grid shows.
    """
    shapes = shapes_of(spec)
    standing = in_frame(spec, summand)
    first = Tap(*_FIRST) if standing is None else standing.tap(_FIRST)
    place = weight_place(spec, summand, first)
    assert standing is not None  # or there had been no such place
    out, in_, height, width = shapes[place.name]
    try:
        here = weight_place(spec, summand, Tap(cursor.out, cursor.in_, first.ky, first.kx)).index
        pair = here[0], here[1]
    except NotEditableError:
        pair = None
    rows, columns, *frame = shapes[f"{FUSED}.weight"]
    shape, frame_shape = (out, in_, height, width), (rows, columns, frame[0], frame[1])
    return Target(summand, place.name, shape, frame_shape, standing, pair, place.remark)
