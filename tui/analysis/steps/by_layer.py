"""How each kind of layer is explained: as a kernel by itself, and as what it does to the kernel before it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import singledispatch
from typing import NamedTuple

from torch import Tensor, nn

from tui.analysis.steps import arithmetic, code, words
from tui.analysis.steps import layers as shown
from tui.analysis.steps.arithmetic import Operation
from tui.analysis.steps.code import Code, Names
from tui.analysis.steps.step import StepKernel, step_kernel
from tui.fusion import layers
from tui.fusion.kernel import Kernel, dirac
from tui.fusion.layers import Layer
from tui.fusion.pair_text import Pair
from tui.fusion.specs.padding import centre


@dataclass(frozen=True, eq=False)
class Told:
    """A step in words, before it is checked.

    Attributes:
        title, why: what was done, and why that is right.
        compared: what is run to see it.
        operation: the arithmetic of one weight.
        written: the same in PyTorch.
        before: the kernels that went in.
        diagonal: what to call the kernels that are not zero, where they form a table of such and zero ones.
        outcome: what to call the kernel that comes out; the title where it is "".
        sign: what stands between the kernels that went in and the one that comes out.
        shown: the layers whose numbers the step shows, as Step has them.
        in_frame: whether that is shown in the fused kernel's frame at once.
    """

    title: str
    why: str
    compared: str
    operation: Operation
    written: Code
    before: tuple[StepKernel, ...] = ()
    diagonal: str = ""
    outcome: str = ""
    sign: str = "→"
    shown: tuple[str, ...] = ()
    in_frame: bool = False


@dataclass(frozen=True, eq=False)
class Alone:
    """A fold of a layer's own kernel.

    Attributes:
        kernel: as it came out, written with `groups`.
        stored: as it was before this fold, None for the first.
        is_branch: whether the branch has nothing else but layers that rescale.
        frame: (kH, kW) of the fused kernel.
        x: (1, in_channels, H, W), float64: what the layer is given.
        names: what the kernel's weight and bias are called in PyTorch.
        module: what the layer is called there.
    """

    kernel: Kernel
    stored: Kernel | None
    groups: int
    is_branch: bool
    frame: Pair
    x: Tensor
    names: Names
    module: str


@singledispatch
def told_alone(layer: Layer, fold: Alone) -> Told | None:
    """A fold of the layer's own kernel, None where there is nothing to be told.

    Of a kind that nothing is registered for: that it is a kernel.
    """
    spread = layer.groups is None and fold.kernel.weight.shape[1] > 1
    written = code.kernel_of(fold.names, fold.module, fold.kernel, spread=spread)
    return _as_a_kernel(layer, fold, written)


def _as_a_kernel(layer: Layer, fold: Alone, written: Code) -> Told:
    called = layer.called.removeprefix("a ")
    return Told(
        f"{called} as a kernel",
        words.as_a_kernel(layer.called),
        f"conv = the {called}",
        arithmetic.as_it_is(fold.kernel),
        written,
        outcome=words.size(fold.kernel.kernel_size),
        shown=(layer.name,),
    )


@told_alone.register
def _(layer: layers.FixedDepthwise, fold: Alone) -> Told:
    taps = layer.fixed.double().tolist()
    return _as_a_kernel(layer, fold, code.depthwise(fold.names, fold.module, taps, fold.kernel))


@told_alone.register
def _(layer: layers.Norm, fold: Alone) -> Told:
    identity = code.identity(fold.names, fold.kernel, (1, 1))
    folded = code.folded_norm(fold.names, fold.module, Kernel(fold.kernel.weight, None), fold.kernel)
    return _as_a_kernel(layer, fold, replace(folded, text=f"{identity.text}\n{folded.text}"))


@told_alone.register
def _(layer: layers.Factor, fold: Alone) -> Told:
    identity = code.identity(fold.names, fold.kernel, (1, 1))
    times = code.multiplied(fold.names, fold.kernel, fold.module, one=not layer.factor.ndim)
    return _as_a_kernel(layer, fold, replace(times, text=f"{identity.text}\n{times.text}"))


@told_alone.register
def _(layer: layers.Convolution, fold: Alone) -> None:
    return None


@told_alone.register
def _(layer: layers.OffsetConvolution, fold: Alone) -> Told | None:
    if fold.stored is None:
        return None
    before = step_kernel("stored 1×1", fold.stored)
    return Told(
        "identity added",
        words.IDENTITY_ADDED,
        "conv = DBB's own 1×1",
        arithmetic.with_identity(before, fold.kernel),
        code.with_identity(fold.names, fold.kernel),
        (before, step_kernel("identity", _identity_of(fold.kernel), sign="+")),
        outcome="1×1",
        sign="=",
        shown=(shown.FIRST,),
    )


def _identity_of(kernel: Kernel) -> Kernel:
    channels, columns = kernel.weight.shape[:2]
    return dirac(channels, channels // columns, device=kernel.weight.device)


@told_alone.register
def _(layer: layers.Identity, fold: Alone) -> Told | None:
    if not fold.is_branch:
        return None
    frame, groups = fold.frame, fold.groups
    middle = centre(frame[0]), centre(frame[1])
    return Told(
        f"identity to {words.size(frame)}",
        words.identity(middle, groups > 1),
        "conv with them = the input itself",
        arithmetic.ones_where_channels_meet(fold.kernel, frame, middle, fold.x, groups),
        code.identity(fold.names, fold.kernel, frame),
        diagonal="Dirac",
        outcome=words.size(frame),
        in_frame=True,
    )


@told_alone.register
def _(layer: layers.Average, fold: Alone) -> Told:
    return Told(
        "average as a kernel",
        words.average(layer.kernel_size),
        "conv = the average pooling",
        arithmetic.mean_of_taps(fold.kernel),
        code.average(fold.names, fold.kernel),
        diagonal="mean",
        outcome=words.size(layer.kernel_size),
    )


@told_alone.register
def _(layer: layers.Sum, fold: Alone) -> Told:
    summands = tuple(
        step_kernel(
            _titled(chain),
            layer.placed(chain).in_groups(fold.groups).kernel,
            layer.kernel_size,
            sign="+" if place else "",
        )
        for place, chain in enumerate(layer.summands)
    )
    after = step_kernel("their sum", fold.kernel)
    spread = layer.groups is None and fold.kernel.weight.shape[1] > 1
    return Told(
        "sum inside",
        words.kernels_added(len(summands)),
        "conv = what the chains give, added",
        arithmetic.added(summands, after, fold.kernel, "float64"),
        code.kernel_of(fold.names, fold.module, fold.kernel, spread=spread),
        summands,
        outcome="their sum",
        sign="=",
        shown=(layer.name,),
    )


def _titled(chain: layers.Chain) -> str:
    return " > ".join(layer.called.removeprefix("a ") for layer in chain.layers)


@singledispatch
def code_if_untold(layer: Layer, fold: Alone) -> str:
    """The lines that make the layer's own kernel where no step tells of it; "" where there are none."""
    return ""


