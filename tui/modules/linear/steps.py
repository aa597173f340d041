"""What one call of a run does to an image, where that is linear: the steps of which blocks are made."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor, nn

from tui.fusion.pair_text import Pair
from tui.fusion.specs.padding import Border
from tui.modules.run.graph import Call, Node


@dataclass(frozen=True, eq=False)
class Step:
    """What makes one image of others.

    Attributes:
        images: what it reads, each as often as it does.
        calls: what it is made of.
    """

    images: tuple[Node, ...]
    calls: tuple[Call, ...]


@dataclass(frozen=True, eq=False)
class Convolve(Step):
    """A convolution.

    Attributes:
        weight, bias: None of a bias that there is not.
        border: what it pads; `mode`: with what, by nn.Conv2d's name.
        module: the nn.Conv2d that it is as a whole.
    """

    weight: Node
    bias: Node | None
    stride: Pair
    border: Border
    mode: str
    dilation: Pair
    groups: int
    module: nn.Conv2d | None = None


@dataclass(frozen=True, eq=False)
class Normalise(Step):
    """A batch norm by its running statistics; `module`: the nn.BatchNorm2d that it is as a whole."""

    weight: Node | None
    bias: Node | None
    mean: Node
    var: Node
    eps: float
    module: nn.BatchNorm2d | None = None


@dataclass(frozen=True, eq=False)
class Average(Step):
    """Average pooling over windows that lie inside the bordered image, its zeros counted."""

    kernel_size: Pair
    stride: Pair
    border: Border


@dataclass(frozen=True, eq=False)
class Scale(Step):
    """Times a number, or one a channel.

    Attributes:
        factor: 0-d or (channels,), in float64.
        node: what it is read from, None where it was written in the code.
        learned: whether it is that node's numbers as they are.
    """

    factor: Tensor
    node: Node | None = None
    learned: bool = False


@dataclass(frozen=True, eq=False)
class Shift(Step):
    """Plus a number, or one a channel: (channels,), in float64."""

    offset: Tensor
    node: Node | None = None


@dataclass(frozen=True, eq=False)
class Frame(Step):
    """With a border around it, of zeros or of `values`, (channels,); negative where the image is cropped."""

    border: Border
    mode: str = "zeros"
    values: Tensor | None = None


@dataclass(frozen=True, eq=False)
class Add(Step):
    """The sum of images, each times its factor."""

    factors: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Same(Step):
    """What it reads."""


@dataclass(frozen=True, eq=False)
class Unknown:
    """What is no linear step that is known here, and why: "an activation, relu".

    Attributes:
        may_be_linear: whether it is only not known what it is.
    """

    reason: str
    call: Call | None = field(default=None)
    may_be_linear: bool = False