@code_if_untold.register
def _(layer: layers.Identity, fold: Alone) -> str:
    return code.identity(fold.names, fold.kernel, (1, 1)).text


class InCode(NamedTuple):
    """Words for a layer in the lines of PyTorch.

    Attributes:
        module: what its name there begins with.
        alone: what the names of a branch that is it alone end in; "" where that is its kernel size.
        among: what the names of its own kernel end in, among other layers; as `alone`.
    """

    module: str
    alone: str = ""
    among: str = ""


@singledispatch
def in_code(layer: Layer) -> InCode:
    """Words for a layer; of a kind that nothing is registered for its own name."""
    return InCode(re.sub(r"\W", "_", layer.name))


@in_code.register
def _(layer: layers.Convolution) -> InCode:
    return InCode("conv")


@in_code.register
def _(layer: layers.Norm) -> InCode:
    return InCode("bn")


@in_code.register
def _(layer: layers.Factor) -> InCode:
    return InCode(layer.called)


@in_code.register
def _(layer: layers.Identity) -> InCode:
    return InCode(re.sub(r"\W", "_", layer.name), alone="i")


@in_code.register
def _(layer: layers.Average) -> InCode:
    return InCode(re.sub(r"\W", "_", layer.name), alone="a", among="avg")


@dataclass(frozen=True, eq=False)
class Behind:
    """A layer that rescales the channels of the kernel before it.

    Attributes:
        before: gives that kernel, under a title.
        after: the kernel that comes out.
        inner: whether more layers come that do more than rescale.
        names: what the kernel's weight and bias are called in PyTorch.
        module: what the layer is called there.
        weight: the word for the layer whose weight stands in that kernel alone; none where several do.
    """

    before: Callable[[str], StepKernel]
    after: Kernel
    inner: bool
    names: Names
    module: str
    weight: tuple[str, ...]


@singledispatch
def rescaling(layer: Layer, fold: Behind) -> Told:
    """A layer that rescales the channels of the kernel before it.

    Of a kind that nothing is registered for: its factor and its offset.
    """
    called = layer.called.removeprefix("a ")
    kernel, by = fold.before(f"without its {called}"), layer.kernel()
    return Told(
        f"{called} folded",
        words.rescaled(layer.called),
        f"folded conv = conv, then {layer.called}",
        arithmetic.rescaled(kernel, by, called),
        code.rescaled(fold.names, fold.module, kernel.kernel, fold.after, adds=by.bias is not None),
        (kernel,),
        sign=f"× {called} =",
        shown=(layer.name,),
    )


@rescaling.register
def _(layer: layers.Norm, fold: Behind) -> Told:
    norm, inner = layer.norm, fold.inner
    assert isinstance(norm, nn.BatchNorm2d)
    size = words.size(fold.after.kernel_size)
    kernel = fold.before(size if inner else "without its norm")
    return Told(
        "inner norm folded" if inner else "batch norm folded",
        words.NORM_FOLDED,
        f"folded conv = {size}, then its batch norm" if inner else "folded conv = conv, then batch norm",
        arithmetic.folded_norm(kernel, norm),
        code.folded_norm(fold.names, fold.module, kernel.kernel, fold.after),
        (kernel,),
        sign="× scale =",
        shown=(*fold.weight, layer.name),
    )


@rescaling.register
def _(layer: layers.Factor, fold: Behind) -> Told:
    name, factor = layer.called, layer.factor.detach()
    kernel = fold.before(f"without {name}")
    return Told(
        f"times {name}",
        words.SCALED[name],
        f"scaled conv = {name} × conv",
        arithmetic.multiplied(kernel, factor, name),
        code.multiplied(fold.names, fold.after, fold.module, one=not factor.ndim),
        (kernel,),
        sign=f"× {name} =",
        shown=(layer.name,),
    )
